"""What the sandbox's stores and payment provider do with orders that customers collect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from resources.sandbox.answer_key import read
from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import (
    Told,
    command,
    configure,
    open_retailer,
    send,
    told,
)

LONDON = ZoneInfo("Europe/London")
THURSDAY = "2026-07-02T10:00:00Z"  # 11:00 in London
PROMISED = datetime.fromisoformat("2026-07-02T11:30:00+00:00")
LINES = [
    {"line_number": 1, "sku": "MUG", "quantity": 2},
    {"line_number": 2, "sku": "HAT", "quantity": 1},
]


@pytest.fixture
def retailer(tmp_path: Path) -> Iterator[Retailer]:
    retailer = open_retailer(tmp_path, nodes=[{"node_id": "leeds", "kind": "store"}])
    yield retailer
    retailer.close()


def preparation(key: str) -> dict[str, object]:
    payload = {
        "order_number": f"N-{key}",
        "fulfilment_order_id": key,
        "node_id": "leeds",
        "promised_ready_at": PROMISED.isoformat(),
        "lines": LINES,
    }
    return command("pickup.prepare", key, payload, THURSDAY)


def prepared(retailer: Retailer, count: int) -> dict[str, list[Told]]:
    """What the store said of each of so many orders, in its order."""
    send(retailer, "store", *(preparation(f"p-{number}") for number in range(count)))
    said: dict[str, list[Told]] = {}
    for event in told(retailer, "store"):
        said.setdefault(event.data.fulfilment_order_id, []).append(event)
    assert len(said) == count
    return said


def test_a_store_accepts_prepares_and_hands_over_during_opening_hours(retailer: Retailer) -> None:
    for events in prepared(retailer, 200).values():
        names = [event.name for event in events]
        assert names == [
            "fulfilment_accepted",
            "fulfilment_ready_for_pickup",
            "fulfilment_collected",
        ]
        accepted, ready, collected = (event.envelope.time for event in events)
        # Before we would take its silence for a refusal, and never a whole hour late.
        assert accepted <= PROMISED - timedelta(minutes=45)
        assert ready < PROMISED + timedelta(minutes=60)
        assert ready < collected < ready + timedelta(hours=96)
        assert 9 <= collected.astimezone(LONDON).hour < 18
        assert [(line.sku, line.quantity) for line in events[-1].data.lines] == [
            ("MUG", 2),
            ("HAT", 1),
        ]


def test_nobody_comes_for_the_share_that_was_asked_for(retailer: Retailer) -> None:
    configure(retailer, faults={"no_show": 0.25})
    said = prepared(retailer, 200)
    left = sum(events[-1].name == "fulfilment_ready_for_pickup" for events in said.values())
    assert 30 <= left <= 70


@pytest.mark.parametrize(
    ("least", "key", "expected"),
    [
        # What was authorised, which is what the customer owes.
        ("21.01", "p-0", "absorbed"),
        ("21.00", "b2b/N-p-0", "case:pickup_unclaimed"),
    ],
)
def test_a_person_is_to_be_asked_about_dear_goods_that_nobody_collects(
    retailer: Retailer, tmp_path: Path, least: str, key: str, expected: str
) -> None:
    amount = {"order_number": "N-p-0", "amount": "21.00", "currency": "GBP"}
    send(retailer, "payment_provider", command("payment.authorise", "N-p-0", amount, THURSDAY))
    configure(retailer, faults={"no_show": 1.0}, unclaimed_case_from=least)
    prepared(retailer, 1)
    (fault,) = read(tmp_path) or []
    assert (fault.kind, fault.business_key, fault.expected) == ("no_show", key, expected)


def test_a_store_that_refuses_says_why_and_about_what(retailer: Retailer) -> None:
    configure(retailer, faults={"pickup_reject": 1.0})
    reasons: Counter[str] = Counter()
    for events in prepared(retailer, 100).values():
        (event,) = events
        assert event.name == "fulfilment_rejected"
        reasons[event.data.reason] += 1
        assert len(event.data.lines) == (0 if event.data.reason == "too_busy" else 1)
    assert set(reasons) == {"not_found", "damaged", "too_busy"}


def test_a_store_takes_goods_back_and_still_hears_of_availability(retailer: Retailer) -> None:
    back = {
        "order_number": "N-1",
        "fulfilment_order_id": "p-1",
        "node_id": "leeds",
        "reason": "unclaimed",
    }
    news = {"channel": "store", "as_of": THURSDAY, "lines": [{"sku": "MUG", "quantity": 4}]}
    said = send(
        retailer,
        "store",
        command("pickup.cancel", "p-1", back),
        command("availability.publish", "a-1", news),
        command("pickup.polish", "p-1", back),
    )
    assert said == ["accepted", "accepted", "rejected"]
    assert retailer.channels["store"].availability == {"MUG": 4}


def screenings(retailer: Retailer, count: int) -> dict[str, list[str]]:
    payloads = [
        {"order_number": f"N-{number}", "payment_reference": f"PAY-{number}", "amount": "300.0000"}
        for number in range(count)
    ]
    send(
        retailer,
        "payment_provider",
        *(command("fraud.check", payload["order_number"], payload) for payload in payloads),
    )
    said: dict[str, list[str]] = {}
    for event in told(retailer, "payment_provider"):
        said.setdefault(event.data.order_number, []).append(event.data.outcome)
    return said


def test_a_payment_is_cleared_unless_it_is_to_be_held_or_rejected(retailer: Retailer) -> None:
    assert screenings(retailer, 3) == {f"N-{number}": ["cleared"] for number in range(3)}


def test_what_is_held_is_answered_once_more(retailer: Retailer) -> None:
    configure(retailer, faults={"screening_hold": 1.0})
    said = Counter(tuple(outcomes) for outcomes in screenings(retailer, 100).values())
    assert set(said) == {("held", "cleared"), ("held", "rejected")}
    assert 5 <= said["held", "rejected"] <= 40


def test_a_refund_is_paid_after_a_minute_under_its_own_name(retailer: Retailer) -> None:
    payload = {
        "order_number": "N-1",
        "payment_reference": "PAY-1",
        "refund_reference": "R-1",
        "amount": "7.2000",
        "currency": "GBP",
    }
    send(retailer, "payment_provider", command("payment.refund", "N-1", payload, THURSDAY))
    (event,) = told(retailer, "payment_provider")
    assert (event.name, event.at) == ("payment_refunded", "2026-07-02T10:01:00+00:00")
    assert (event.data.refund_reference, event.data.amount) == ("R-1", "7.2000")
