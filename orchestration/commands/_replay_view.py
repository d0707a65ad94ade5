"""What a person sees of a replay: a line that moves, then a table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration.commands.replenishment import in_words
from orchestration.replay_report import Moment, Report, Watch


@contextmanager
def watching(window: timedelta) -> Iterator[Watch]:
    """Show where a replay is while it runs."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting")
        began = time.perf_counter()

        def watch(moment: Moment) -> None:
            words = moment.phase
            if moment.simulated is not None:
                words += f" · {moment.simulated:%Y-%m-%d}, windows of {_hours(window)}"
            if moment.rows:
                speed = moment.rows / (time.perf_counter() - began)
                words += f" · {moment.rows:,} rows · {speed:,.0f} rows/s"
            progress.update(task, description=words)

        yield watch


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} h"


def _figures(report: Report) -> dict[str, dict[str, str]]:
    """What is counted where: a file's return waits for its flow, whichever run brought it in."""
    return {
        "in the files": {
            "orders": f"{report.orders:,}",
            "order lines": f"{report.order_lines:,}",
            "returns, which wait for their flow": f"{report.returns_waiting:,}",
        },
        "events of this run, partners' answers too": {
            "in": f"{report.events_in:,}",
            "applied": f"{report.applied:,}",
            "quarantined": f"{report.quarantined:,}",
            "duplicates": f"{report.duplicates:,}",
            "waiting more than before": f"{report.waiting:,}",
        },
        "done by this run": {
            "commands delivered": f"{report.commands_delivered:,}",
            "cases opened": f"{report.cases_opened:,}",
            "decision window": _hours(timedelta(seconds=report.quantum_seconds)),
            "input rows per second": f"{report.rows_per_second:,.0f}",
            "seconds": f"{report.seconds:,.1f}",
            "peak memory of a process": f"{report.peak_mb:,.0f} MB",
        },
        **_replenishment(report.replenishment),
        "in the home now, of all runs": {
            "events waiting": f"{report.waiting_in_home:,}",
        },
    }


def _replenishment(planned: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    if not planned:
        return {}
    labels = {
        "series": "SKUs forecast, by region",
        "proposals": "SKUs to be ordered, by place",
        "requisitions": "in requisitions",
        "waiting": "of them wait for consent",
        "transfers": "transfers first",
        "without_supplier": "that nobody may be asked for",
        "not_orderable": "that cannot be ordered as they are sold",
    }
    return {
        "replenishment, planned at the end": {
            label: f"{planned[name]:,}" for name, label in labels.items()
        }
    }


def _ways(ways: Sequence[Mapping[str, Any]]) -> Table:
    """What the policy would have been worth on the demand that was."""
    shown = [in_words(way) for way in ways]
    title = "The same demand, met by other ways of ordering"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in shown[0]:
        is_way = name == "way"
        table.add_column(
            name.replace("_", " "), justify="left" if is_way else "right", no_wrap=is_way
        )
    for way in shown:
        table.add_row(*way.values())
    return table


def show(report: Report) -> None:
    """The totals of a replay, as a table on standard output."""
    console = Console()
    table = Table(title="Replay", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    for heading, figures in _figures(report).items():
        table.add_row(f"[dim]{heading}", "")
        for label, value in figures.items():
            table.add_row(f"  {label}", value)
        table.add_section()
    console.print(table)
    if report.ways_of_ordering:
        console.print(_ways(report.ways_of_ordering))
    for name, reason in report.files_refused.items():
        console.print(f"[yellow]not taken[/] {name}: {reason}")
    for case in report.gate_cases:
        console.print(f"[yellow]case of a data gate[/] {case}")
    for mart in report.marts_held:
        console.print(f"[yellow]held by its gate[/] {mart}")
