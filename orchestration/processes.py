"""One helper process for the length of a block: started, awaited, and stopped with it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from assets.errors import EnvironmentProblem
from orchestration.environment import PROJECT
from orchestration.home import Home
from resources.http import client

START_SECONDS = 30


@dataclass(frozen=True)
class Running:
    """A process that answers.

    Attributes:
        url: Its address.
        process: The process, for its memory.
        session: Connections to it.
    """

    url: str
    process: psutil.Process
    session: httpx.Client

    @property
    def peak_megabytes(self) -> float:
        """The most memory that it has held."""
        return peak_megabytes(self.process.pid)


def peak_megabytes(pid: int | str = "self") -> float:
    """The most resident memory that a process has held, in MiB; 0 where the system cannot say."""
    with suppress(OSError), Path(f"/proc/{pid}/status").open(encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def running(home: Home, name: str, command: Sequence[str], url: str) -> Iterator[Running]:
    """Run a command that serves ``url`` until the block ends.

    Raises:
        EnvironmentProblem: If it does not come up.
    """
    pid_file = home.run / f"{name}.helper.pid"
    log = home.logs / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdout=output,
            stderr=output,
            env=home.environment.for_children(home.dagster),
        )
        try:
            pid_file.write_text(str(process.pid), "ascii")
            with client(loopback_only=True) as session:
                _wait(name, url, process, session, log)
                yield Running(url, psutil.Process(process.pid), session)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            pid_file.unlink(missing_ok=True)


def stop_orphan(home: Home, name: str, mark: str) -> None:
    """Stop the helper of a command that was killed, known by a word of its command line."""
    pid_file = home.run / f"{name}.helper.pid"
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        orphan = psutil.Process(int(pid_file.read_text("ascii")))
        if mark in orphan.cmdline():
            orphan.kill()
            orphan.wait(10)


def _wait(
    name: str, url: str, process: subprocess.Popen[bytes], session: httpx.Client, log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EnvironmentProblem(f"the {name} stopped at once; see {log}")
        try:
            if session.get(f"{url}/healthz", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise EnvironmentProblem(f"the {name} did not come up within {START_SECONDS} s; see {log}")
