"""The sandbox process of a home: started when a replay or demo needs it, stopped with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
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
class Sandbox:
    """A running sandbox.

    Attributes:
        url: Its address.
        process: The process, for its memory.
        session: Connections to it.
    """

    url: str
    process: psutil.Process
    session: httpx.Client

    def tell(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """POST to one of its own addresses.

        Raises:
            EnvironmentProblem: If it does not do it.
        """
        try:
            response = self.session.post(f"{self.url}{path}", json=body, timeout=120)
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            reason = error.response.text[:300]
            raise EnvironmentProblem(f"the sandbox refused {path}: {reason}") from error
        except httpx.HTTPError as error:
            raise EnvironmentProblem(f"the sandbox does not answer: {error}") from error
        answer: dict[str, object] = response.json()
        return answer

    @property
    def peak_megabytes(self) -> float:
        """The most memory that it has held."""
        return peak_megabytes(self.process.pid)


def peak_megabytes(pid: int | str = "self") -> float:
    """The most resident memory that a process has held, in MiB; 0 where the system cannot say."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


@contextmanager
def running_sandbox(home: Home, gateway_url: str | None = None) -> Iterator[Sandbox]:
    """Start this home's sandbox with what it remembers, and stop it at the end.

    Raises:
        EnvironmentProblem: If it does not come up.
    """
    host = home.environment.host
    state = home.path / "sandbox"
    state.mkdir(exist_ok=True)
    pid_file = home.run / "sandbox.pid"
    _stop_orphan(pid_file, str(state))
    port = home.claim_ports(["sandbox"])["sandbox"]
    command = [sys.executable, "-m", "resources.sandbox", "--host", host, "--port", str(port)]
    command += ["--state", str(state)]
    if gateway_url is not None:
        command += ["--gateway", gateway_url, "--secrets", str(home.secrets / "sources.json")]
    log = home.logs / "sandbox.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  our own module
            command,
            cwd=PROJECT,
            stdout=output,
            stderr=output,
            env=home.environment.for_children(home.dagster),
        )
        try:
            pid_file.write_text(str(process.pid), "ascii")
            url = f"http://{host}:{port}"
            with client(loopback_only=True) as session:
                _wait(url, process, session, str(log))
                yield Sandbox(url, psutil.Process(process.pid), session)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            pid_file.unlink(missing_ok=True)


def _stop_orphan(pid_file: Path, state: str) -> None:
    """Stop the sandbox of a replay that was killed: two of them must not write one journal."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        orphan = psutil.Process(int(pid_file.read_text("ascii")))
        if state in orphan.cmdline():
            orphan.kill()
            orphan.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes], session: httpx.Client, log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EnvironmentProblem(f"the sandbox stopped at once; see {log}")
        try:
            if session.get(f"{url}/healthz", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise EnvironmentProblem(f"the sandbox did not come up within {START_SECONDS} s; see {log}")
