"""What playbooks do about this flow's cases without a person, as `assets.ports.Remedy`.

A remedy looks at the order as it is now: what was cured in the meantime needs nothing any more.
What it asks a partner for happens at the time at which it was due, and under an id that follows
from the case, its cycle and the action's number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assets.commerce.money import to_text
from assets.order_to_fulfillment.allocating import reserve
from assets.order_to_fulfillment.promises import NODE_REJECTED, day_after, promise_later
from assets.order_to_fulfillment.resourcing import Wanted, source_again
from assets.order_to_fulfillment.rules import ENDED_BY_US
from assets.order_to_fulfillment.writes import Writes
from assets.ports import (
    AllocatedLine,
    CaseType,
    LostLine,
    OrderView,
    Outcome,
    Playbook,
    Remedy,
    TroubledCase,
    UnitOfWork,
)

#: States in which an order still holds reservations, so that lost ones can be made good.
_RESERVED = frozenset({"awaiting_payment", "screening", "held", "backordered"})


def retry_payment(cases: Sequence[TroubledCase], unit_of_work: UnitOfWork) -> dict[str, Outcome]:
    """Ask the provider again for the money of orders that still wait for it."""
    writes, came = _taken_up(cases, unit_of_work)
    for case, order in _orders(cases, writes):
        if order.status != "awaiting_payment":
            continue
        order.changed_at = case.due_at
        writes.send(
            "payment_provider",
            "payment.authorise",
            order,
            {
                "order_number": order.order_number,
                "amount": to_text(order.payable_amount),
                "currency": order.currency_code,
                "attempt": case.action_number + 1,
                "occasion": case.occasion,
            },
            discriminator=case.occasion,
            owner="payments",
        )
        came[case.case_id] = Outcome.DONE
    writes.flush()
    return came


def tell_customer(cases: Sequence[TroubledCase], unit_of_work: UnitOfWork) -> dict[str, Outcome]:
    """Tell customers that we are looking into it, before they ask."""
    writes, came = _taken_up(cases, unit_of_work)
    for case, order in _orders(cases, writes):
        if order.status in ENDED_BY_US:
            continue
        order.changed_at = case.due_at
        writes.tell_customer(order, "being_looked_into", case.occasion, cause=case.case_type)
        came[case.case_id] = Outcome.DONE
    writes.flush()
    return came


def ask_supplier(cases: Sequence[TroubledCase], unit_of_work: UnitOfWork) -> dict[str, Outcome]:
    """Have the ERP ask when what an order waited for in vain will come.

    The answer is an announcement like any other, and moves what channels may promise.
    """
    writes, came = _taken_up(cases, unit_of_work)
    lapsed = unit_of_work.supply.lapsed_of_orders(list(writes.orders))
    for case, order in _orders(cases, writes):
        if order.order_id not in lapsed:
            continue
        order.changed_at = case.due_at
        writes.send(
            "erp",
            "supply.chase",
            order,
            {
                "order_number": order.order_number,
                "skus": lapsed[order.order_id],
                "occasion": case.occasion,
            },
            discriminator=case.occasion,
        )
        came[case.case_id] = Outcome.DONE
    writes.flush()
    return came


def re_source(cases: Sequence[TroubledCase], unit_of_work: UnitOfWork) -> dict[str, Outcome]:
    """Find elsewhere what an order was promised from a node that does not have it.

    All of a line or nothing; of bundles and pickups nothing, for which a person looks.
    """
    writes, came = _taken_up(cases, unit_of_work)
    writes.pickups.update(unit_of_work.pickups.of_orders(list(writes.orders)))
    bundled = unit_of_work.orders.bundles(list(writes.orders))
    lost = unit_of_work.stock.lost_to_shortage(list(writes.orders))
    wanted: dict[str, Wanted] = {}
    for case, order in _orders(cases, writes):
        number = int(case.business_key.rpartition("/")[2])
        line = lost.get((order.order_id, number))
        is_plain = order.order_id not in writes.pickups and order.order_id not in bundled
        if order.status in _RESERVED and is_plain and line is not None:
            wanted[case.case_id] = _wanted(case, order, number, line, writes)
    source_again(list(wanted.values()), CaseType.SHORTAGE_AFTER_COUNT, writes, keeps_failures=False)
    for case in cases:
        one = wanted.get(case.case_id)
        if one is not None and one.is_filled:
            _promise_from_elsewhere(case, one, writes)
            came[case.case_id] = Outcome.DONE
    writes.flush()
    return came


def _wanted(
    case: TroubledCase, order: OrderView, number: int, line: LostLine, writes: Writes
) -> Wanted:
    now = writes.unit_of_work.effective_at
    return Wanted(
        order,
        {number: AllocatedLine(line.sku, line.quantity, line.unit_price)},
        line.nodes,
        now,
        order.promised_date or day_after(order, now, writes),
        f"{case.occasion}/{case.business_key}",
    )


def _promise_from_elsewhere(case: TroubledCase, one: Wanted, writes: Writes) -> None:
    now = writes.unit_of_work.effective_at
    for reservation in one.given:
        reserve(reservation, one.order.expires_at or now, writes)
    if one.late_units:
        promise_later(one.order, day_after(one.order, now, writes), NODE_REJECTED, now, writes)
    nodes = ", ".join(sorted({reservation.node_id for reservation in one.given}))
    writes.close_case(case.case_type, case.business_key, f"promised from {nodes} instead")


def _taken_up(
    cases: Sequence[TroubledCase], unit_of_work: UnitOfWork
) -> tuple[Writes, dict[str, Outcome]]:
    """The orders of cases, locked, and that nothing was to be done about any of them so far."""
    writes = Writes(unit_of_work)
    ids = list(dict.fromkeys(case.order_id for case in cases if case.order_id is not None))
    writes.orders.update(unit_of_work.orders.lock(ids))
    writes.pools.load(unit_of_work.supply.pooled_of_orders(ids))
    return writes, {case.case_id: Outcome.NOTHING_TO_DO for case in cases}


def _orders(cases: Sequence[TroubledCase], writes: Writes) -> list[tuple[TroubledCase, OrderView]]:
    return [
        (case, writes.orders[case.order_id]) for case in cases if case.order_id in writes.orders
    ]


#: What each of this flow's playbooks does.
REMEDIES: Mapping[Playbook, Remedy] = {
    Playbook.ASK_SUPPLIER: ask_supplier,
    Playbook.CUSTOMER_MESSAGE: tell_customer,
    Playbook.RE_SOURCE: re_source,
    Playbook.RETRY_PAYMENT: retry_payment,
}
