"""The server's folder: its one name, its lock, and how it is made."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assets.errors import EnvironmentProblem
from resources.operational_store.embedded.account import Account, run_as
from resources.operational_store.embedded.programs import reason_in
from resources.operational_store.embedded.sockets import SUPERUSER

LEAST_FREE_BYTES = 200 * 1024 * 1024


def absolute(data_dir: Path) -> Path:
    """One name for the folder, whoever asks."""
    return Path(os.path.realpath(data_dir))


def log_file(data_dir: Path) -> Path:
    """Where the server writes its log."""
    return absolute(data_dir) / "server.log"


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
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


def require_space(data_dir: Path) -> None:
    """Say so before a server dies of a full disk."""
    free = shutil.disk_usage(data_dir.parent).free
    if free < LEAST_FREE_BYTES:
        raise EnvironmentProblem(
            f"the disk of {data_dir.parent} is full: {free // 2**20} MB free,"
            f" PostgreSQL needs {LEAST_FREE_BYTES // 2**20} MB to start"
        )


def require_same_major_version(data_dir: Path) -> None:
    """Refuse the folder of another PostgreSQL."""
    found = (data_dir / "PG_VERSION").read_text().strip()
    if found != "18":
        raise EnvironmentProblem(
            f"{data_dir} was made by PostgreSQL {found}, this one is 18:"
            " restore a backup into a new home instead"
        )


def initialise(data_dir: Path, account: Account | None) -> None:
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
    result = run_as("initdb", [*arguments, "--no-sync", "--no-instructions"], account)
    if result.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EnvironmentProblem(f"PostgreSQL cannot be set up: {reason_in(result.stdout)}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("\n# Rewritten at every start; `alter system` wins over it.\n")
        file.write("include_if_exists = 'omniflow.conf'\n")
    if data_dir.exists():
        data_dir.rmdir()
    fresh.rename(data_dir)
