"""`omniflow waiting list`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._opening import Json
from orchestration.commands._reading import report_list, show_first, stored

COLUMNS = (
    "waiting_reason",
    "release_condition",
    "business_key",
    "event_type",
    "source",
    "event_id",
    "waiting_since",
)
#: Whose it is, what it waits for and since when: what a person does something about.
SUMMARY = ("business_key", "release_condition", "waiting_since", "waiting_reason", "event_type")


class Action(StrEnum):
    """What to do with the events that wait."""

    LIST = "list"


def command(
    _: Annotated[
        Action, typer.Argument(metavar="list", help="The one thing there is to do.")
    ] = Action.LIST,
    json: Json = False,
) -> None:
    """List the events that wait: why, for what, whose, and since when."""
    import sqlalchemy as sa

    with stored() as connection:
        found = connection.execute(
            sa.text(
                """
                select
                    waiting_reason, release_condition, subject as business_key, event_type,
                    source, event_id, waiting_since
                from event_inbox
                where status = 'waiting'
                order by waiting_reason, release_condition, waiting_since, source, event_id
                """
            )
        )
        rows = [dict(row) for row in found.mappings()]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing waits")
    else:
        show_first(rows, COLUMNS, SUMMARY)
