"""A PostgreSQL of one's own: started from the wheel's binaries inside a home, stopped explicitly.

The server outlives the process that started it, because gateway, Dagster and command line share
it. The wheel's own Python starter is not used: it opens every parent folder to everybody when run
as root, gives up after ten seconds even while the server recovers from a crash, and cannot take
a folder with a space in its name. What belongs here ends at a running server and its URL; tables
and migrations are the neighbours' work.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

import psutil

from assets.errors import EnvironmentProblem
from resources.operational_store.embedded.account import account_for, require_traversable, run_as
from resources.operational_store.embedded.data_folder import (
    absolute,
    initialise,
    locked,
    require_same_major_version,
    require_space,
)
from resources.operational_store.embedded.process import (
    await_exit,
    is_running,
    launch,
    postmaster,
    remove_stale_locks,
)
from resources.operational_store.embedded.programs import binaries, reason_in
from resources.operational_store.embedded.settings import write_settings
from resources.operational_store.embedded.sockets import (
    SUPERUSER,
    prepare_socket_directory,
    socket_directory,
)

__all__ = ["is_running", "number_transactions_after", "start", "stop", "url"]

STOP_TIMEOUT_SECONDS = 60


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
    data_dir = absolute(data_dir)
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"cannot create {data_dir.parent}: {error.strerror}") from error
    with locked(data_dir):
        if is_running(data_dir):
            return url(data_dir)
        account = account_for(data_dir)
        require_traversable(account, data_dir.parent, "the home folder")
        require_traversable(account, binaries(), "the virtual environment")
        require_space(data_dir)
        if not (data_dir / "PG_VERSION").exists():
            initialise(data_dir, account)
        require_same_major_version(data_dir)
        await_exit(data_dir)
        remove_stale_locks(data_dir)
        socket_dir = prepare_socket_directory(data_dir, account)
        write_settings(data_dir, socket_dir, account, durable=durable)
        launch(data_dir, account)
    return url(data_dir)


def stop(data_dir: Path, *, immediately: bool = False) -> bool:
    """Stop the server of ``data_dir``; open connections are ended, nothing committed is lost.

    Args:
        data_dir: The server's folder.
        immediately: Skip the shutdown checkpoint (a later start recovers from the log).

    Returns:
        Whether a server was running.
    """
    data_dir = absolute(data_dir)
    if postmaster(data_dir) is None:
        return False
    with locked(data_dir):
        process = postmaster(data_dir)
        if process is None:
            return False
        mode = "immediate" if immediately else "fast"
        arguments = ["stop", "-D", str(data_dir), "-m", mode, "-w", "-t", str(STOP_TIMEOUT_SECONDS)]
        result = run_as("pg_ctl", arguments, account_for(data_dir))
        if result.returncode != 0 and process.is_running():
            process.kill()
            psutil.wait_procs([process], timeout=10)
        if socket_directory(data_dir) != data_dir:
            shutil.rmtree(socket_directory(data_dir), ignore_errors=True)
    return True


def number_transactions_after(data_dir: Path, transaction: int) -> None:
    """Make a fresh, stopped server number its transactions above ``transaction``.

    Rows carry the number of the transaction that recorded them, and readers go by its order; a
    restored database must therefore not start to count from the beginning again.
    """
    data_dir = absolute(data_dir)
    epoch = (transaction >> 32) + 1
    result = run_as("pg_resetwal", ["-e", str(epoch), "-D", str(data_dir)], account_for(data_dir))
    if result.returncode != 0:
        raise EnvironmentProblem(f"PostgreSQL cannot be prepared: {reason_in(result.stdout)}")


def url(data_dir: Path, database: str = "postgres") -> str:
    """The SQLAlchemy URL of one database of the server of ``data_dir``, running or not."""
    socket_dir = quote(str(socket_directory(absolute(data_dir))), safe="/")
    return f"postgresql+psycopg://{SUPERUSER}@/{quote(database, safe='')}?host={socket_dir}"
