"""`omniflow quarantine list` and `omniflow quarantine replay`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import report_list, show, stored

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
SHOWN = 50


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
        show(rows[:SHOWN], COLUMNS)
        if len(rows) > SHOWN:
            typer.echo(f"the first {SHOWN} of {len(rows)}; --json lists all")


def _replay(ids: list[int], everything: bool, json: bool) -> None:
    import sqlalchemy as sa

    from assets.errors import BadInput
    from resources.operational_store.door import Door

    if bool(ids) == everything:
        raise BadInput("say which: --id NUMBER, once or more often, or --all")
    with stored() as connection:
        open_ones = connection.execute(
            sa.text("select quarantine_id from quarantined_event where status = 'open' order by 1")
        )
        known: list[int] = [row.quarantine_id for row in open_ones]
        strangers = sorted(set(ids) - set(known))
        if strangers:
            raise BadInput(f"not open in quarantine: {', '.join(map(str, strangers))}")
        receipts = Door().replay_quarantined(connection, ids or known)
    rows: list[dict[str, Any]] = [
        {
            "quarantine_id": quarantine_id,
            "outcome": receipt.outcome,
            "event_id": receipt.event_id,
            "reason_code": receipt.reason_code,
            "reason": receipt.reason,
        }
        for quarantine_id, receipt in sorted(receipts.items())
    ]
    came_in = sum(row["outcome"] in {"accepted", "duplicate"} for row in rows)
    if json:
        report({"replayed": came_in, "refused": len(rows) - came_in, "results": rows})
    else:
        if rows:
            show(rows, ("quarantine_id", "outcome", "event_id", "reason_code", "reason"))
        typer.echo(f"{came_in} came in, {len(rows) - came_in} stay in quarantine")
    if rows and not came_in:
        raise typer.Exit(1)
