"""`omniflow quarantine list` and `omniflow quarantine replay`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

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


CAME_IN = frozenset({"accepted", "duplicate", "back_to_its_flow"})


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
    import sqlalchemy as sa

    from assets.errors import BadInput
    from resources.operational_store.door import Door
    from resources.operational_store.inbox import try_again
    from resources.operational_store.store import read_clock

    if bool(ids) == everything:
        raise BadInput("say which: --id NUMBER, once or more often, or --all")
    with stored() as connection:
        found = connection.execute(
            sa.text(
                """
                select
                    kept.quarantine_id, kept.event_id, kept.reason_code, kept.reason,
                    inbox.status is not distinct from 'quarantined'
                    and kept.reason_code <> 'id_conflict' as is_set_aside
                from quarantined_event as kept
                left join event_inbox as inbox
                    on kept.source = inbox.source and kept.event_id = inbox.event_id
                where kept.status = 'open'
                order by kept.quarantine_id
                """
            )
        )
        open_ones = {row.quarantine_id: row for row in found}
        strangers = sorted(set(ids) - set(open_ones))
        if strangers:
            raise BadInput(f"not open in quarantine: {', '.join(map(str, strangers))}")
        wanted = sorted(set(ids)) or list(open_ones)
        # What a flow set aside has passed the door already; it goes back to its flow.
        set_aside = {number for number in wanted if open_ones[number].is_set_aside}
        receipts = Door().replay_quarantined(connection, sorted({*wanted} - set_aside))
        try_again(connection, sorted(set_aside))
        clock = read_clock(connection)
    rows: list[dict[str, Any]] = []
    for number in wanted:
        said = receipts.get(number)
        # Neither judged nor given back: its body was too old, or went with a person's data.
        without = "back_to_its_flow" if number in set_aside else "body_removed"
        kept = open_ones[number]
        rows.append(
            {
                "quarantine_id": number,
                "outcome": said.outcome if said else without,
                "event_id": said.event_id if said else kept.event_id,
                "reason_code": said.reason_code if said else kept.reason_code,
                "reason": said.reason if said else kept.reason,
            }
        )
    came_in = sum(row["outcome"] in CAME_IN for row in rows)
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
