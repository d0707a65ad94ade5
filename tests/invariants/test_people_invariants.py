"""P3 to P5: each is broken by hand once, and found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from assets.approvals.service import decide
from assets.ports import About, ApprovalRequest, Case, CaseType
from resources.operational_store.invariants import check
from resources.operational_store.people import put_person, read_people
from resources.operational_store.store import write_clock
from tests.builders import Shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A correction that Sam consented to and a held payment that climbed its ladder."""
    shop = Shop(database_url)
    with shop.store.transaction() as connection:
        put_person(connection, "sam", ["stock_controller"], [])
        people = read_people(connection)
    asked = ApprovalRequest(
        "stock_correction", "wms/MUG", "ten mugs", "inventory", EVENT, 100_0000, "GBP", "", "",
        "policy:inventory", involved=["eve"],
    )  # fmt: skip
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.request_approvals([asked])
    (approval_id,) = shop.rows("select approval_id::text from approval_request")[0]
    with shop.store.unit_of_work() as unit_of_work:
        decide(approval_id, people["sam"], "approved", "counted", unit_of_work)
    about = About(value_at_risk=20_0000, currency_code="GBP")
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases([Case(CaseType.PAYMENT_HELD, "web_shop/A1", "x", about)])
    shop.clock.advance(datetime.fromisoformat("2026-03-02T13:30+00:00"))
    shop.store.escalate()
    with shop.store.transaction() as connection:
        write_clock(connection, "simulated", shop.clock.effective_at())
    yield shop
    shop.close()


EVENT = {
    "type": "retail.inventory.correction_decided.v1",
    "subject": "wms/MUG",
    "legalentity": "retailer_uk",
    "brand": "house",
    "region": "uk",
    "channel": "web_shop",
    "correlationid": "c",
    "data": {
        "system": "wms",
        "node_id": "dc_midlands",
        "sku": "MUG",
        "quantity": 10,
        "decision": "approved",
        "reason": "decided",
    },
}


def broken(shop: Shop, *statements: str) -> dict[str, list[str]]:
    """What the laws say after these statements, past the triggers that would refuse them."""
    with shop.engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))
    return found(shop)


def found(shop: Shop) -> dict[str, list[str]]:
    with shop.engine.connect() as connection:
        results = check(connection, ["P3", "P4", "P5"])
    assert all(result.applies for result in results)
    return {
        result.id: [str(one["wrong"]) for one in result.violations]
        for result in results
        if not result.holds
    }


def test_what_people_and_ladder_did_is_lawful(shop: Shop) -> None:
    assert found(shop) == {}


@pytest.mark.parametrize(
    ("law", "wrong", "statement"),
    [
        ("P3", "who decided had a hand in it", "update approval_request set requested_by = 'sam'"),
        ("P3", "who decided had a hand in it", "update approval_decision set person_id = 'eve'"),
        (
            "P3",
            "who decided stood in for one who had a hand in it",
            "update approval_decision set on_behalf_of = '{eve}'",
        ),
        (
            "P3",
            "one person's word was counted twice",
            "insert into approval_decision select approval_id, 2, tier, decision, 'max',"
            " '{sam}', content_hash, reason, effective_at from approval_decision",
        ),
        (
            "P3",
            "it was approved without the quorum of its last tier",
            "delete from approval_decision",
        ),
        (
            "P4",
            "a consent is about another content than its request",
            "update approval_decision set content_hash = 'x'",
        ),
        (
            "P4",
            "what waits is not what its hash was made of",
            "update approval_request set amount = amount + 1",
        ),
        ("P5", "a case is nobody's", "update exception_case set routed_at = null"),
        (
            "P5",
            "a rung is due and was not taken",
            "update exception_case set next_rung_at = due_at",
        ),
        (
            "P5",
            "it is overdue and nobody heard of it",
            "update case_escalated set is_breach = false",
        ),
        (
            "P5",
            "rungs were not taken in the order of their times",
            "update case_escalated set occurred_at = occurred_at - interval '9 hours'"
            " where rung = 1",
        ),
        (
            "P5",
            "a rung was taken of which somebody was not told",
            "delete from notification where recipient = 'payments_lead'",
        ),
    ],
)
def test_each_law_finds_what_breaks_it(shop: Shop, law: str, wrong: str, statement: str) -> None:
    assert wrong in broken(shop, statement).get(law, [])


def test_a_case_that_was_opened_this_moment_may_be_nobodys(shop: Shop) -> None:
    said = broken(
        shop,
        "update exception_case set routed_at = null, next_rung_at = null,"
        " cycle_started_at = (select effective_at from home_clock)",
    )
    assert "a case is nobody's" not in said.get("P5", [])
