"""`omniflow quarantine list` and `omniflow quarantine replay`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import report_list, show, show_first, stored

COLUMNS = (
    "quarantine_id",
    "status",
    "source",
    "event_type",
    "event_id",
    "reason_code",
    "reason",
    "position",
)


#: In a narrow terminal; the code and the event's id are in the reason, or say less than it.
SUMMARY = ("id", "status", "source", "reason", "position")


class Action(StrEnum):
    """What to do with what is in quarantine."""

    LIST = "list"
    REPLAY = "replay"


def command(
    action: Annotated[Action, typer.Argument(help="list what is there, or replay it.")],
    json: Json = False,
    ids: Annotated[
        list[int] | None, typer.Option("--id", help="One to replay; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay all that is open.")] = False,
) -> None:
    """List what was refused, with reason and position, or submit it to the door again.

    A replay helps after a contract or a source was put right; what is still wrong stays, and the
    exit status is 1 when nothing came in.
    """
    if action is Action.LIST:
        _list(json)
    else:
        _replay(ids or [], everything, json)


def _list(json: bool) -> None:
    import sqlalchemy as sa

    with stored() as connection:
        # Never the body: it may hold a person's data.
        found = connection.execute(
            sa.text(
                f"select {', '.join(COLUMNS)}, recorded_at from quarantined_event"
                " order by quarantine_id"
            )
        )
        rows = [dict(row) for row in found.mappings()]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing is in quarantine")
    else:
        named = [{**row, "id": row["quarantine_id"]} for row in rows]
        show_first(named, ("id", *COLUMNS[1:]), SUMMARY, text="reason")


def _replay(ids: list[int], everything: bool, json: bool) -> None:
    from assets.errors import BadInput
    from resources.operational_store.store import read_clock
    from resources.operational_store.trying_again import judge_again

    if bool(ids) == everything:
        raise BadInput("say which: --id NUMBER, once or more often, or --all")
    with stored() as connection:
        judged = judge_again(connection, ids)
        clock = read_clock(connection)
    came_in = sum(one.came_in for one in judged)
    rows = [asdict(one) for one in judged]
    if json:
        report({"replayed": came_in, "refused": len(rows) - came_in, "results": rows})
    else:
        if rows:
            show(rows, ("quarantine_id", "outcome", "event_id", "reason_code", "reason"))
        typer.echo(f"{came_in} came in, {len(rows) - came_in} stay in quarantine")
        if came_in and clock is not None and clock[0] == "simulated":
            typer.echo("time in this home is simulated: they are applied by its next replay")
    if rows and not came_in:
        raise typer.Exit(1)
