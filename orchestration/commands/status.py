"""`omniflow status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestration.commands._opening import Json, existing_home, report

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.status import Status


def command(json: Json = False) -> None:
    """Say how every process, the database and the queues are; exit 1 unless all is well."""
    from orchestration import status
    from orchestration.environment import Environment

    home = existing_home()
    if home is None:
        where = Environment.read().home
        if json:
            report({"home": str(where), "healthy": False, "services": []})
        else:
            typer.echo(f"there is no home at {where} yet; `omniflow up` makes one")
        raise typer.Exit(1)
    found = status.of(home)
    if json:
        report(found.as_json())
    else:
        print_status(found)
    raise typer.Exit(0 if found.healthy else 1)


def print_status(found: Status) -> None:
    """One look at a home, for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False)
    for column in ("process", "state", "pid", "restarts", "address"):
        table.add_column(column)
    state = "healthy" if found.database_reachable else "down"
    table.add_row("database", state, "", "", found.database)
    supervisor = "healthy" if found.supervisor_pid else "down"
    table.add_row("supervisor", supervisor, str(found.supervisor_pid or ""), "", "")
    for entry in found.services:
        cells = (entry.name, entry.state, str(entry.pid or ""), str(entry.restarts))
        table.add_row(*cells, entry.address or "")
    console.print(table)
    for name, backlog in (("inbox", found.inbox), ("outbox", found.outbox)):
        if backlog:
            words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in backlog.items())
            console.print(f"{name}: {words}", highlight=False)
    _print_partners(found, console)
    for problem in found.problems:
        console.print(f"problem: {problem}", highlight=False)


def _print_partners(found: Status, console: Console) -> None:
    away = [partner for partner in found.partners if partner["is_away"]]
    for partner in away:
        if not partner["is_sandbox"]:
            reason = f", {partner['last_error']}" if partner["last_error"] else ""
            words = f"partner {partner['partner']} is away: breaker {partner['breaker']}{reason}"
            console.print(words, highlight=False, markup=False)
    sandbox = [str(partner["partner"]) for partner in away if partner["is_sandbox"]]
    if sandbox:
        console.print(
            f"partners away: {', '.join(sandbox)}; the sandbox plays them, which runs only while a"
            " replay or a demo does, and commands to them wait",
            highlight=False,
        )
