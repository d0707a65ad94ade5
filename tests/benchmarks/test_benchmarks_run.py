"""Every benchmark still runs, with sizes that say nothing about speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import report, run

#: The replay needs a data set that is not part of the repository; marts have dbt to parse.
QUICK = (
    "orders",
    "reservations",
    "sourcing",
    "availability",
    "matching",
    "planning",
    "door",
    "imports",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_benchmark_runs_and_keeps_its_result(name: str, tmp_path: Path) -> None:
    found = run_tiny(name, tmp_path)
    assert found["tables"]
    assert found["machine"]["cores"] >= 1
    if name == "reservations":
        # The one figure that holds at any size and on any machine.
        assert [figure["measured"] for figure in found["figures"]] == ["10"]
    for table in found["tables"]:
        assert table["rows"]
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["marts"])
def test_a_slow_benchmark_runs_too(name: str, tmp_path: Path) -> None:
    assert run_tiny(name, tmp_path)["tables"]


def test_a_replay_without_its_data_says_that_it_is_skipped(tmp_path: Path) -> None:
    done = start("replay", "--tiny", "--data", str(tmp_path))
    assert "skipped" in done.stdout


def test_every_benchmark_is_part_of_the_whole_run() -> None:
    scripts = {path.stem.removeprefix("bench_") for path in run.HERE.glob("bench_*.py")}
    assert scripts == set(run.ORDER) == set(report.ORDER)


def test_the_report_replaces_its_own_part_only(tmp_path: Path) -> None:
    results, document = tmp_path / "results.json", tmp_path / "benchmarks.md"
    figure = {"name": "speed", "target": "≥ 1", "measured": "2", "holds": True}
    machine = {
        "cores": 2,
        "processor": "a processor",
        "memory_gb": 8,
        "python": "3.11.9",
        "postgresql": "18.4",
        "load_average": [0.5, 0.4, 0.3],
    }
    found = {
        "title": "The door",
        "sizes": "ten orders",
        "measured_at": "2026-11-23T20:00+00:00",
        "seconds": 3.2,
        "machine": machine,
        "tables": [{"title": "How fast", "columns": ["batch", "events/s"], "rows": [["1", "2"]]}],
        "figures": [figure],
        "notes": ["A note."],
    }
    results.write_text(json.dumps({"door": found}))
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.render(results, document)
    once = document.read_text()
    report.render(results, document)
    assert document.read_text() == once
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "old" not in once
    assert "| speed | ≥ 1 | 2 | ✓ |" in once
    assert "| 1 | 2 |" in once
    assert "2 cores (a processor), 8 GB, Python 3.11.9, PostgreSQL 18.4" in once


def run_tiny(name: str, folder: Path) -> dict:  # type: ignore[type-arg]
    results = folder / "results.json"
    start(name, "--tiny", "--results", str(results))
    found: dict = json.loads(results.read_text())[name]  # type: ignore[type-arg]
    return found


def start(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(run.HERE / f"bench_{name}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
