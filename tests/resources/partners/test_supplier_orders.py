"""Orders on their way to suppliers, over HTTP: to the portal as they are, to others as an 850."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from resources.edi import x12
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partners import PartnerBook
from tests.resources.partners.story import (
    IMPATIENT,
    T0,
    Outbox,
    SandboxProcess,
    SetClock,
    partner,
)

MANNERS = {
    "supplier_portal": {"kind": "supplier_portal"},
    "supplier_x12": {"kind": "supplier_mailbox", "speaks": "x12", "takes_batches": False},
}


def order(number: str, supplier: str = "loomworks", **said: Any) -> dict[str, Any]:
    return {
        "purchase_order_id": number,
        "version": 1,
        "status": "open",
        "supplier_id": supplier,
        "node_id": "dc",
        "currency": "GBP",
        "lines": [
            {
                "purchase_order_line_id": "1",
                "sku": "TOWEL",
                "quantity": 24,
                "unit_price": "4.5",
                "due_at": (T0 + timedelta(days=6)).isoformat(),
            }
        ],
        **said,
    }


def dispatched(outbox: Outbox, code: str, url: str) -> str:
    with httpx.Client() as session:
        book = PartnerBook([partner(code, url, **MANNERS[code])])
        dispatcher = OutboxDispatcher(
            outbox.engine, book, SetClock(), session=session, resilience=IMPATIENT
        )
        tally = dispatcher.dispatch()
    return f"{tally.delivered} delivered, {tally.dead} dead, {tally.retried} later"


@pytest.fixture
def told(sandbox: SandboxProcess) -> SandboxProcess:
    supplier = {
        "supplier_id": "loomworks",
        "name": "Loomworks Ltd",
        "product_classes": ["towel"],
        "order_channel": "portal",
    }
    settings = {"nodes": [{"node_id": "dc"}], "suppliers": [supplier], "starts_at": T0.isoformat()}
    sandbox.post("/sandbox/v1/configure", settings)
    item = {
        "sku": "TOWEL",
        "list_price": "10.00",
        "first_seen_at": T0.isoformat(),
        "product_class": "towel",
    }
    sandbox.post("/erp/v1/items", {"items": [item]})
    return sandbox


def heard(sandbox: SandboxProcess, number: str) -> set[str]:
    """What the supplier says of an order."""
    page = sandbox.get("/supplier_portal/v1/events", until="2026-12-31T00:00:00Z", limit="100")
    return {
        event["type"] for event in page["events"] if event["data"]["purchase_order_id"] == number
    }


ANSWERS = {
    "retail.purchase_order.acknowledged.v1",
    "retail.goods.despatched.v1",
    "retail.supplier_invoice.received.v1",
}


@pytest.mark.parametrize(("code", "number"), [("supplier_portal", "P1"), ("supplier_x12", "P2")])
def test_an_order_reaches_its_supplier_who_answers_it(
    outbox: Outbox, told: SandboxProcess, code: str, number: str
) -> None:
    outbox.put(code, "purchase_order.send", (number, order(number)))
    assert dispatched(outbox, code, told.url) == "1 delivered, 0 dead, 0 later"
    assert heard(told, number) == ANSWERS


@pytest.mark.parametrize(("code", "number"), [("supplier_portal", "P5"), ("supplier_x12", "P6")])
def test_a_cancelled_order_is_taken_and_does_not_begin(
    outbox: Outbox, told: SandboxProcess, code: str, number: str
) -> None:
    outbox.put(code, "purchase_order.send", (number, order(number, version=2, status="closed")))
    assert dispatched(outbox, code, told.url) == "1 delivered, 0 dead, 0 later"
    assert heard(told, number) == set()


def test_a_997_that_refuses_the_order_is_a_dead_letter(
    outbox: Outbox, told: SandboxProcess
) -> None:
    outbox.put("supplier_x12", "purchase_order.send", ("P3", order("P3", supplier="stranger")))
    assert dispatched(outbox, "supplier_x12", told.url) == "0 delivered, 1 dead, 0 later"
    assert last_error(outbox) == "its 997 says so"


def test_what_cannot_be_written_as_x12_is_a_dead_letter(
    outbox: Outbox, told: SandboxProcess
) -> None:
    outbox.put("supplier_x12", "purchase_order.send", ("P*4", order("P*4")))
    assert dispatched(outbox, "supplier_x12", told.url) == "0 delivered, 1 dead, 0 later"
    assert "separator of X12" in last_error(outbox)


@pytest.mark.parametrize(
    ("version", "status", "purpose"), [(1, "open", "00"), (2, "open", "05"), (3, "closed", "01")]
)
def test_a_later_version_replaces_the_order_or_cancels_it(
    version: int, status: str, purpose: str
) -> None:
    said = order("P8", version=version, status=status)
    [message] = x12.read(x12.purchase_order(said, "US", 7, T0)).messages
    assert message.one("BEG").text(1) == purpose


def test_an_answer_about_another_group_is_no_answer(outbox: Outbox, httpserver: HTTPServer) -> None:
    received = x12.read(x12.purchase_order(order("P9"), "US", 77, T0))
    other = x12.acknowledgement(received, "THEM", received.messages, 5, T0)
    httpserver.expect_request("/supplier_x12/v1/interchanges").respond_with_data(other)
    outbox.put("supplier_x12", "purchase_order.send", ("P5", order("P5")))
    assert dispatched(outbox, "supplier_x12", httpserver.url_for("")) == (
        "0 delivered, 0 dead, 1 later"
    )
    # What was sent has the control number of the order's version, so that a second one is the same.
    sent = x12.read(httpserver.log[0][0].get_data(as_text=True))
    assert int(sent.control_number) == x12.control_number("P5", 1)


def last_error(outbox: Outbox) -> str:
    with outbox.engine.connect() as connection:
        return str(connection.execute(sa.text("select last_error from command_outbox")).scalar())
