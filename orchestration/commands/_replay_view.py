"""What a person sees of a replay: a line that moves, then a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration.replay import Moment, Report, Watch


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


def show(report: Report) -> None:
    """The totals of a replay, as a table on standard output."""
    console = Console()
    table = Table(title="Replay", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    for label, value in (
        ("events in", report.events_in),
        ("applied", report.applied),
        ("quarantined", report.quarantined),
        ("duplicates", report.duplicates),
        ("waiting", report.waiting),
        ("orders", report.orders),
        ("order lines", report.order_lines),
        ("returns waiting for their flow", report.returns_waiting),
        ("commands delivered", report.commands_delivered),
        ("cases opened", report.cases_opened),
    ):
        table.add_row(label, f"{value:,}")
    table.add_row("decision window", _hours(timedelta(seconds=report.quantum_seconds)))
    table.add_row("input rows per second", f"{report.rows_per_second:,.0f}")
    table.add_row("seconds", f"{report.seconds:,.1f}")
    table.add_row("peak memory of a process", f"{report.peak_mb:,.0f} MB")
    console.print(table)
    for name, reason in report.files_refused.items():
        console.print(f"[yellow]not taken[/] {name}: {reason}")
    for case in report.gate_cases:
        console.print(f"[yellow]case of a data gate[/] {case}")
    for mart in report.marts_held:
        console.print(f"[yellow]held by its gate[/] {mart}")
