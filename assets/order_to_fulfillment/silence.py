"""Parcels of which their carrier says nothing: a person asks after them until they are there."""

from __future__ import annotations

from assets.commerce.calendar import start_of_day, trading_date
from assets.order_to_fulfillment.rules import first_day_in_time
from assets.order_to_fulfillment.writes import Writes
from assets.ports import Case, CaseType, OrderView


def report(writes: Writes) -> int:
    """Open a case for each parcel that is under way for too long; gives how many.

    A parcel has one such case in its life: who closed it knows that the carrier is silent.
    """
    unit_of_work = writes.unit_of_work
    deadlines = {}
    for region, brand in unit_of_work.orders.scopes_under_way():
        policy = writes.policy(region, brand)
        today = trading_date(unit_of_work.effective_at, policy.trading_zone)
        first = first_day_in_time(today, policy.silence_days(region))
        deadlines[region, brand] = start_of_day(first, policy.trading_zone)
    overdue = unit_of_work.orders.under_way_since(deadlines, CaseType.CARRIER_SILENCE)
    unit_of_work.open_cases(
        Case(
            CaseType.CARRIER_SILENCE,
            parcel.key,
            f"{parcel.carrier} has said nothing of it since {parcel.dispatched_at:%Y-%m-%d}",
            parcel.about,
        )
        for parcel in overdue
    )
    return len(overdue)


def end(order: OrderView, shipment_number: str, writes: Writes) -> None:
    """The parcel is there: whoever was asked to look for it need not."""
    key = parcel_key(order.channel, order.order_number, shipment_number)
    writes.close_case(CaseType.CARRIER_SILENCE, key, "the parcel was delivered")


def parcel_key(channel: str, order_number: str, shipment_number: str) -> str:
    """How people name one parcel; a shipment number alone is its order's only."""
    return f"{channel}/{order_number}/{shipment_number}"
