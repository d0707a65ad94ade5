"""The real year through the whole product: ``make bench-replay``.

Three things, each in processes of its own: the year in a fresh home by the function behind
``omniflow replay`` (its progress callback reads the processor time of all processes at every month
boundary); what the database wrote for it; and ``omniflow replay`` itself a second time over the
same files, all of whose events are duplicates then.

Needs the public data set "Online Retail" of the UCI repository as a folder of monthly CSV files,
by default ``../shared/data/uci_online_retail``; says that it is skipped where there is none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result

DATA = measuring.PROJECT.parent / "shared" / "data" / "uci_online_retail"
LAYOUT = "uci_online_retail"
ZONE = ZoneInfo("Europe/London")
BASE_MONTH, LAST_WHOLE_MONTH = "2011-01", "2011-11"
TINY_DAYS = ("2011-01-04", "2011-01-05")
WRITTEN = """
    select sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint,
        sum(n_tup_del)::bigint
    from pg_stat_user_tables where schemaname = 'public'
"""


@dataclass(frozen=True)
class Reading:
    """Where clocks and counters stood at the end of a month."""

    month: str
    rows: int
    wall: float
    client: float
    sandbox: float
    database: float


# In the process that replays


class Monthly:
    """Follows a replay's progress and reads the clocks whenever a month is over."""

    def __init__(self, home: Any) -> None:
        self._home = home
        self._sandbox: psutil.Process | None = None
        self._last: Reading | None = None
        self.readings: list[Reading] = []

    def __call__(self, moment: Any) -> None:
        if moment.simulated is None:
            return
        # A window ends at midnight: what it brought belongs to the day before.
        day = (moment.simulated - timedelta(seconds=1)).astimezone(ZONE)
        month = f"{day:%Y-%m}" if moment.phase == "trading" else "tail"
        if self._last is not None and self._last.month != month:
            self.readings.append(self._last)
        self._last = self._read(month, moment.rows)

    def start(self) -> None:
        self._last = None
        self.readings = [self._read("start", 0)]

    def end(self) -> None:
        if self._last is not None:
            self.readings.append(self._last)

    def _read(self, month: str, rows: int) -> Reading:
        if self._sandbox is None:
            pid_file = self._home.run / "sandbox.helper.pid"
            if pid_file.exists():
                self._sandbox = psutil.Process(int(pid_file.read_text()))
        return Reading(
            month,
            rows,
            time.perf_counter(),
            measuring.own_seconds(),
            measuring.processor_seconds(self._sandbox) if self._sandbox else 0.0,
            measuring.server_processor_seconds(measuring.postmaster_of(self._home.postgres)),
        )


def drive(home_folder: Path, arguments: argparse.Namespace) -> None:
    """One replay in this process; says how it went on stdout."""
    from orchestration import supervisor
    from orchestration.environment import Environment
    from orchestration.home import open_home
    from orchestration.replay import Request, replay

    environment = replace(Environment.read(), home=home_folder, database_url=None)
    home = open_home(environment)
    with supervisor.exclusive(home):
        supervisor.start_database(home)
    watch = Monthly(home)
    peaks: dict[str, float] = {}

    def following(moment: Any) -> None:
        if moment.phase == "judging files":
            watch.start()
        if moment.phase == "building marts":
            peaks["until the last order was delivered"] = measuring.peak_megabytes()
        watch(moment)

    first, last = map(date.fromisoformat, TINY_DAYS) if arguments.tiny else (None, None)
    request = Request(arguments.data, LAYOUT, first, last, builds_marts=not arguments.tiny)
    report = replay(home, request, following)
    watch.end()
    peaks["with lake and marts"] = measuring.peak_megabytes()
    print(
        json.dumps(
            {
                "report": asdict(report),
                "peaks": peaks,
                "readings": [asdict(reading) for reading in watch.readings],
                "cpu": {
                    "client": measuring.own_seconds(),
                    "database": measuring.server_processor_seconds(
                        measuring.postmaster_of(home.postgres)
                    ),
                },
            }
        )
    )


# In the process that measures


@contextmanager
def home_folder(kept: Path | None) -> Iterator[Path]:
    """A fresh home: in a folder of its own, or where the next benchmark will look for it."""
    if kept is not None and (kept / "home.json").exists():
        raise SystemExit(f"{kept} is a home already; a replay is measured in a fresh one")
    with nullcontext(kept.parent) if kept else measuring.working_folder() as folder:
        home = kept or folder / "home"
        try:
            yield home
        finally:
            from resources.operational_store import embedded

            embedded.stop(home / "postgres")


def first_replay(home: Path, arguments: argparse.Namespace, result: Result) -> dict[str, Any]:
    command = [sys.executable, __file__, "--drive", str(home), "--data", str(arguments.data)]
    if arguments.tiny:
        command.append("--tiny")
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=measuring.PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        while not (home / "postgres" / "postmaster.pid").exists() and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            postmaster = measuring.postmaster_of(home / "postgres")
            with measuring.ServerMemory(postmaster) as memory:
                output, _ = process.communicate()
        else:
            raise SystemExit("the replay stopped at once")
    if process.returncode:
        raise SystemExit("the replay failed")
    found: dict[str, Any] = json.loads(output)
    found["wall"] = time.perf_counter() - began
    found["memory"] = memory
    report_year(found, result)
    return found


def report_year(found: dict[str, Any], result: Result) -> None:
    report, rows = found["report"], found["report"]["rows"]
    rate = rows / found["wall"]
    result.data["year"] = {"rows": rows, "seconds": found["wall"], "rows_per_second": rate}
    result.data["report"] = report
    table = result.table(
        f"{rows:,} lines end to end, process start to published marts",
        "lines",
        "orders",
        "events in",
        "commands delivered",
        "seconds",
        "lines/s",
    )
    table.add(
        rows,
        report["orders"],
        report["events_in"],
        report["commands_delivered"],
        found["wall"],
        rate,
    )
    result.figure(
        f"Real year ({rows:,} lines) end to end, sandbox on the same machine",
        "≥ 1,500 lines/s, aim 2,500",
        f"{rate:,.0f} lines/s",
        rate >= 1500,
    )

    phases = result.table("Seconds per phase", "phase", "seconds", "share")
    named = sum(report["seconds_by_phase"].values())
    rest = found["wall"] - named
    for name, seconds in {**report["seconds_by_phase"], "starting and stopping": rest}.items():
        phases.add(name.replace("_", " "), seconds, f"{100 * seconds / found['wall']:.0f}%")

    memory = result.table("Peak memory", "process", "MB")
    peaks = {f"omniflow, {name}": peak for name, peak in found["peaks"].items()}
    peaks["sandbox"] = report["sandbox_peak_mb"]
    peaks["largest PostgreSQL process, private"] = found["memory"].largest_mb
    for name, peak in peaks.items():
        memory.add(name, peak)
    memory.add("all PostgreSQL processes, private", found["memory"].all_mb)
    highest = max(peaks, key=lambda name: peaks[name])
    result.figure(
        "Memory of any process of the real year",
        "≤ 1,536 MB",
        f"{peaks[highest]:,.0f} MB ({highest})",
        peaks[highest] <= 1536,
    )
    result.data["peaks"] = peaks


def report_growth(readings: list[dict[str, Any]], result: Result) -> None:
    table = result.table(
        "Month by month: what a line costs, all processes",
        "month",
        "lines",
        "lines/s",
        "CPU µs per line: omniflow",
        "sandbox",
        "PostgreSQL",
        "all",
    )
    costs: dict[str, float] = {}
    for before, after in pairwise(readings):
        rows = after["rows"] - before["rows"]
        if rows <= 0:
            continue
        wall = after["wall"] - before["wall"]
        parts = [
            1e6 * (after[name] - before[name]) / rows for name in ("client", "sandbox", "database")
        ]
        costs[after["month"]] = sum(parts)
        table.add(
            after["month"], rows, rows / wall, *(f"{part:.0f}" for part in (*parts, sum(parts)))
        )
    result.data["cpu_microseconds_per_line"] = costs
    if BASE_MONTH in costs and LAST_WHOLE_MONTH in costs:
        ratio = costs[LAST_WHOLE_MONTH] / costs[BASE_MONTH]
        result.data["growth"] = ratio
        result.figure(
            f"CPU per line in {LAST_WHOLE_MONTH} over that in {BASE_MONTH}",
            "≤ 1.3",
            f"{ratio:.2f}",
            ratio <= 1.3,
        )


def report_rows_written(home: Path, rows: int, result: Result) -> None:
    from resources.operational_store import embedded

    url = embedded.url(home / "postgres", "omniflow")
    time.sleep(1)  # counters of backends that just ended arrive a moment later
    inserted, updated, hot, deleted = measuring.query(url, WRITTEN)[0]
    size = measuring.query(url, "select pg_database_size(current_database())")[0][0]
    table = result.table(
        "What PostgreSQL wrote for one line of the files",
        "rows inserted",
        "rows updated",
        "of these in place (HOT)",
        "rows deleted",
        "bytes of database",
    )
    table.add(*(f"{count / rows:.2f}" for count in (inserted, updated, hot, deleted)), size // rows)
    result.data["rows_written_per_line"] = (inserted + updated) / rows


def second_replay(home: Path, arguments: argparse.Namespace, result: Result) -> None:
    command = [sys.executable, "-m", "orchestration.cli", "replay", str(arguments.data)]
    command += ["--layout", LAYOUT, "--json"]
    if arguments.tiny:
        command += ["--from", TINY_DAYS[0], "--to", TINY_DAYS[1], "--no-marts"]
    began = time.perf_counter()
    done = measuring.run_command(command, {"OMNIFLOW_HOME": str(home)})
    wall = time.perf_counter() - began
    if done.returncode:
        said = (done.stderr or done.stdout)[-500:]
        raise SystemExit(f"the second replay ended with status {done.returncode}: {said}")
    report = json.loads(done.stdout)
    table = result.table(
        "The same files once more (`omniflow replay … --json`)",
        "events in",
        "duplicates",
        "applied",
        "seconds",
        "lines/s",
    )
    table.add(
        report["events_in"],
        report["duplicates"],
        report["applied"],
        wall,
        report["rows"] / wall,
    )
    if report["applied"]:
        raise SystemExit(f"the second replay applied {report['applied']} events")
    result.data["second"] = {"seconds": wall, "report": report}


def main() -> None:
    options = measuring.parser(__doc__)
    options.add_argument("--data", type=Path, default=DATA, help="folder of monthly CSV files")
    options.add_argument("--keep-home", type=Path, help="leave the home there, for bench_marts.py")
    options.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    arguments.data = arguments.data.absolute()
    if arguments.drive:
        drive(arguments.drive, arguments)
        return
    if not any(arguments.data.glob("*.csv*")):
        print(f"skipped: there are no CSV files in {arguments.data} (name a folder with --data)")
        return
    result = Result(
        "replay",
        "The real year",
        "two days without marts"
        if arguments.tiny
        else "all files of the data set, once and once more",
    )
    kept = arguments.keep_home.absolute() if arguments.keep_home else None
    with home_folder(kept) as home:
        found = first_replay(home, arguments, result)
        report_growth(found["readings"], result)
        report_rows_written(home, found["report"]["rows"], result)
        second_replay(home, arguments, result)
        from resources.operational_store import embedded

        url = embedded.url(home / "postgres", "omniflow")
        result.postgresql = str(measuring.query(url, "show server_version")[0][0])
    result.notes.append(
        "The sandbox (the simulated ERP, WMS, carrier, payment provider) runs on the same cores and"
        " is part of every figure. A line's cost grows with the lines of its order and with how"
        " many commands and answers it causes, not only with what the database holds: compare"
        " months of like trade. The first month carries the judging of all files."
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
