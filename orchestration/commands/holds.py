"""`omniflow holds list`, `omniflow holds release` and `omniflow holds cancel`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

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
    by: Annotated[str, typer.Option("--by", help="Who decides; kept with the decision.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
) -> None:
    """List orders whose payment is held for suspected fraud, or decide about one.

    A decision is an event: it passes the door, and its flow applies it when it next looks.
    """
    if action is Action.LIST:
        _list(json)
    else:
        _decide(action, order, channel, by, reason, json)


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
    action: Action, order: str, channel: str | None, by: str, reason: str, json: bool
) -> None:
    import msgspec

    from assets.contracts.order import OrderHoldDecided
    from assets.errors import BadInput
    from resources.operational_store.holds import decide

    if not order or not by or not reason:
        raise BadInput(f"say which order, who and why: holds {action} NUMBER --by WHO --reason WHY")
    said = {"order_number": order, "decision": str(action), "decided_by": by, "reason": reason}
    try:
        decision = msgspec.convert(said, OrderHoldDecided)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error
    with stored() as connection:
        receipt = decide(connection, decision, channel)
    if json:
        report({"order_number": order, "decision": str(action), "outcome": receipt.outcome})
    else:
        typer.echo(f"order {order}: {action} is {receipt.outcome}")
    if receipt.outcome != "accepted":
        raise typer.Exit(1)
