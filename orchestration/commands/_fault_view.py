"""What a person sees of a fault score."""

from __future__ import annotations

from rich.table import Table

from orchestration.fault_score import FaultScore


def faults_table(score: FaultScore) -> Table:
    """One row per kind of fault."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("fault", style="bold", min_width=26)
    for name in ("injected", "as expected", "missed"):
        table.add_column(name, justify="right")
    for kind in score.kinds:
        missed = f"[red]{kind.missed:,}" if kind.missed else "0"
        name = kind.kind.replace("_", " ")
        table.add_row(name, f"{kind.injected:,}", f"{kind.as_expected:,}", missed)
    return table


def verdict(score: FaultScore) -> Table:
    """Misses by name and false alarms by what they are, under the totals."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", min_width=26)
    table.add_column(justify="right", min_width=12)
    table.add_column(style="dim")
    met = score.injected - len(score.misses)
    table.add_row("faults met as expected", f"{met:,}", f"of {score.injected:,}")
    share = score.false_alarm_count / score.orders if score.orders else 0.0
    table.add_row("false alarms", f"{score.false_alarm_count:,}", f"{share:.2%} of orders")
    for what, count in score.false_alarms:
        table.add_row(f"  {what.replace('_', ' ')}", f"{count:,}", "")
    for miss in score.misses:
        table.add_row(f"[red]missed[/] {miss.kind}", "", f"{miss.business_key}: {miss.found}")
    return table
