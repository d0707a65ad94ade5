"""Where the server listens: a socket in a folder, never a network address."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

from assets.errors import EnvironmentProblem
from resources.operational_store.embedded.account import Account

SUPERUSER = "postgres"
PORT = 5432  # names the socket only: the server listens on no network address
# sun_path holds 108 bytes with its terminator; the server adds "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432.lock")


def socket_directory(data_dir: Path) -> Path:
    """The data folder itself where its name can stand in a connection string unescaped.

    The system limits the length of socket names, a comma separates hosts, and libpq and SQLAlchemy
    disagree about how to escape a space.
    """
    plain = re.fullmatch(r"[A-Za-z0-9/._~-]+", str(data_dir)) is not None
    if plain and len(os.fsencode(data_dir)) <= LONGEST_SOCKET_DIRECTORY:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"omniflow-{digest}"  # noqa: S108  owner and mode are checked below


def prepare_socket_directory(data_dir: Path, account: Account | None) -> Path:
    """Make the socket's folder where it is not the data folder, for nobody else."""
    folder = socket_directory(data_dir)
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
