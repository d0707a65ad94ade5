"""What every benchmark measures with, and how it keeps its result.

A benchmark is a script ``bench_<name>.py`` that prints its figures and adds them to one results
file (``docs/benchmarks.json``), from which ``report.py`` renders ``docs/benchmarks.md``. With
``--tiny`` it does the same with sizes that only show that it works, and keeps nothing unless
``--results`` names a file.

This module imports nothing of the product at its top, so that the benchmark of imports can use it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "docs" / "benchmarks.json"
MIB = 2**20


@dataclass
class Table:
    """One table of a report: what it says, its columns, its rows."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)

    def add(self, *cells: Any) -> None:
        self.rows.append([shown(cell) for cell in cells])


@dataclass
class Figure:
    """One figure that the product promises, beside what was measured."""

    name: str
    target: str
    measured: str
    holds: bool


@dataclass
class Result:
    """What one benchmark found.

    Attributes:
        sizes: What was measured, in words: how many of what.
        tables: What a reader sees.
        figures: The promises among it.
        notes: What a reader must know to read the tables rightly.
        data: The same for programs.
    """

    name: str
    title: str
    sizes: str
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    postgresql: str = ""
    began: float = field(default_factory=time.monotonic)

    def table(self, title: str, *columns: str) -> Table:
        made = Table(title, columns)
        self.tables.append(made)
        return made

    def figure(self, name: str, target: str, measured: str, holds: bool) -> None:
        self.figures.append(Figure(name, target, measured, holds))


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--tiny", action="store_true", help="sizes that only show that it works")
    made.add_argument("--results", type=Path, help=f"results file (default {RESULTS})")
    return made


def keep(result: Result, arguments: argparse.Namespace) -> None:
    """Print a result and add it to the results file, in place of what was there by its name."""
    show(result)
    path: Path | None = arguments.results or (None if arguments.tiny else RESULTS)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(path.read_text()) if path.exists() else {}
        known[result.name] = {
            "title": result.title,
            "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
            "seconds": round(time.monotonic() - result.began, 1),
            "machine": machine(result.postgresql),
            "sizes": result.sizes + (" (tiny: says nothing about speed)" if arguments.tiny else ""),
            "tables": [
                {"title": table.title, "columns": list(table.columns), "rows": table.rows}
                for table in result.tables
            ],
            "figures": [vars(figure) for figure in result.figures],
            "notes": result.notes,
            "data": result.data,
        }
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(known, indent=1, sort_keys=True, default=str) + "\n")
        partial.replace(path)
    path.with_name(f".{path.name}.lock").unlink(missing_ok=True)


def show(result: Result) -> None:
    print(f"\n{result.title} ({result.sizes})")
    for table in result.tables:
        print(f"\n  {table.title}")
        cells = [list(map(str, table.columns)), *([str(c) for c in row] for row in table.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
        for row in cells:
            first, *rest = zip(row, widths, strict=True)
            line = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
            print("    " + "  ".join(line))
    for figure in result.figures:
        verdict = "holds" if figure.holds else "MISSED"
        print(f"  {verdict}: {figure.name}: {figure.measured} (target {figure.target})")
    for note in result.notes:
        print(f"  note: {note}")


def shown(value: Any) -> Any:
    """Numbers as a person reads them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine(postgresql: str = "") -> dict[str, Any]:
    """What it was measured on, and how much else was going on."""
    model = ""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": model or platform.machine(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "postgresql": postgresql,
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def processor_seconds(process: psutil.Process) -> float:
    """What a process has spent, its ended children included."""
    with suppress(psutil.Error):
        return float(sum(process.cpu_times()[:4]))
    return 0.0


def server_processor_seconds(postmaster: psutil.Process) -> float:
    """What a PostgreSQL has spent: itself, the backends that ended and those that live."""
    total = processor_seconds(postmaster)
    with suppress(psutil.Error):
        total += sum(processor_seconds(child) for child in postmaster.children())
    return total


def own_seconds() -> float:
    """What this process has spent, without its children."""
    return time.process_time()


def peak_megabytes(pid: int | str = "self") -> float:
    """The most resident memory that a process has held."""
    return _status_megabytes(pid, "VmHWM")


def forget_peak() -> None:
    """Start a new peak for this process, where the system lets us."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _status_megabytes(pid: int | str, name: str) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


class ServerMemory:
    """Watches a PostgreSQL's processes: the most private memory of one, and of all together.

    Private is anonymous memory (RssAnon): what is shared between the processes, the 256 MB of
    buffers above all, is counted for none of them.
    """

    def __init__(self, postmaster: psutil.Process, every_seconds: float = 0.5) -> None:
        self._postmaster = postmaster
        self._every = every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.largest_mb = 0.0
        self.all_mb = 0.0

    def __enter__(self) -> ServerMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            pids = [self._postmaster.pid]
            with suppress(psutil.Error):
                pids += [child.pid for child in self._postmaster.children()]
            private = [_status_megabytes(pid, "RssAnon") for pid in pids]
            self.largest_mb = max(self.largest_mb, *private)
            self.all_mb = max(self.all_mb, sum(private))


@dataclass
class Server:
    """A PostgreSQL with fsync in a folder of its own, and databases in it."""

    data_dir: Path
    url: str
    count: int = 0
    templates: dict[str, str] = field(default_factory=dict)

    @property
    def postmaster(self) -> psutil.Process:
        return postmaster_of(self.data_dir)

    @property
    def version(self) -> str:
        return str(query(self.url, "show server_version")[0][0])

    def database(self, kind: str = "migrated", prepare: Callable[[str], None] | None = None) -> str:
        """The URL of a fresh database.

        Args:
            kind: What ``prepare`` makes of a migrated one; made once, then copied.
            prepare: Fills the database of this URL, and closes its connections.
        """
        if kind not in self.templates:
            template = f"template_{kind}"
            if prepare is None:
                from resources.operational_store.migrate import upgrade

                query(self.url, f"create database {template}")
                upgrade(self._url(template))
            else:
                self.database()
                query(self.url, f"create database {template} template template_migrated")
                prepare(self._url(template))
            self.templates[kind] = template
        self.count += 1
        name = f"bench_{self.count}"
        query(self.url, f"create database {name} template {self.templates[kind]}")
        return self._url(name)

    def _url(self, database: str) -> str:
        import sqlalchemy as sa

        return sa.make_url(self.url).set(database=database).render_as_string(hide_password=False)


def postmaster_of(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postmaster.pid").read_text().split()[0]))


@contextmanager
def server(connections: int = 0) -> Iterator[Server]:
    """A PostgreSQL for the length of a block, durable as in a real home.

    Args:
        connections: How many it must take, where the product's own setting is not enough.
    """
    from resources.operational_store import embedded

    with working_folder() as folder:
        data_dir = folder / "postgres"
        try:
            url = embedded.start(data_dir)
            if connections:
                query(url, f"alter system set max_connections = {connections}")
                embedded.stop(data_dir)
                url = embedded.start(data_dir)
            yield Server(data_dir, url)
        finally:
            embedded.stop(data_dir, immediately=True)


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder that a PostgreSQL's own user may enter, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="omniflow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def plain_url(url: str) -> str:
    """An SQLAlchemy URL as the driver itself wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def stamp_commits(data_dir: Path) -> str:
    """Have a PostgreSQL keep when each transaction was committed; gives its URL, started anew."""
    from resources.operational_store import embedded

    query(embedded.start(data_dir), "alter system set track_commit_timestamp = on")
    embedded.stop(data_dir)
    return embedded.start(data_dir)


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement by itself; gives its rows, if it has any."""
    import psycopg

    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


@dataclass
class Spent:
    """Wall time, processor time here and in the database."""

    wall: float = 0.0
    client: float = 0.0
    database: float = 0.0

    def __iadd__(self, other: Spent) -> Spent:
        self.wall += other.wall
        self.client += other.client
        self.database += other.database
        return self


@contextmanager
def spending(spent: Spent, postmaster: psutil.Process | None = None) -> Iterator[None]:
    """Add what the block costs."""
    there = server_processor_seconds(postmaster) if postmaster else 0.0
    here, wall = own_seconds(), time.perf_counter()
    yield
    spent.wall += time.perf_counter() - wall
    spent.client += own_seconds() - here
    if postmaster:
        spent.database += server_processor_seconds(postmaster) - there


def run_command(
    command: Sequence[str], variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of our programs from the project's folder and take what it prints."""
    return subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
