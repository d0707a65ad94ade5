"""What a person is told of a replay: every figure says what it counts."""

from __future__ import annotations

import pytest

from orchestration.commands._replay_view import show
from orchestration.replay_report import Report

WEEK = Report(
    events_in=900,
    applied=860,
    quarantined=5,
    duplicates=10,
    waiting=25,
    orders=300,
    order_lines=700,
    returns_waiting=260,
    waiting_in_home=285,
)


def test_files_this_run_and_the_home_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    show(WEEK)
    under: dict[str, dict[str, str]] = {}
    figures: dict[str, str] = {}
    for line in capsys.readouterr().out.splitlines():
        label, _, value = line.strip("│┃ ").partition("│")
        if "│" in line and value.strip():
            figures[label.strip()] = value.strip()
        elif "│" in line:
            figures = under.setdefault(label.strip(), {})
    assert list(under) == [
        "in the files",
        "events of this run, partners' answers too",
        "done by this run",
        "in the home now, of all runs",
    ]
    assert under["in the files"]["returns, which wait for their flow"] == "260"
    run = under["events of this run, partners' answers too"]
    assert (run["in"], run["waiting more than before"]) == ("900", "25")
    assert under["in the home now, of all runs"] == {"events waiting": "285"}
