"""The sample company's files: what is told of whole orders, and what is refused with its place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from assets.errors import BadInput
from resources.layouts.adventureworks_purchasing.layout import AdventureworksPurchasing
from resources.layouts.reading import Reading
from resources.operational_store.door import Door
from resources.operational_store.invariants import check
from resources.operational_store.store import OperationalStore, SimulatedClock, create_engine
from tests.layouts.made_files import SHARED_DATA

REAL = SHARED_DATA / "adventureworks_purchasing"
NIGHT = "2024-03-01 00:00:00.000"

HEADER = ["1", "5", "4", "258", "1580", "3", NIGHT, NIGHT, "201.0400", "16.0832", "5.0260",
          "222.1492", NIGHT]  # fmt: skip
DETAIL = ["1", "7", "2024-03-15 00:00:00.000", "4", "1", "50.2600", "201.0400", "3.00", "1.00",
          "2.00", NIGHT]  # fmt: skip
VENDOR = ["1580", "LITWARE0001", "Litware, Inc.", "1", "1", "1", "", NIGHT]
PRODUCT = ["1", "Adjustable Race", "AR-5381", "0", "0", "", "1000", "750", ".0000", ".0000", "",
           "", "", "", "0", "", "", "", "", "", NIGHT, "", "", "694215B7", NIGHT]  # fmt: skip

Files = dict[str, list[list[str]]]
WriteFiles = Callable[..., Path]


def files(**changed: list[list[str]]) -> Files:
    return {
        "PurchaseOrderHeader": [HEADER],
        "PurchaseOrderDetail": [DETAIL],
        "Vendor": [VENDOR],
        "Product": [PRODUCT],
        **changed,
    }


@pytest.fixture
def write(tmp_path: Path) -> WriteFiles:
    def written(**changed: list[list[str]]) -> Path:
        for name, rows in files(**changed).items():
            text = "".join("\t".join(row) + "\n" for row in rows)
            with gzip.open(tmp_path / f"{name}.csv.gz", "wt") as file:
                file.write(text)
        return tmp_path

    return written


def told(reading: Reading) -> list[dict[str, Any]]:
    return [
        json.loads(submission.body)
        for window in reading.windows(timedelta(days=1))
        for submission in window.submissions
    ]


def refused(reading: Reading) -> list[tuple[str, str]]:
    return [
        (refusal.position, refusal.reason)
        for window in reading.windows(timedelta(days=1))
        for refusal in window.refusals
    ]


def read(path: Path) -> Reading:
    return AdventureworksPurchasing().read(path)


def test_an_order_is_told_with_what_came_of_it_and_an_invoice_as_it_was_ordered(
    write: WriteFiles,
) -> None:
    reading = read(write())
    assert (reading.orders, reading.order_lines) == (1, 1)
    events = told(reading)
    by_type = {event["type"].split(".")[1]: event for event in events}
    order = by_type["purchase_order"]
    assert order["time"] == "2024-03-01T17:00:00Z"
    assert order["data"]["lines"] == [
        {
            "purchase_order_line_id": "7",
            "sku": "AR-5381",
            "quantity": 4,
            "unit_price": "50.2600",
            # Noon by daylight saving time, which began on 10 March.
            "due_at": "2024-03-15T19:00:00Z",
        }
    ]
    assert order["data"]["approved_by"] == "employee_258"
    (came,) = by_type["goods"]["data"]["lines"]
    assert (came["delivered_quantity"], came["rejected_quantity"]) == (3, 1)
    assert by_type["supplier_invoice"]["data"] == {
        "invoice_number": "INV-1",
        "supplier_id": "1580",
        "purchase_order_id": "1",
        "currency": "USD",
        "freight_amount": "5.0260",
        "tax_amount": "16.0832",
        "total_amount": "222.1492",
        "lines": [
            {
                "line_number": 1,
                "purchase_order_line_id": "7",
                "quantity": 4,
                "unit_price": "50.2600",
            }
        ],
    }
    # Without a cost of its own a product costs what is paid for it.
    assert by_type["product"]["data"]["standard_cost"] == "50.2600"


def test_what_did_not_come_has_no_receipt(write: WriteFiles) -> None:
    nothing = [*DETAIL[:7], ".00", ".00", ".00", NIGHT]
    kinds = [event["type"] for event in told(read(write(PurchaseOrderDetail=[nothing])))]
    assert "retail.goods.received.v1" not in kinds
    assert "retail.supplier_invoice.received.v1" in kinds


def changed(row: list[str], column: int, value: str) -> list[str]:
    return [*row[:column], value, *row[column + 1 :]]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (3, "0", "line 7 orders nothing"),
        (3, "4.5", "OrderQty '4.5' is not a whole number"),
        (3, "-4", "OrderQty '-4' is not a whole number"),
        (2, "soon", "DueDate 'soon' is not a day"),
        (4, "99", "line 7: ProductID 99 is no product"),
        (5, "50.26001", "UnitPrice '50.26001' is not an amount of at most four decimals"),
        (5, "-1.0000", "UnitPrice '-1.0000' is negative"),
        (9, "3.00", "line 7: StockedQty is not what was received and not rejected"),
    ],
)
def test_a_bad_line_takes_its_order_with_it_and_the_others_go_on(
    write: WriteFiles, column: int, value: str, reason: str
) -> None:
    other = changed(HEADER, 0, "2")
    lines = [changed(DETAIL, column, value), changed(changed(DETAIL, 0, "2"), 1, "8")]
    reading = read(write(PurchaseOrderHeader=[HEADER, other], PurchaseOrderDetail=lines))
    assert reading.orders == 1
    said = f"its order is refused: {reason}"
    assert refused(reading) == [
        ("PurchaseOrderHeader.csv.gz:1", said),
        ("PurchaseOrderDetail.csv.gz:1", said),
    ]


def test_rows_that_belong_to_nothing_are_refused_with_their_place(write: WriteFiles) -> None:
    stray = changed(DETAIL, 0, "9")
    short = DETAIL[:5]
    reading = read(write(PurchaseOrderDetail=[DETAIL, stray, short]))
    assert refused(reading) == [
        ("PurchaseOrderDetail.csv.gz:3", "it has 5 columns"),
        ("PurchaseOrderDetail.csv.gz:2", "order 9 has no header"),
    ]


def test_an_order_of_an_unknown_vendor_or_without_lines_is_refused(write: WriteFiles) -> None:
    strange = changed(HEADER, 4, "7")
    empty = changed(HEADER, 0, "2")
    reasons = {
        reason for _, reason in refused(read(write(PurchaseOrderHeader=[strange, empty, HEADER])))
    }
    assert (
        reasons
        == {
            "its order is refused: VendorID 7 is not among the vendors",
            "its order is refused: it has no lines",
        }
        or len(reasons) == 2
    )


def test_without_a_file_that_is_needed_nothing_is_read(write: WriteFiles) -> None:
    path = write()
    (path / "Vendor.csv.gz").write_bytes(b"\x1f\x8bbroken")
    (path / "notes.txt").write_text("hello")
    with pytest.raises(BadInput, match=r"Vendor cannot be used: .*gzip that is cut or damaged"):
        read(path)


def test_what_is_sent_twice_has_the_same_ids(write: WriteFiles) -> None:
    path = write()
    assert [event["id"] for event in told(read(path))] == [
        event["id"] for event in told(read(path))
    ]


@pytest.mark.skipif(not REAL.exists(), reason="the data set is not here")
def test_the_real_company_holds_what_was_short_or_rejected_and_nothing_else(
    database_url: str,
) -> None:
    reading = read(REAL)
    store = OperationalStore(create_engine(database_url), SimulatedClock(reading.starts_at))
    door = Door()
    for window in reading.windows(timedelta(days=28)):
        store.clock.advance(window.until)  # type: ignore[attr-defined]
        with store.transaction() as connection:
            door.admit(connection, window.submissions)
        store.drain_all(batch_size=5_000)
    with store.transaction() as connection:
        assert list(connection.execute(sa.text(_HELD))) == [
            (942, Decimal(94_038), Decimal("2580302.1070"))
        ]
        held = {tuple(row) for row in connection.execute(sa.text(_EACH))}
        posted = connection.execute(
            sa.text("select sum(goods_amount), sum(total_amount) from supplier_invoice_received")
        ).one()
        assert held == _short_or_rejected()
        assert tuple(posted) == (Decimal("63791994.8380"), Decimal("70479332.6383"))
        # Nobody climbs a ladder here, which is a law of its own.
        laws = check(connection, ("S2", "S5", "M1", "M2", "M6", "M7", "M8", "P1", "P7"))
    assert {law.id: law.violations for law in laws if not (law.applies and law.holds)} == {}
    store.engine.dispose()


_HELD = """
    select count(*), sum(quantity_difference), sum(value_difference) from invoice_match
"""
_EACH = """
    select purchase_order_id, purchase_order_line_id, quantity_difference::int, value_difference
    from invoice_match where status = 'held' and reason_code = 'quantity'
"""


def _short_or_rejected() -> set[tuple[str, str, int, Decimal]]:
    """From the file itself: ordered and not stocked, at the order's price."""
    with gzip.open(REAL / "PurchaseOrderDetail.csv.gz", "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {
        (row[0], row[1], missing, missing * Decimal(row[5]))
        for row in rows
        if (missing := int(Decimal(row[3]) - Decimal(row[9])))
    }
