"""One helper process for the length of a block: started, awaited, and stopped with it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from assets.errors import EnvironmentProblem
from orchestration.environment import PROJECT
from orchestration.home import Home, is_free
from orchestration.services import listens
from resources.http import client

START_SECONDS = 30
PORT_TRIES = 5


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
def running(home: Home, name: str, command: Callable[[int], Sequence[str]]) -> Iterator[Running]:
    """Run a service of the home on a free port until the block ends.

    Args:
        home: Whose service it is.
        name: Names its port, its log and its pid file.
        command: What to run, given the port.

    Raises:
        EnvironmentProblem: If it does not come up.
    """
    log = home.logs / f"{name}.log"
    with client(loopback_only=True) as session:
        process, url = _start(home, name, command, session, log)
        try:
            yield Running(url, psutil.Process(process.pid), session)
        finally:
            _stop(process)
            _pid_file(home, name).unlink(missing_ok=True)


def _pid_file(home: Home, name: str) -> Path:
    return home.run / f"{name}.helper.pid"


def _start(
    home: Home,
    name: str,
    command: Callable[[int], Sequence[str]],
    session: httpx.Client,
    log: Path,
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a service; another home may take the port that was free a moment ago."""
    for _ in range(PORT_TRIES):
        port = home.claim_ports([name])[name]
        url = f"http://{home.environment.host}:{port}"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(port),
                cwd=PROJECT,
                stdout=output,
                stderr=output,
                env=home.environment.for_children(home.dagster),
            )
        # Before it is up: a command that is killed while it waits leaves an orphan, too.
        _pid_file(home, name).write_text(str(process.pid), "ascii")
        try:
            if _comes_up(url, port, process, session):
                return process, url
        except BaseException:
            _stop(process)
            raise
        _stop(process)
        if is_free(home.environment.host, port):
            break
    raise EnvironmentProblem(f"the {name} did not come up; see {log}")


def _comes_up(url: str, port: int, process: subprocess.Popen[bytes], session: httpx.Client) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            # Who answers must be ours: two homes side by side may have wanted one port.
            if session.get(f"{url}/healthz", timeout=1).is_success and listens(process.pid, port):
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_orphan(home: Home, name: str, mark: str) -> None:
    """Stop the helper of a command that was killed, known by a word of its command line."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        orphan = psutil.Process(int(_pid_file(home, name).read_text("ascii")))
        if mark in orphan.cmdline():
            orphan.kill()
            orphan.wait(10)
