"""Whose consent is needed, who may give it, and for whom: with real people on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from assets.approvals import service
from assets.errors import BadInput
from assets.ports import ApprovalRequest, Delegation, StoredRequest
from resources.operational_store.people import put_person, read_people, remove
from tests.builders import OPENING, Shop

POUND = 10_000
PEOPLE = {
    "agent": ["payments_agent"],
    "lead": ["payments_lead"],
    "other_lead": ["payments_lead"],
    "controller": ["finance_controller"],
    "helper": [],
    "second_helper": [],
}


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    with shop.store.transaction() as connection:
        for person, roles in PEOPLE.items():
            put_person(connection, person, roles, [])
    yield shop
    shop.close()


def release(
    pounds: int = 600, by: str = "agent", why: str = "known", **parts: Any
) -> ApprovalRequest:
    """The release of an order that nobody holds: what is tested is whether it comes in."""
    data = {"order_number": "A1", "decision": "release", "decided_by": by, "reason": why}
    return ApprovalRequest(
        subject_type="hold_release",
        subject_key="web_shop/A1",
        summary=f"release A1: {why}",
        source="order_desk",
        event={
            "type": "retail.order.hold_decided.v1",
            "subject": "A1",
            "legalentity": "retailer_uk",
            "brand": "main",
            "region": "uk",
            "channel": "web_shop",
            "correlationid": "A1",
            "data": data,
        },
        amount=pounds * POUND,
        currency_code="GBP",
        region="uk",
        brand="main",
        requested_by=by,
        **parts,
    )


def ask(shop: Shop, request: ApprovalRequest) -> StoredRequest | None:
    with shop.store.unit_of_work() as unit_of_work:
        return service.request([request], unit_of_work).get(request.subject_key)


def say(
    shop: Shop, waiting: StoredRequest, person: str, decision: str = "approved", **options: str
) -> str:
    with shop.store.unit_of_work() as unit_of_work:
        who = read_people(unit_of_work.connection)[person]
        return service.decide(
            waiting.approval_id, who, decision, "looked at", unit_of_work, **options
        )


def lend(shop: Shop, giver: str, to: str, pounds: int, subject: str = "hold_release") -> None:
    now = shop.clock.effective_at()
    lent = Delegation(giver, to, subject, pounds * POUND, now, now + timedelta(days=2))
    with shop.store.unit_of_work() as unit_of_work:
        service.delegate(lent, "a holiday", unit_of_work)


def came_in(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select data ->> 'decided_by', data ->> 'reason' from event_inbox"
        " where event_type like '%.hold_decided.%'"
    )


def asked(shop: Shop, request: ApprovalRequest) -> StoredRequest:
    waiting = ask(shop, request)
    assert waiting is not None
    return waiting


def test_below_its_amount_nobody_is_asked_and_the_event_comes_in(shop: Shop) -> None:
    assert ask(shop, release(499)) is None
    assert came_in(shop) == [("agent", "known")]


def test_the_event_comes_in_with_the_last_consent_and_not_before(shop: Shop) -> None:
    waiting = asked(shop, release(6_000))
    assert say(shop, waiting, "lead") == "pending"
    assert came_in(shop) == []
    assert say(shop, waiting, "controller") == "approved"
    assert came_in(shop) == [("controller", "looked at")]


def test_asking_the_same_again_is_the_question_that_waits(shop: Shop) -> None:
    first, second = asked(shop, release()), asked(shop, release())
    assert first.approval_id == second.approval_id
    assert shop.value("select count(*) from approval_request") == 1


def test_an_edit_voids_the_question_and_every_consent_given_to_it(shop: Shop) -> None:
    first = asked(shop, release(6_000))
    say(shop, first, "lead")
    second = asked(shop, release(6_000, why="changed my mind"))
    assert second.tier == 1
    with pytest.raises(BadInput, match="is void already"):
        say(shop, first, "controller")
    assert came_in(shop) == []


def test_consent_to_another_content_than_was_shown_is_refused(shop: Shop) -> None:
    waiting = asked(shop, release())
    with pytest.raises(BadInput, match="is about another content"):
        say(shop, waiting, "lead", shown_hash="0" * 64)
    assert say(shop, waiting, "lead", shown_hash=waiting.content_hash) == "approved"


@pytest.mark.parametrize(
    ("by", "involved"), [("lead", []), ("agent", ["lead"])], ids=["asked", "gains or edited"]
)
def test_nobody_consents_to_what_is_their_own(shop: Shop, by: str, involved: list[str]) -> None:
    waiting = asked(shop, release(by=by, involved=involved))
    with pytest.raises(BadInput, match="lead asked for it, edited it or gains by it"):
        say(shop, waiting, "lead")
    assert say(shop, waiting, "other_lead") == "approved"


def test_nobody_consents_twice(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        put_person(connection, "lead", ["payments_lead", "finance_controller"], [])
    waiting = asked(shop, release(6_000))
    say(shop, waiting, "lead")
    with pytest.raises(BadInput, match="lead has decided about it already"):
        say(shop, waiting, "lead")


def test_one_denial_is_enough_and_nothing_comes_in(shop: Shop) -> None:
    waiting = asked(shop, release(6_000))
    assert say(shop, waiting, "lead", "denied") == "denied"
    assert came_in(shop) == []
    # Who asks again asks anew.
    assert asked(shop, release(6_000)).request_number == 2


def test_after_its_time_nobody_consents_any_more(shop: Shop) -> None:
    waiting = asked(shop, release())
    shop.clock.advance(OPENING + timedelta(hours=48))
    with pytest.raises(BadInput, match="expired on 2026-03-04"):
        say(shop, waiting, "lead")
    assert shop.store.expire_approvals() == 1
    with pytest.raises(BadInput, match="is expired already"):
        say(shop, waiting, "lead")
    assert came_in(shop) == []


def test_who_has_not_the_role_of_the_tier_may_not_decide(shop: Shop) -> None:
    waiting = asked(shop, release())
    with pytest.raises(BadInput, match="tier 1 is for payments_lead, which helper is not"):
        say(shop, waiting, "helper")


def test_a_delegate_decides_up_to_the_amount_and_while_it_holds(shop: Shop) -> None:
    lend(shop, "lead", "helper", 700)
    with pytest.raises(BadInput, match="which helper is not"):
        say(shop, asked(shop, release(701)), "helper")
    waiting = asked(shop, release(700))
    assert say(shop, waiting, "helper") == "approved"
    assert shop.rows("select person_id, on_behalf_of from approval_decision") == [
        ("helper", ["lead"])
    ]
    again = asked(shop, release(700))
    shop.clock.advance(OPENING + timedelta(days=2) - timedelta(minutes=1))
    late = asked(shop, release(650))
    assert again.approval_id != late.approval_id
    shop.clock.advance(OPENING + timedelta(days=2))
    with pytest.raises(BadInput, match="which helper is not"):
        say(shop, late, "helper")


def test_a_chain_of_delegations_is_followed_and_bars_everybody_in_it(shop: Shop) -> None:
    lend(shop, "lead", "helper", 700)
    lend(shop, "helper", "second_helper", 650)
    waiting = asked(shop, release(600))
    assert say(shop, waiting, "second_helper") == "approved"
    assert shop.value("select on_behalf_of from approval_decision") == ["lead", "helper"]


@pytest.mark.parametrize("asker", ["lead", "helper"])
def test_nobody_stands_in_for_somebody_who_asked_for_it(shop: Shop, asker: str) -> None:
    lend(shop, "lead", "helper", 700)
    lend(shop, "helper", "second_helper", 700)
    waiting = asked(shop, release(by=asker))
    with pytest.raises(BadInput, match="stands in for somebody who asked for it"):
        say(shop, waiting, "second_helper")


def test_delegate_and_delegator_are_one_voice(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        put_person(connection, "lead", ["payments_lead", "finance_controller"], [])
    lend(shop, "lead", "helper", 9_000)
    waiting = asked(shop, release(6_000))
    say(shop, waiting, "helper")
    with pytest.raises(BadInput, match="lead has decided about it already, or somebody for them"):
        say(shop, waiting, "lead")


@pytest.mark.parametrize(
    ("giver", "to", "pounds", "said"),
    [
        ("lead", "helper", 5_001, "lead may decide up to 5000.0000 and delegates 5001.0000"),
        ("helper", "second_helper", 1, "helper may decide nothing of hold_release"),
        ("lead", "nobody_here", 1, "nobody here is called nobody_here"),
        ("lead", "lead", 1, "nobody stands in for themselves"),
    ],
)
def test_nobody_lends_more_than_they_have(
    shop: Shop, giver: str, to: str, pounds: int, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        lend(shop, giver, to, pounds)
    assert shop.value("select count(*) from approval_delegation") == 0


def test_who_has_left_decides_nothing_and_lends_nothing(shop: Shop) -> None:
    lend(shop, "lead", "helper", 700)
    with shop.store.transaction() as connection:
        remove(connection, "lead")
    with pytest.raises(BadInput, match="which helper is not"):
        say(shop, asked(shop, release()), "helper")


def test_an_approval_that_does_not_exist_is_said_so(shop: Shop) -> None:
    waiting = asked(shop, release())
    shop.rows("select 1")
    with pytest.raises(BadInput, match="there is no approval"), shop.store.unit_of_work() as work:
        service.decide(
            "00000000-0000-4000-8000-000000000000",
            read_people(work.connection)["lead"],
            "approved",
            "looked at",
            work,
        )
    assert say(shop, waiting, "lead") == "approved"
