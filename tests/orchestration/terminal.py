"""The command line in this process, as a person at a terminal has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.cli import app


@dataclass(frozen=True)
class Said:
    returncode: int
    stdout: str
    stderr: str


Ask = Callable[..., Said]


def asking(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command line here: a process for each question costs seconds."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            app(list(arguments))
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return run


def make_home(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose database is this one."""
    home.mkdir()
    description = {"format": 1, "id": "story", "created_at": "2026-03-02T09:00:00+00:00"}
    (home / "home.json").write_text(json.dumps(description))
    monkeypatch.setenv("OMNIFLOW_HOME", str(home))
    monkeypatch.setenv("OMNIFLOW_DATABASE_URL", url)


def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("orchestration.commands._reading.terminal_width", lambda: 80)
