from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from orchestration.environment import PROJECT
from tests.orchestration.conftest import Omniflow


def test_help_lists_the_commands_without_loading_anything_heavy() -> None:
    heavy = ("pandas", "sqlalchemy", "dagster", "great_expectations", "dbt", "duckdb", "psycopg")
    script = f"""
import sys
try:
    from orchestration.cli import app
    app(["--help"])
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    for command in ("up", "down", "status", "backup", "restore"):
        assert f" {command} " in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"


def test_asking_about_a_home_that_is_not_there_makes_none(
    omniflow: Omniflow, open_folder: Path
) -> None:
    report = omniflow("status", "--json")
    assert report.returncode == 1
    assert json.loads(report.stdout)["healthy"] is False
    assert omniflow("down").stdout == "nothing was running\n"
    assert not (open_folder / "home").exists()


def test_a_newer_home_is_one_clear_line(omniflow: Omniflow, open_folder: Path) -> None:
    (open_folder / "home").mkdir()
    (open_folder / "home" / "home.json").write_text('{"format": 99}')
    result = omniflow("up")
    assert result.returncode == 1
    assert "made by a newer omniflow" in result.stderr
    assert result.stderr.count("\n") == 1
