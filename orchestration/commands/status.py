"""`omniflow status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestration.commands._opening import Json, existing_home, report

if TYPE_CHECKING:
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
        _print(found)
    raise typer.Exit(0 if found.healthy else 1)


def _print(found: Status) -> None:
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
    for partner in found.partners:
        if partner["breaker"] != "closed":
            console.print(f"partner {partner['partner']}: breaker {partner['breaker']}")
    for problem in found.problems:
        console.print(f"problem: {problem}", highlight=False)
