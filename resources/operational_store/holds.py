"""Orders held for suspected fraud, and what a person wants to be done about one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import sqlalchemy as sa

from assets.contracts.order import OrderHoldDecided
from assets.errors import BadInput
from assets.ports import ApprovalRequest, Outcome, TroubledCase
from assets.waiting_events import waiting_event

#: Who sends what people decide at a terminal.
SOURCE = "order_desk"
#: Who asks where a rule does.
PLAYBOOKS = "policy:playbooks"
#: What a decision is called where it needs consent.
SUBJECT_TYPES = {"release": "hold_release", "cancel": "order_cancellation"}

_HELD = """
select
    placed.channel, placed.order_number, state.payable_amount, placed.currency_code,
    held.held_at, state.expires_at, held.reason_code,
    placed.order_id, placed.legal_entity, placed.brand, placed.region, placed.correlation_id
from order_state as state
inner join order_placed as placed on state.order_id = placed.order_id
inner join lateral (
    select max(occurred_at) as held_at, max(reason_code) as reason_code
    from payment_screened as screened
    where screened.order_id = state.order_id and screened.outcome = 'held'
) as held on true
where state.status = 'held'
order by state.expires_at, placed.channel, placed.order_number
"""
SHOWN = (
    "channel",
    "order_number",
    "payable_amount",
    "currency_code",
    "held_at",
    "expires_at",
    "reason_code",
)


def held_orders(connection: sa.Connection) -> list[dict[str, Any]]:
    """Orders that wait for somebody's decision, the first to end first."""
    return [{name: row[name] for name in SHOWN} for row in _held(connection)]


class Asking(Protocol):
    """A transaction in which people can be asked for consent."""

    @property
    def connection(self) -> sa.Connection:
        """Where it is."""

    def request_approvals(self, requests: Iterable[ApprovalRequest]) -> None:
        """Ask."""


def release_stock(cases: Sequence[TroubledCase], unit_of_work: Asking) -> dict[str, Outcome]:
    """Ask for the cancellation of held orders that nobody has decided about, which frees stock.

    What needs no consent is cancelled at once; whatever does waits for people, as always.
    """
    came = {case.case_id: Outcome.NOTHING_TO_DO for case in cases}
    held = _held(unit_of_work.connection)
    requests = []
    for case in cases:
        number = case.business_key.partition("/")[2]
        decision = OrderHoldDecided(
            order_number=number, decision="cancel", decided_by=PLAYBOOKS, reason="nobody decided"
        )
        with suppress(BadInput):
            requests.append(_request_for(held, decision, case.channel))
            came[case.case_id] = Outcome.DONE
    unit_of_work.request_approvals(requests)
    return came


def request_for(
    connection: sa.Connection, decision: OrderHoldDecided, channel: str | None = None
) -> ApprovalRequest:
    """What a person wants to be done about a held order, as something to be consented to.

    Raises:
        BadInput: If no such order is held, or two channels have one of that number.
    """
    return _request_for(_held(connection), decision, channel)


def _held(connection: sa.Connection) -> Sequence[Mapping[str, Any]]:
    return connection.execute(sa.text(_HELD)).mappings().all()  # type: ignore[return-value]


def _request_for(
    held: Sequence[Mapping[str, Any]], decision: OrderHoldDecided, channel: str | None
) -> ApprovalRequest:
    found = [
        row
        for row in held
        if row["order_number"] == decision.order_number and channel in (None, row["channel"])
    ]
    if not found:
        raise BadInput(f"no order {decision.order_number} is held")
    if len(found) > 1:
        channels = ", ".join(row["channel"] for row in found)
        raise BadInput(f"order {decision.order_number} is held in {channels}; say which")
    (order,) = found
    amount = f"{order['payable_amount']} {order['currency_code']}"
    return ApprovalRequest(
        subject_type=SUBJECT_TYPES[decision.decision],
        subject_key=f"{order['channel']}/{order['order_number']}",
        summary=f"{decision.decision} order {order['order_number']} of {amount}: {decision.reason}",
        source=SOURCE,
        event=waiting_event("retail.order.hold_decided.v1", decision.order_number, order, decision),
        amount=int(order["payable_amount"] * 10_000),
        currency_code=order["currency_code"],
        region=order["region"],
        brand=order["brand"],
        requested_by=decision.decided_by,
    )
