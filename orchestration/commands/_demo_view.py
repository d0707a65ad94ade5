"""What a person sees of the demo: where it is, the scorecard, and where to look next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from shlex import quote

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration.commands._fault_view import faults_table, verdict
from orchestration.demo import DAYS, STARTS_AT, TAIL_DAYS, DemoRun, Say
from orchestration.demo_spike import SpikeStory
from orchestration.scorecard import Scorecard


@contextmanager
def progress(quiet: bool) -> Iterator[Say]:
    """A bar over the simulated week; plain lines where nobody looks at a terminal."""
    if quiet:
        said: set[str] = set()

        def note(words: str, at: datetime | None) -> None:
            line = words if at is None else f"{words} · {at:%a %d %b}"
            if line not in said:
                said.add(line)
                sys.stderr.write(f"{line}\n")

        yield note
        return
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[day]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        total = (DAYS + TAIL_DAYS) * 24.0
        task = bar.add_task("starting", total=total, day="")

        def say(words: str, at: datetime | None) -> None:
            if at is None:
                bar.update(task, description=words)
            else:
                hours = (at - STARTS_AT).total_seconds() / 3600
                bar.update(task, description=words, completed=hours, day=f"{at:%a %d %b %H:%M}")

        yield say


def show(run: DemoRun, card: Scorecard, seconds: float) -> None:
    """The scorecard and where to look next, on standard output."""
    console = Console()
    console.print(
        Panel(
            Group(trade(card), "", _trust(card)),
            title=f"A trading week in {seconds:.0f} s",
            title_align="left",
        )
    )
    for case in card.gate_cases:
        console.print(f"[red]case of a data gate[/] {case}")
    if card.faults is not None:
        console.print(
            Panel(
                Group(faults_table(card.faults), "", verdict(card.faults)),
                title="What went wrong on purpose, and what was made of it",
                title_align="left",
            )
        )
    console.print(_spike(run.spike))
    for held in card.marts_held:
        console.print(f"[red]held by its gate[/] {held}")
    console.print(_next_steps(run.home.path))


def _table() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", min_width=26)
    table.add_column(justify="right", min_width=12)
    table.add_column(style="dim")
    return table


def trade(card: Scorecard) -> Table:
    """What was sold and promised, and what became of it."""
    table = _table()
    kept, broken = card.promises.get("kept", 0), card.promises.get("broken", 0)
    table.add_row("orders", f"{card.orders:,}", f"{card.order_lines:,} lines")
    for status, count in sorted(card.statuses.items(), key=lambda entry: -entry[1]):
        table.add_row(f"  {status.replace('_', ' ')}", f"{count:,}", "")
    ordered = f"{card.units_reserved:,} of {card.units_ordered:,}"
    table.add_row("units found in stock", f"{card.fill_rate:.1%}", ordered)
    table.add_row("shipments", f"{card.shipments:,}", "")
    share = kept / (kept + broken) if kept + broken else 1.0
    table.add_row("promises kept", f"{share:.1%}", f"{broken:,} late or not in full")
    moved = f"{card.promises_kept_as_moved:,} kept as moved"
    table.add_row("  moved to a later day", f"{card.promises_moved:,}", moved)
    supplied = f"{card.units_supplied:,} served from supply"
    table.add_row("units backordered", f"{card.units_backordered:,}", supplied)
    table.add_row("revenue, net of tax", f"£{Decimal(card.revenue):,.2f}", "")
    return table


def _trust(card: Scorecard) -> Table:
    balanced = "all balanced" if card.invariants.get("M1") else "[red]not all balanced"
    table = _table()
    table.add_row("events in", f"{card.events_in:,}", "signed webhooks")
    table.add_row("  applied", f"{card.events_applied:,}", "")
    table.add_row("  duplicates absorbed", f"{card.events_duplicate:,}", "")
    table.add_row(
        "  waiting, quarantined", f"{card.events_waiting + card.events_quarantined:,}", ""
    )
    table.add_row(
        "commands delivered", f"{card.commands_delivered:,}", f"{card.commands_open} open"
    )
    table.add_row("journal entries", f"{card.journal_entries:,}", balanced)
    holding = sum(card.invariants.values())
    verdict = "" if holding == len(card.invariants) else "[red]see `omniflow invariants`"
    table.add_row("invariants holding", f"{holding} of {len(card.invariants)}", verdict)
    table.add_row("marts published", f"{len(card.marts)}", ", ".join(sorted(card.marts)))
    cases = sum(count for _, _, count in card.cases)
    table.add_row("exception cases", f"{cases:,}", "each with an owner")
    for kind, owner, count in card.cases:
        table.add_row(f"  {kind.replace('_', ' ')}", f"{count:,}", f"for {owner}")
    return table


def _spike(story: SpikeStory) -> Panel:
    """What was asked for more than usual, and how it came to goods on the shelf."""
    table = _table()
    spike = story.spike
    if spike is None:
        table.add_row("nothing was seen", "", "")
    else:
        share = f"{spike.seen_share:.0%} of orders"
        usual = f"usually {spike.usual_share:.0%}; {spike.region}, after {spike.lines_seen} lines"
        table.add_row(f"{spike.product_class.replace('_', ' ')} asked for", share, usual)
    for step in story.steps:
        worth = f"{step.currency_code} {Decimal(step.amount):,.2f}"
        ordered = f"{step.ordered_quantity:,} units of {step.sku_count} SKUs for {step.node_id}"
        table.add_row(f"proposed of {step.supplier_id}", worth, ordered)
        table.add_row("  consented to", "", f"by {step.decided_by or 'nobody yet'}")
        table.add_row("  ordered", "", f"as {step.purchase_order_id or 'nothing yet'}")
        if step.labour_minutes is not None:
            hours = f"{step.labour_minutes / 60:.1f} hours' work"
            when = f"{step.starts_at:%a %d %b %H:%M} UTC, {hours}"
            table.add_row("  unloaded at", f"dock {step.dock_number}", when)
        lines = "line" if step.held_lines == 1 else "lines"
        held = f"{step.held_lines} {lines} held" if step.held_lines else "nothing held"
        charged = f"invoiced, {held}" if step.invoices else "not invoiced yet"
        table.add_row("  units received", f"{step.received_quantity:,}", charged)
    title = "A region's spike, from the first orders to the shelf"
    return Panel(table, title=title, title_align="left")


def _next_steps(home: Path) -> Panel:
    try:
        shown = home.relative_to(Path.cwd())
    except ValueError:
        shown = home
    steps = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    steps.add_column(style="cyan", overflow="fold", min_width=44)
    steps.add_column(style="dim")
    steps.add_row(f"export OMNIFLOW_HOME={quote(str(shown))}", "the home of this week")
    for command, words in (
        ("up", "Dagster and the gateway"),
        ("marts show order_cycle_times", "how long orders took"),
        ("marts show stock_cover", "how long stock lasts"),
        ("invariants", "what must hold, and does"),
        ("score", "what went wrong, and was seen"),
        ("down", "stop everything"),
    ):
        steps.add_row(f".venv/bin/omniflow {command}", words)
    return Panel(steps, title="Where to look next", title_align="left")
