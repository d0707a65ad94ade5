"""`omniflow exceptions list` and `omniflow exceptions resolve`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestration.commands._opening import Json, counted, report
from orchestration.commands._reading import report_list, show_first, stored


class Action(StrEnum):
    """What to do with what needs a person."""

    LIST = "list"
    RESOLVE = "resolve"


def command(
    action: Annotated[Action, typer.Argument(help="list the cases, or resolve one.")],
    case: Annotated[
        str | None, typer.Argument(metavar="[CASE_ID]", help="The case, or how its id begins.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="What was found out or done; kept with the case.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List closed cases as well.")] = False,
    json: Json = False,
) -> None:
    """List what needs a person, or close a case with the reason; what waits for it goes on."""
    from assets.errors import BadInput
    from resources.operational_store import operators

    if action is Action.LIST:
        if case is not None or reason is not None:
            raise BadInput("a case and --reason are for `omniflow exceptions resolve`")
        with stored() as connection:
            rows = operators.cases(connection, with_closed=everything)
        if json:
            report_list(rows)
        else:
            _print(rows)
        return
    if case is None or reason is None:
        raise BadInput("say which and why: omniflow exceptions resolve CASE_ID --reason TEXT")
    with stored() as connection:
        resolved = operators.resolve(connection, case, reason)
    if json:
        report(resolved)
    else:
        going_on = counted(resolved["released"], "event goes on", "events go on")
        typer.echo(f"closed {resolved['case_id']}; {going_on}")


def _print(rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo("no case is open")
        return
    named = [
        {
            "case": str(row["case_id"])[:8],
            "status": row["status"],
            "owner": row["owner"],
            "type": row["type"],
            "count": row["count"],
            "opened_at": row["opened_at"],
            "reason": f"{row['business_key']}: {row['resolution'] or row['reason']}",
        }
        for row in rows
    ]
    summary = ("case", "type", "reason", "owner", "count", "status")
    show_first(named, tuple(named[0]), summary, text="reason")
