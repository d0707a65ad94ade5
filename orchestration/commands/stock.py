"""`omniflow stock write-off` and `omniflow stock count`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting
from orchestration.commands._opening import Json, report


class Action(StrEnum):
    """What a person may post about stock."""

    WRITE_OFF = "write-off"
    COUNT = "count"


def command(
    action: Annotated[Action, typer.Argument(help="Take units off the books, or count a SKU.")],
    node: Annotated[str, typer.Argument(help="Where.")],
    sku: Annotated[str, typer.Argument(help="Of what.")],
    units: Annotated[int, typer.Argument(help="How many are gone, or are there.")],
    document: Annotated[
        str, typer.Option("--document", help="Number of the paper that says so; posted once.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="A code: damaged, stolen, expired, counted …")
    ] = "counted",
    json: Json = False,
    name: As = None,
) -> None:
    """Post a write-off or a count that no other system tells of.

    It is an event like any other: it passes the door, and its flow applies it when it next looks.
    Above the value that the policy `approvals` names it waits there for somebody else's consent. A
    count is true at the time at which it was posted, whenever that is consented to.
    """
    from assets.approvals.service import request
    from resources.operational_store.stock_posting import request_for

    detail = {"node": node, "sku": sku, "units": units, "reason": reason}
    with acting(name, f"stock.{action}", document, detail) as act:
        asked = request_for(
            act.unit_of_work,
            is_count=action is Action.COUNT,
            node=node,
            sku=sku,
            units=units,
            document=document,
            reason=reason,
            requested_by=act.person.person_id,
        )
        waiting = request([asked], act.unit_of_work).get(asked.subject_key)
        outcome = "accepted" if waiting is None else "waits for approval"
        act.detail["outcome"] = outcome
    approval_id = None if waiting is None else waiting.approval_id
    if json:
        report({**detail, "document": document, "outcome": outcome, "approval_id": approval_id})
    else:
        suffix = "" if approval_id is None else f" {approval_id[:8]}"
        typer.echo(f"{document}: {outcome}{suffix}")
