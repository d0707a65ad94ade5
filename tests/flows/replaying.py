"""A replay as a process that can be watched through its database, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import sqlalchemy as sa

from orchestration.environment import PROJECT, libpq_url
from resources.operational_store import embedded
from resources.operational_store.digests import table_digests

POLL_SECONDS = 0.002
LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Counts:
    """How far a home is; none of these ever goes back."""

    admitted: int
    handled: int
    delivered: int


@dataclass
class Replaying:
    """One home and the replays in it.

    Attributes:
        home: The home folder.
        database_url: A database for it; without one the home has its own server.
        variables: More environment variables of its commands.
    """

    home: Path
    database_url: str | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.database_url or embedded.url(self.home / "postgres", "omniflow")

    def omniflow(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        database = {"OMNIFLOW_DATABASE_URL": self.database_url} if self.database_url else {}
        return subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=PROJECT,
            env={**os.environ, "OMNIFLOW_HOME": str(self.home), **database, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, path: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start a replay of made trading days."""
        return self.omniflow(
            "replay", str(path), "--layout", "uci_online_retail", "--no-marts", "--json", *arguments
        )

    def replay(self, path: Path, *arguments: str) -> Ended:
        """Replay, to the end."""
        return ended(self.start(path, *arguments))

    def until(self, process: subprocess.Popen[str], reached: Callable[[Counts], bool]) -> Counts:
        """Wait until the home is so far; the process must still be at it then."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            counts = self.counts()
            if counts is not None and reached(counts):
                assert process.poll() is None, "the replay was over before it could be disturbed"
                return counts
            assert process.poll() is None, ended(process)
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"not reached within {LONGEST_SECONDS} s")

    def counts(self) -> Counts | None:
        """How far it is, ``None`` while there is nothing to ask."""
        try:
            with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
                found = connection.execute(
                    "select (select count(*) from event_inbox),"
                    " (select count(*) from decision_record),"
                    " (select count(*) from command_outbox where status = 'delivered')"
                ).fetchone()
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return None
        return Counts(*found) if found else None

    def digests(self) -> dict[str, str]:
        """Digest by table."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            return table_digests(connection)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the operational store answers."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def sandbox(self) -> psutil.Process:
        """The sandbox process of the running replay."""
        return psutil.Process(int((self.home / "run" / "sandbox.helper.pid").read_text()))

    def postmaster(self) -> psutil.Process:
        """The server process of a home with its own database."""
        lines = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()
        return psutil.Process(int(lines[0]))

    def down(self) -> None:
        """Stop whatever of the home is left."""
        ended(self.omniflow("down"))


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a command."""
    out, err = process.communicate(timeout=LONGEST_SECONDS)
    return Ended(process.returncode, out, err)


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, and nothing it could do about it."""
    process.send_signal(signal.SIGKILL)
    ended_with = ended(process).returncode
    assert ended_with == -signal.SIGKILL


def clear_line(command: Ended) -> str:
    """The one line in which a command that failed says why."""
    assert command.returncode not in (0, 70), command
    assert command.stderr.count("\n") == 1, command.stderr
    assert command.stderr.startswith("omniflow: "), command.stderr
    for word in ("Traceback", "Error", "Exception", "psycopg", "sqlalchemy", "None", "defect"):
        assert word not in command.stderr, command.stderr
    return command.stderr.removeprefix("omniflow: ").rstrip("\n")
