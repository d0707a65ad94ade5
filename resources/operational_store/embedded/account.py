"""The system user that the server runs as, and programs run as that user.

PostgreSQL refuses to run as root, and the user it runs as instead may not enter every folder.
"""

from __future__ import annotations

import dataclasses
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.errors import EnvironmentProblem
from resources.operational_store.embedded.programs import binaries


@dataclass(frozen=True)
class Account:
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


def account_for(data_dir: Path) -> Account | None:
    """Whom the server of ``data_dir`` runs as; nobody else unless we are root."""
    if os.geteuid() != 0:
        return None
    account = _system_user(data_dir)
    closed = [_first_closed(account, folder) for folder in (data_dir.parent, binaries())]
    if not any(closed):
        return account
    # /root is closed to others, and a checkout in it is common in containers.
    prefix = _passing_prefix(account, [folder for folder in closed if folder is not None])
    return dataclasses.replace(account, prefix=prefix)


def _system_user(data_dir: Path) -> Account:
    if (data_dir / "PG_VERSION").exists():
        owner = data_dir.stat()
        if owner.st_uid != 0:
            entry = pwd.getpwuid(owner.st_uid)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in ("omniflow", "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EnvironmentProblem(
        "PostgreSQL does not run as root and this machine has no other user for it;"
        " create one (`useradd omniflow`) or run omniflow as an ordinary user"
    )


def _first_closed(account: Account, target: Path) -> Path | None:
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


def _passing_prefix(account: Account, closed: list[Path]) -> tuple[str, ...]:
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


def require_traversable(account: Account | None, target: Path, what: str) -> None:
    """Say which folder is closed before PostgreSQL fails without a reason."""
    if account is None or account.prefix:
        return
    closed = _first_closed(account, target)
    if closed is not None:
        raise EnvironmentProblem(
            f"PostgreSQL does not run as root, and its user {account.name!r} may not enter"
            f" {closed}, which {what} ({target}) lies in: run omniflow as an ordinary user,"
            f" move it out of {closed}, or `chmod o+x {closed}`"
        )


def run_as(
    program: str, arguments: list[str], account: Account | None
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
