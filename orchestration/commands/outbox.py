"""`omniflow outbox list` and `omniflow outbox retry`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestration.commands._opening import Json, counted, report
from orchestration.commands._reading import report_list, show_first, stored


class Action(StrEnum):
    """What to do with the commands that no partner has taken yet."""

    LIST = "list"
    RETRY = "retry"


def command(
    action: Annotated[Action, typer.Argument(help="list what is not delivered, or retry it.")],
    name: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The dead command to retry.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option(help="Retry all dead commands of this partner.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="List only what was given up.")] = False,
    json: Json = False,
) -> None:
    """List the commands that no partner has taken yet, or send again what was given up.

    A retry keeps the command's idempotency key; its case is closed when it is delivered.
    """
    from assets.errors import BadInput
    from resources.operational_store import trying_again

    if action is Action.RETRY:
        if dead:
            raise BadInput("--dead is for `omniflow outbox list`; only what is dead is retried")
        with stored() as connection:
            rows = trying_again.send_again(connection, name, partner)
        if json:
            report({"retried": len(rows), "commands": rows})
        else:
            sent = counted(len(rows), "command is sent", "commands are sent")
            typer.echo(f"{sent} again, under the same idempotency key")
        return
    if name is not None or partner is not None:
        raise BadInput("an id and --partner are for `omniflow outbox retry`")
    with stored() as connection:
        rows = trying_again.undelivered(connection, only_dead=dead)
    if json:
        report_list(rows)
    else:
        _print(rows, "nothing is dead" if dead else "everything is delivered")


def _print(rows: list[dict[str, Any]], nothing: str) -> None:
    if not rows:
        typer.echo(nothing)
        return
    named = [
        {
            "id": row["outbox_sequence"],
            "status": row["status"],
            "partner": row["partner"],
            "command": row["command_type"],
            "key": row["business_key"],
            "tries": row["attempts"],
            "error": row["last_error"],
        }
        for row in rows
    ]
    summary = ("id", "status", "partner", "command", "tries", "error", "key")
    show_first(named, tuple(named[0]), summary, text="error")
