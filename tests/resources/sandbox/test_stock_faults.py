"""What the sandbox's systems get wrong about stock and prices, each as its answer key says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resources.sandbox.answer_key import Drift, Fault, read
from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import MONDAY, command, open_retailer, send, told

NODES = [{"node_id": "dc", "country": "GB"}]
NIGHT = MONDAY + timedelta(hours=2)
DRIFT = "case:stock_drift"
SUNDAY = MONDAY + timedelta(days=6, hours=12)


def night(days: int) -> datetime:
    return NIGHT + timedelta(days=days)


def opened(folder: Path, kind: str, rate: float = 1.0, stock: int = 24, **more: Any) -> Retailer:
    retailer = open_retailer(
        folder,
        nodes=NODES,
        starts_at=MONDAY.isoformat(),
        snapshot_hour=2,
        acknowledges_availability=True,
        shows_prices=True,
        # An ERP that never buys.
        cover_weeks=0.001,
        faults={kind: rate},
        **more,
    )
    item = {"sku": "MUG", "list_price": "6.00", "first_seen_at": MONDAY.isoformat()}
    body = {"items": [{**item, "opening_quantity": stock}]}
    retailer.register(json.dumps(body).encode())
    return retailer


def key_of(folder: Path) -> Fault:
    (fault,) = read(folder) or []
    return fault


def nights(retailer: Retailer, code: str) -> list[int]:
    """What a system states of mugs, night by night."""
    return [
        event.data.lines[0].quantity
        for event in told(retailer, code, SUNDAY)
        if event.name == "inventory_snapshot_taken"
    ]


def issue(number: str, units: int, at: str) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": units}]
    payload = {"order_number": number, "node_id": "dc", "lines": lines}
    return command("goods_issue.post", number, payload, at)


def publish(number: int, units: int, at: datetime) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": units}]
    payload = {"channel": "web_shop", "as_of": at.isoformat(), "lines": lines}
    named = command("availability.publish", str(number), payload, at.isoformat())
    return {**named, "command_id": str(UUID(int=number))}


@pytest.mark.parametrize(
    ("kind", "expected", "reason", "units", "shown", "first", "last"),
    [
        # Three mugs that left on Monday, and on which night the ERP's book has them.
        ("stock_late", "absorbed", "late", 3, [24, 24, 21, 21, 21, 21, 21], 1, 1),
        ("stock_lost", DRIFT, "lost", 3, [24, 24, 24, 24, 24, 24, 24], 4, 6),
        ("stock_duplicate", DRIFT, "duplicate", -3, [24, 18, 18, 18, 21, 21, 21], 1, 3),
    ],
)  # fmt: skip
def test_a_goods_issue_that_the_erp_does_not_book_as_it_should(
    tmp_path: Path,
    kind: str,
    expected: str,
    reason: str,
    units: int,
    shown: list[int],
    first: int,
    last: int,
) -> None:
    retailer = opened(tmp_path, kind)
    told(retailer, "erp", NIGHT + timedelta(hours=7))
    send(retailer, "erp", issue("f-1", 3, "2026-03-02T10:00:00Z"))
    assert nights(retailer, "erp") == shown
    fault = key_of(tmp_path)
    assert (fault.kind, fault.business_key, fault.expected) == (kind, "erp/dc/MUG", expected)
    assert fault.drift == Drift(night(first), night(last), reason, units)
    # It is known to be over with the first snapshot that is right.
    assert fault.over_at == night(last + 1) + timedelta(hours=6)
    retailer.close()


def test_a_book_is_wrong_about_one_document_of_a_sku_at_most(tmp_path: Path) -> None:
    retailer = opened(tmp_path, "stock_duplicate")
    send(retailer, "erp", *(issue(f"f-{n}", n, "2026-03-02T10:00:00Z") for n in (1, 2, 3)))
    assert nights(retailer, "erp")[1] == 24 - 6 - 1
    assert key_of(tmp_path).reference == "goods_issue.post/f-1/MUG"
    retailer.close()


@pytest.mark.parametrize(("stock", "is_each_a_case"), [(24, False), (23, True)])
def test_a_warehouse_tells_cases_where_units_are_meant_and_units_the_day_after(
    tmp_path: Path, stock: int, is_each_a_case: bool
) -> None:
    retailer = opened(tmp_path, "stock_unit_of_measure", stock=stock)
    snapshots = [e for e in told(retailer, "wms", SUNDAY) if e.name == "inventory_snapshot_taken"]
    lines = [event.data.lines[0] for event in snapshots]
    size = lines[0].units_per_case
    assert {line.units_per_case for line in lines} == {size}
    assert {line.unit_of_measure for line in lines} == {"each"}
    # Nothing is counted wrongly of which word may be under way: two days must have been quiet.
    wrong = stock * size if is_each_a_case else stock // size
    assert [line.quantity for line in lines] == [stock, stock, wrong, *[stock] * 4]
    fault = key_of(tmp_path)
    assert fault.drift == Drift(night(2), night(2), "unit_of_measure", wrong - stock)
    assert (fault.business_key, fault.expected) == ("wms/dc/MUG", DRIFT)
    retailer.close()


@pytest.mark.parametrize(
    ("corrected_up_to", "expected"), [("50.00", "absorbed"), ("1.00", "case:stock_correction")]
)
def test_a_warehouse_is_off_by_a_few_for_a_day_and_what_is_dear_is_asked_about(
    tmp_path: Path, corrected_up_to: str, expected: str
) -> None:
    retailer = opened(tmp_path, "stock_miscount", corrected_up_to=corrected_up_to)
    stated = nights(retailer, "wms")
    off = stated[2] - 24
    assert stated == [24, 24, 24 + off, 24, 24, 24, 24]
    assert 2 <= abs(off) <= 5
    fault = key_of(tmp_path)
    assert (fault.business_key, fault.expected) == ("wms/dc/MUG", expected)
    assert fault.drift == Drift(night(2), night(2), "miscount", off)
    retailer.close()


def test_nothing_is_miscounted_where_little_is_left_or_goods_are_under_way(tmp_path: Path) -> None:
    scarce = opened(tmp_path / "scarce", "stock_miscount", stock=11)
    assert nights(scarce, "wms") == [11] * 7
    scarce.close()
    moving = opened(tmp_path / "moving", "stock_miscount")
    for day in range(7):
        payload = {
            "order_number": f"N-{day}",
            "fulfilment_order_id": f"f-{day}",
            "node_id": "dc",
            "service_level": "standard",
            "country": "GB",
            "lines": [{"line_number": 1, "sku": "MUG", "quantity": 1}],
        }
        at = (MONDAY + timedelta(days=day, hours=10)).isoformat()
        send(moving, "wms", command("fulfilment_order.create", f"f-{day}", payload, at))
    assert nights(moving, "wms")[:3] == [24, 24, 23]
    assert read(tmp_path / "moving") == []
    moving.close()


def told_levels(retailer: Retailer) -> None:
    send(retailer, "web_shop", publish(1, 9, MONDAY + timedelta(hours=10)))
    send(retailer, "web_shop", publish(2, 5, MONDAY + timedelta(hours=14)))


def test_a_channel_shows_the_level_before_the_last_until_it_is_told_again(tmp_path: Path) -> None:
    retailer = opened(tmp_path, "stock_out_of_order")
    told_levels(retailer)
    told(retailer, "web_shop", night(2) + timedelta(hours=7))
    send(retailer, "web_shop", publish(3, 5, night(2) + timedelta(hours=8)))
    assert nights(retailer, "web_shop") == [9, 9, 5, 5, 5, 5]
    fault = key_of(tmp_path)
    assert (fault.business_key, fault.expected) == ("web_shop/web_shop/MUG", DRIFT)
    assert fault.drift == Drift(night(1), night(1), "out_of_order", 4)
    retailer.close()


def test_a_channel_offers_more_than_it_was_ever_told_until_it_is_told_again(
    tmp_path: Path,
) -> None:
    retailer = opened(tmp_path, "stock_oversell")
    told_levels(retailer)
    told(retailer, "web_shop", night(1) + timedelta(hours=7))
    send(retailer, "web_shop", publish(3, 5, night(1) + timedelta(hours=8)))
    first, *later = nights(retailer, "web_shop")
    # No former level explains it.
    assert first > 9
    assert later == [5] * 5
    fault = key_of(tmp_path)
    assert fault.drift == Drift(night(1), night(1), "oversell", first - 5)
    retailer.close()


def test_a_channel_shows_another_price_for_a_day(tmp_path: Path) -> None:
    retailer = opened(tmp_path, "price_mismatch")
    shown = {
        code: [
            event.data.lines[0].unit_price
            for event in told(retailer, code, SUNDAY)
            if event.name == "price_shown"
        ]
        for code in ("web_shop", "marketplace")
    }
    assert shown["web_shop"][1:] == ["6.0000"] * 6
    assert shown["marketplace"][1:] == ["6.3000"] * 6
    assert shown["web_shop"][0] != "6.0000"
    faults = read(tmp_path) or []
    assert [(f.business_key, f.expected, f.at, f.over_at) for f in faults] == [
        (
            f"{code}/MUG",
            "case:price_parity",
            NIGHT + timedelta(hours=6),
            NIGHT + timedelta(hours=30),
        )
        for code in shown
    ]
    retailer.close()


def do_nothing(_: Retailer) -> None:
    """What strikes needs no command."""


def issue_one(retailer: Retailer) -> None:
    send(retailer, "erp", issue("f-1", 3, "2026-03-02T10:00:00Z"))


@pytest.mark.parametrize(
    ("kind", "code", "happens"),
    [
        ("stock_lost", "erp", issue_one),
        ("stock_miscount", "wms", do_nothing),
        ("stock_out_of_order", "web_shop", told_levels),
        ("price_mismatch", "web_shop", do_nothing),
    ],
)
def test_a_sandbox_that_is_started_again_is_wrong_about_the_same(
    tmp_path: Path, kind: str, code: str, happens: Callable[[Retailer], None]
) -> None:
    retailer = opened(tmp_path, kind)
    happens(retailer)
    before = retailer.page(code, SUNDAY, 1_000).events
    key = read(tmp_path)
    assert key
    retailer.close()
    again = open_retailer(tmp_path)
    assert again.page(code, SUNDAY, 1_000).events == before
    assert read(tmp_path) == key
    again.close()


def test_the_key_tells_times_of_drift_in_utc(tmp_path: Path) -> None:
    retailer = opened(tmp_path, "stock_lost")
    issue_one(retailer)
    drift = key_of(tmp_path).drift
    assert drift is not None
    assert drift.as_of.tzinfo == UTC
    retailer.close()
