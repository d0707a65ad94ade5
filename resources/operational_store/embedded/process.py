"""The server as a process: whether it runs, how it is launched, what a dead one has left."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import psutil

from assets.errors import EnvironmentProblem
from resources.operational_store.embedded.account import Account, run_as
from resources.operational_store.embedded.data_folder import absolute, log_file
from resources.operational_store.embedded.programs import reason_in
from resources.operational_store.embedded.sockets import PORT, socket_directory

START_TIMEOUT_SECONDS = 120


def _pid_file_lines(data_dir: Path) -> list[str]:
    try:
        text = (data_dir / "postmaster.pid").read_text()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as error:
        raise EnvironmentProblem(
            f"{data_dir} belongs to another user; run omniflow as that user"
        ) from error
    return [line.strip() for line in text.splitlines()]


def postmaster(data_dir: Path) -> psutil.Process | None:
    """The server's process; not whatever was given its number after a crash or a reboot."""
    lines = _pid_file_lines(data_dir)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return None
        if str(data_dir) not in process.cmdline():
            return None
    except psutil.Error:
        return None
    return process


def is_running(data_dir: Path) -> bool:
    """Whether the server of ``data_dir`` is up and takes connections."""
    data_dir = absolute(data_dir)
    if postmaster(data_dir) is None or _pid_file_lines(data_dir)[-1:] != ["ready"]:
        return False
    # A server that was killed a moment ago is still listed, so it is asked for an answer: whether
    # it speaks TLS, which needs neither a user nor a database.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(5)
        try:
            door.connect(str(socket_directory(data_dir) / f".s.PGSQL.{PORT}"))
            door.sendall(struct.pack("!ii", 8, 80877103))
            return door.recv(1) in (b"N", b"S")
        except OSError:
            return False


def launch(data_dir: Path, account: Account | None) -> None:
    """Start the server and wait until it takes connections."""
    log = log_file(data_dir)
    arguments = ["start", "-D", str(data_dir), "-w", "-t", str(START_TIMEOUT_SECONDS)]
    arguments += ["-l", str(log)]
    deadline = time.monotonic() + 15
    while True:
        begin = log.stat().st_size if log.exists() else 0
        result = run_as("pg_ctl", arguments, account)
        if result.returncode == 0:
            return
        written = log.read_bytes()[begin:].decode(errors="replace") if log.exists() else ""
        # After a kill -9 the old server's children need a moment to notice and leave.
        if "still in use" in written and time.monotonic() < deadline:
            time.sleep(0.3)
            continue
        reason = reason_in(written or result.stdout)
        raise EnvironmentProblem(f"PostgreSQL does not start: {reason}")


def await_exit(data_dir: Path) -> None:
    """Wait a moment for a server that is on its way out."""
    process = postmaster(data_dir)
    if process is not None and not is_running(data_dir):
        psutil.wait_procs([process], timeout=2)


def remove_stale_locks(data_dir: Path) -> None:
    """Forget a server that is gone.

    PostgreSQL itself keeps back while any process has the old number: another one that was given
    it since, or the dead server's own, in a container whose first process collects no children.
    """
    if postmaster(data_dir) is None:
        (data_dir / "postmaster.pid").unlink(missing_ok=True)
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (socket_directory(data_dir) / name).unlink(missing_ok=True)
