"""Interchanges are read whole or not at all, and what we write is read by others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.errors import BadInput
from resources.edi import edifact, x12
from resources.edi.documents import Scope, event_of
from resources.edi.intake import Taken, take
from resources.edi.interchange import BrokenInterchange
from tests.builders import WAREHOUSE, Shop, assert_all_invariants_hold, product
from tests.edi.messages import (
    ACKNOWLEDGED,
    DESADV,
    DESPATCHED,
    INVOIC,
    INVOICED,
    SENDER,
    edifact_message,
    x12_set,
)
from tests.edi.messages import edifact as edifact_file
from tests.edi.messages import x12 as x12_file
from tests.procure_to_stock.documents import goods, purchase_order, supplier

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUSE = Scope("retailer_uk", "house", "uk", "head_office")


def said(text: str) -> list[dict[str, Any]]:
    interchange = (x12 if text.startswith("ISA") else edifact).read(text)
    return [
        event_of(interchange, message, "edi", HOUSE)["data"] for message in interchange.messages
    ]


def test_an_acknowledgement_says_what_comes_of_each_line() -> None:
    [data] = said(x12_file(ACKNOWLEDGED))
    assert data["lines"] == [
        {
            "purchase_order_line_id": "1",
            "status": "accepted",
            "quantity": 600,
            "promised_at": "2026-03-09T12:00:00+00:00",
        },
        {
            "purchase_order_line_id": "2",
            "status": "changed",
            "quantity": 40,
            "promised_at": "2026-03-12T12:00:00+00:00",
        },
    ]
    assert (data["purchase_order_id"], data["supplier_id"]) == ("P1", SENDER)


def test_a_despatch_advice_is_the_same_in_both_standards() -> None:
    [american], [european] = said(x12_file(DESPATCHED)), said(edifact_file(DESADV))
    assert (american.pop("document_number"), european.pop("document_number")) == ("D-77", "D-78")
    assert american == european
    assert american == {
        "purchase_order_id": "P1",
        "supplier_id": SENDER,
        "node_id": "dc_midlands",
        "expected_at": "2026-03-06T12:00:00+00:00",
        "lines": [{"line_number": 1, "purchase_order_line_id": "1", "quantity": 600}],
    }


def test_an_invoice_is_the_same_in_both_standards() -> None:
    [american], [european] = said(x12_file(INVOICED)), said(edifact_file(INVOIC))
    assert (american.pop("invoice_number"), european.pop("invoice_number")) == ("INV-9", "INV-10")
    assert american == european
    assert american == {
        "kind": "invoice",
        "supplier_id": SENDER,
        "purchase_order_id": "P1",
        "currency": "GBP",
        "freight_amount": "10",
        "tax_amount": "50",
        "total_amount": "1260",
        "lines": [
            {
                "line_number": 1,
                "purchase_order_line_id": "1",
                "quantity": 600,
                "unit_price": "2",
            }
        ],
    }


def test_an_invoice_in_another_currency_says_the_rate_of_its_day() -> None:
    american = x12_file(INVOICED).replace("CUR*SE*GBP", "CUR*SE*EUR*.870")
    european = edifact_file(INVOIC).replace("CUX+2:GBP:4", "CUX+2:EUR:4+3:GBP+0.87")
    for [data] in (said(american), said(european)):
        assert (data["currency"], data["exchange_rate"]) == ("EUR", "0.87")


@pytest.mark.parametrize(
    ("was", "becomes", "tag", "reason"),
    [
        ("SE*8*0001", "SE*9*0001", "SE", "it says 9 segments and there are 8"),
        ("SE*8*0001", "SE*8*0002", "SE", "it closes 0002 and 0001 is open"),
        ("SE*8*0001~\n", "", "GE", "the set has no end (SE)"),
        ("GE*1*905", "GE*2*905", "GE", "it says 2 sets and there are 1"),
        ("GE*1*905", "GE*1*906", "GE", "it closes 906 and 905 is open"),
        ("IEA*1*", "IEA*2*", "IEA", "it says 2 groups and there are 1"),
        ("IEA*1*000000905", "IEA*1*000000906", "IEA", "it closes 000000906"),
        ("IEA*1*000000905~\n", "", "GE", "the interchange has no end (IEA)"),
        ("CTT*2*650", "CTT*3*650", "CTT", "it says 3 lines and there are 2"),
        ("CTT*2*650", "CTT*2*651", "CTT", "it says 651 units in all lines and there are 650"),
        ("PO1*1*600", "PO1*1*6.5", "PO1", "element 2 is no whole number"),
        ("BAK*00*AC*P1", "BAK*00*AC*", "BAK", "element 3 is missing"),
        ("ACK*IQ", "ACK*XX", "ACK", "unknown status XX"),
    ],
)
def test_a_broken_x12_interchange_says_where_and_why(
    was: str, becomes: str, tag: str, reason: str
) -> None:
    text = x12_file(ACKNOWLEDGED)
    assert was in text
    with pytest.raises(BrokenInterchange) as broken:
        said(text.replace(was, becomes))
    assert (broken.value.tag, reason in broken.value.reason) == (tag, True), broken.value


@pytest.mark.parametrize(
    ("was", "becomes", "tag", "reason"),
    [
        ("UNT+12+1", "UNT+11+1", "UNT", "it says 11 segments and there are 12"),
        ("UNT+12+1", "UNT+12+2", "UNT", "it closes 2 and 1 is open"),
        ("UNT+12+1'", "", "UNZ", "the message has no end (UNT)"),
        ("UNZ+1+", "UNZ+2+", "UNZ", "it says 2 messages and there are 1"),
        ("UNZ+1+REF7", "UNZ+1+REF8", "UNZ", "it closes REF8 and REF7 is open"),
        ("CNT+2:1", "CNT+2:2", "CNT", "it says 2 lines and there are 1"),
        ("QTY+12:600", "QTY+21:600", "CNT", "line 1 has no quantity (12)"),
        ("RFF+ON:P1", "RFF+DQ:P1", "CNT", "DESADV without RFF ON"),
    ],
)
def test_a_broken_edifact_interchange_says_where_and_why(
    was: str, becomes: str, tag: str, reason: str
) -> None:
    text = edifact_file(DESADV)
    assert was in text
    with pytest.raises(BrokenInterchange) as broken:
        said(text.replace(was, becomes))
    assert (broken.value.tag, reason in broken.value.reason) == (tag, True), broken.value


def test_separators_are_those_that_the_header_says() -> None:
    text = x12_file(ACKNOWLEDGED).replace("*", "|").replace("~\n", "\n")
    assert said(text) == said(x12_file(ACKNOWLEDGED))


ORDER = {
    "purchase_order_id": "P1",
    "supplier_id": SENDER,
    "node_id": WAREHOUSE,
    "currency": "GBP",
    "lines": [
        {
            "purchase_order_line_id": "1",
            "sku": "MUG",
            "quantity": 600,
            "unit_price": "2.0050",
            "due_at": datetime(2026, 3, 9, tzinfo=UTC),
        }
    ],
}


def errors_by_pyx12(text: str) -> list[Any]:
    """What another reader of X12 has against the envelopes of a text."""
    from pyx12.x12file import X12Reader

    reader = X12Reader(io.StringIO(text))
    found = []
    for _ in reader:
        found += reader.pop_errors()
    reader.cleanup()
    return found + reader.pop_errors()


def test_an_order_is_written_as_an_850_that_others_read() -> None:
    text = x12.purchase_order(ORDER, "OMNIFLOW", 41, AT)
    assert "BEG*00*SA*P1**20260302~" in text
    assert "PO1*1*600*EA*2.0050**SK*MUG~\nDTM*002*20260309~" in text
    assert errors_by_pyx12(text) == []
    [message] = x12.read(text).messages
    assert (message.kind, message.functional_code) == ("850", "PO")


def test_the_other_reader_finds_a_wrong_count_too() -> None:
    text = x12.purchase_order(ORDER, "OMNIFLOW", 41, AT)
    assert errors_by_pyx12(text.replace("GE*1*41", "GE*2*41"))
    for one in (ACKNOWLEDGED, DESPATCHED, INVOICED):
        assert errors_by_pyx12(x12_file(one)) == []


def test_what_x12_cannot_say_is_not_written() -> None:
    with pytest.raises(ValueError, match="has a separator of X12"):
        x12.purchase_order({**ORDER, "purchase_order_id": "P*1"}, "OMNIFLOW", 41, AT)
    with pytest.raises(ValueError, match="15 characters"):
        x12.purchase_order({**ORDER, "supplier_id": "N" * 16}, "OMNIFLOW", 41, AT)


# Through the door


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    lines = (("1", "MUG", 600, "2.00"), ("2", "HAT", 50, "4.00"))
    shop.tell(product("MUG", cost="2.00"), product("HAT", cost="4.00"), supplier())
    shop.tell(purchase_order("P1", *lines, due=20_000))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def taken(shop: Shop, folder: Path, *texts: str) -> Taken:
    path = folder / "supplier.edi"
    path.write_text("".join(texts))
    result = take(shop.store, path, HOUSE, "OMNIFLOW", AT)
    shop.store.drain_all()
    return result


def test_an_order_is_acknowledged_despatched_received_and_invoiced_by_edi(
    shop: Shop, tmp_path: Path
) -> None:
    result = taken(
        shop,
        tmp_path,
        x12_file(ACKNOWLEDGED, control=1),
        x12_file(DESPATCHED, control=2, code="SH"),
        x12_file(INVOICED, control=3, code="IN"),
    )
    assert (result.interchanges, result.accepted, result.broken) == (3, 3, [])
    shop.tell(goods("P1", ("1", 600, 0), at=5_000))
    assert shop.rows("select count(*) from receiving_slot") == [(1,)]
    # Charged before the goods came: held, and cured by them.
    [(status,)] = shop.rows(
        "select distinct on (reason_code) status from invoice_match where reason_code = 'quantity'"
        " order by reason_code, revision desc"
    )
    assert status == "cured"
    # The second line is confirmed for less.
    assert ("supplier_shortage", "P1/2") in [case[:2] for case in shop.cases()]


def test_a_broken_interchange_is_set_aside_and_the_others_go_on(shop: Shop, tmp_path: Path) -> None:
    broken = x12_file(DESPATCHED, control=2, code="SH").replace("GE*1*2", "GE*4*2")
    result = taken(
        shop,
        tmp_path,
        x12_file(ACKNOWLEDGED, control=1),
        broken,
        x12_file(INVOICED, control=3, code="IN"),
    )
    assert (result.interchanges, result.accepted) == (3, 2)
    [(where, why)] = result.broken
    assert where == "supplier.edi:2, segment 15 (GE)"
    assert why == "it says 4 sets and there are 1"
    kept = shop.rows("select source, reason_code, reason, position from quarantined_event")
    assert kept == [("supplier_x12", "broken_interchange", why, where)]


def test_the_same_file_again_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    file = x12_file(DESPATCHED, control=2, code="SH")
    assert taken(shop, tmp_path, file).accepted == 1
    again = taken(shop, tmp_path, file)
    assert (again.accepted, again.duplicates, again.refused) == (0, 1, [])
    assert shop.rows("select count(*) from goods_despatched") == [(1,)]


def test_the_sender_is_told_what_was_taken(shop: Shop, tmp_path: Path) -> None:
    bad = x12_set("855", "0002", "BAK*00*AC*P1*20260302", "PO1*1*1*EA", "PO1*1*2*EA")
    result = taken(shop, tmp_path, x12_file(ACKNOWLEDGED, bad, control=7))
    [(where, why)] = result.refused
    assert where == "supplier.edi:1, set 0002"
    assert "an order's line is there twice" in why
    [answer] = result.answers
    assert errors_by_pyx12(answer) == []
    assert "AK1*PR*7~\nAK2*855*0001~\nAK5*A~\nAK2*855*0002~\nAK5*R*5~\nAK9*P*2*2*1~" in answer


def test_edifact_comes_in_by_the_same_door(shop: Shop, tmp_path: Path) -> None:
    unknown = edifact_message("ORDRSP", "1", "BGM+231+X+9")
    result = taken(
        shop, tmp_path, edifact_file(DESADV, INVOIC), edifact_file(unknown, reference="REF8")
    )
    assert (result.interchanges, result.accepted) == (2, 2)
    [(where, why)] = result.broken
    assert (where, why) == ("supplier.edi:2, segment 3 (BGM)", "nobody takes a ORDRSP")
    assert result.answers == []


def test_a_file_that_is_neither_is_bad_input(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is neither X12"):
        taken(shop, tmp_path, "order,sku\n1,MUG\n")
    with pytest.raises(BadInput, match="cannot read"):
        take(shop.store, tmp_path / "nothing.edi", HOUSE, "OMNIFLOW", AT)
