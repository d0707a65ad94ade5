"""`omniflow holds list`, `omniflow holds release` and `omniflow holds cancel`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting
from orchestration.commands._opening import Json, report
from orchestration.commands._reading import report_list, show_first, stored


class Action(StrEnum):
    """What to do about orders that are held for suspected fraud."""

    LIST = "list"
    RELEASE = "release"
    CANCEL = "cancel"


def command(
    action: Annotated[Action, typer.Argument(help="list what is held, release one, cancel one.")],
    order: Annotated[str, typer.Argument(help="The order's number.")] = "",
    json: Json = False,
    channel: Annotated[
        str | None, typer.Option("--channel", help="Of two orders of one number, whose.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
    name: As = None,
) -> None:
    """List orders whose payment is held for suspected fraud, or decide about one.

    A decision is an event: it passes the door, and its flow applies it when it next looks. Above
    the amount that the policy `approvals` names it waits there for somebody else's consent.
    """
    if action is Action.LIST:
        _list(json)
    else:
        _decide(action, order, channel, reason, name, json)


def _list(json: bool) -> None:
    from resources.operational_store.holds import SHOWN, held_orders

    with stored() as connection:
        rows = held_orders(connection)
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing is held")
    else:
        show_first(rows, SHOWN)


def _decide(
    action: Action, order: str, channel: str | None, reason: str, name: str | None, json: bool
) -> None:
    import msgspec

    from assets.approvals.service import request
    from assets.contracts.order import OrderHoldDecided
    from assets.errors import BadInput
    from resources.operational_store.holds import request_for

    if not order or not reason:
        raise BadInput(f"say which order and why: holds {action} NUMBER --reason WHY")
    said = {"order_number": order, "decision": str(action), "reason": reason}
    with acting(name, f"holds.{action}", order, {"channel": channel, "reason": reason}) as act:
        try:
            decision = msgspec.convert(
                {**said, "decided_by": act.person.person_id}, OrderHoldDecided
            )
        except msgspec.ValidationError as error:
            raise BadInput(str(error)) from error
        asked = request_for(act.connection, decision, channel)
        waiting = request([asked], act.unit_of_work).get(asked.subject_key)
        outcome = "accepted" if waiting is None else "waits for approval"
        act.detail["outcome"] = outcome
    approval_id = None if waiting is None else waiting.approval_id
    if json:
        report({**said, "outcome": outcome, "approval_id": approval_id})
    elif approval_id is None:
        typer.echo(f"order {order}: {action} is accepted")
    else:
        typer.echo(f"order {order}: {action} waits for approval {approval_id[:8]}")
