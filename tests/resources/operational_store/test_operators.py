"""What an operator mends by hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from assets.errors import BadInput
from resources.operational_store import operators, trying_again
from resources.outbox_dispatcher import DispatchTally, OutboxDispatcher
from resources.partners import PartnerBook
from tests.resources.partners.story import IMPATIENT, T0, Outbox, Plays, SetClock, partner


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    engine = sa.create_engine(database_url)
    yield Outbox(engine)
    engine.dispose()


@pytest.fixture
def crm() -> Plays:
    return Plays()


@pytest.fixture
def dispatch(outbox: Outbox, crm: Plays) -> Iterator[Callable[[], DispatchTally]]:
    with httpx.Client(transport=httpx.MockTransport(crm)) as session:
        yield OutboxDispatcher(
            outbox.engine,
            PartnerBook([partner("crm", "http://127.0.0.1:9")]),
            SetClock(),
            session=session,
            resilience=IMPATIENT,
        ).dispatch


def retry(outbox: Outbox, name: str | None = None, of: str | None = None) -> list[dict[str, Any]]:
    with outbox.engine.begin() as connection:
        return trying_again.send_again(connection, name, of)


def resolve(outbox: Outbox, name: str, reason: str = "asked the customer") -> dict[str, Any]:
    with outbox.engine.begin() as connection:
        return operators.resolve(connection, name, reason, T0)


CASE = "select status, resolution, closed_at from exception_case"


def test_a_dead_command_that_is_tried_again_keeps_its_key_and_closes_its_case(
    outbox: Outbox, crm: Plays, dispatch: Callable[[], DispatchTally]
) -> None:
    crm.refuse = {"a"}
    outbox.put("crm", "message.send", ("a", {}), ("a", {}))
    assert dispatch().dead == 1
    crm.refuse = set()
    assert dispatch() == DispatchTally(blocked=1, remaining=1), "nobody told it to try again"

    (row,) = retry(outbox, "1")
    assert row["command_id"] == outbox.written[0]
    assert outbox.ask(CASE) == [("open", None, None)], "not before it is delivered"
    assert dispatch() == DispatchTally(delivered=2)
    assert outbox.ask(CASE) == [("closed", "delivered when tried again", T0)]
    assert outbox.ask("select command_id from command_outbox order by 1") == sorted(
        (identity,) for identity in outbox.written
    )


def test_a_command_that_dies_again_is_the_same_case_again(
    outbox: Outbox, crm: Plays, dispatch: Callable[[], DispatchTally]
) -> None:
    crm.refuse = {"a"}
    outbox.put("crm", "message.send", ("a", {}))
    dispatch()
    retry(outbox, str(outbox.written[0]))
    assert dispatch().dead == 1
    assert outbox.ask("select status, case_count, closed_at from exception_case") == [
        ("open", 2, None)
    ]


def test_a_key_with_another_dead_command_keeps_its_case(
    outbox: Outbox, crm: Plays, dispatch: Callable[[], DispatchTally]
) -> None:
    crm.refuse = {"a"}
    outbox.put("crm", "message.send", ("a", {}))
    dispatch()
    outbox.put("crm", "message.send", ("a", {}))
    outbox.change("update command_outbox set status = 'dead' where outbox_sequence = 2")
    crm.refuse = set()
    retry(outbox, "1")
    assert dispatch().blocked == 1, "the other one still holds back its key"
    assert outbox.ask("select status from exception_case") == [("open",)]
    retry(outbox, "2")
    assert dispatch().delivered == 2
    assert outbox.ask("select status from exception_case") == [("closed",)]


def test_all_dead_commands_of_one_partner_are_tried_again_and_no_others(
    outbox: Outbox, crm: Plays, dispatch: Callable[[], DispatchTally]
) -> None:
    outbox.put("crm", "message.send", *((key, {}) for key in "abc"))
    outbox.put("erp", "goods_issue.post", ("a", {}))
    outbox.change("update command_outbox set status = 'dead' where business_key <> 'c'")
    assert [row["business_key"] for row in retry(outbox, of="crm")] == ["a", "b"]
    assert outbox.ask("select partner, status from command_outbox order by outbox_sequence") == [
        *[("crm", "pending")] * 3,
        ("erp", "dead"),
    ]


def test_what_is_not_delivered_is_listed_without_its_payload(outbox: Outbox) -> None:
    outbox.put("crm", "message.send", ("a", {}), ("b", {}), ("c", {}))
    outbox.change("update command_outbox set status = 'dead' where business_key = 'b'")
    outbox.change("update command_outbox set status = 'delivered' where business_key = 'c'")
    with outbox.engine.connect() as connection:
        listed = trying_again.undelivered(connection, only_dead=False)
        dead = trying_again.undelivered(connection, only_dead=True)
    assert [(row["business_key"], row["status"]) for row in listed] == [
        ("a", "pending"),
        ("b", "dead"),
    ]
    assert [row["outbox_sequence"] for row in dead] == [2]
    assert "payload" not in listed[0]


@pytest.mark.parametrize(
    ("name", "of", "reason"),
    [
        (None, None, "say which"),
        ("1", "crm", "say which"),
        ("1", None, "there is no dead command 1"),
        ("999999999999999999", None, "there is no dead command 999999999999999999"),
        (str(uuid.UUID(int=1)), None, "there is no dead command"),
        ("first", None, "'first' is neither a command's number nor its id"),
        (None, "crm", "there is no dead command of crm"),
    ],
)
def test_what_is_not_dead_is_not_tried_again(
    outbox: Outbox, name: str | None, of: str | None, reason: str
) -> None:
    outbox.put("crm", "message.send", ("a", {}))
    with pytest.raises(BadInput, match=reason):
        retry(outbox, name, of)
    assert outbox.statuses() == {"a": ["pending"]}


# Cases

CASE_ID = "0f0e0d0c-0000-4000-8000-000000000001"


@pytest.fixture
def case(outbox: Outbox) -> str:
    outbox.change(
        "insert into exception_case (case_id, case_type, business_key, owner, reason, opened_at,"
        " cycle_started_at)"
        " values (:id, 'data_quality_gate_failed', 'order_line/positive', 'order_desk',"
        " '2 rows break it', :at, :at)",
        id=CASE_ID,
        at=T0,
    )
    return CASE_ID


def test_a_case_is_closed_with_the_words_of_who_closed_it(outbox: Outbox, case: str) -> None:
    resolved = resolve(outbox, case[:8], "  the till was wrong ")
    assert (str(resolved["case_id"]), resolved["status"], resolved["released"]) == (
        CASE_ID, "closed", 0
    )  # fmt: skip
    assert outbox.ask(CASE) == [("closed", "the till was wrong", T0)]
    with outbox.engine.connect() as connection:
        assert operators.cases(connection, with_closed=False) == []
        (row,) = operators.cases(connection, with_closed=True)
    told = {
        "case_id": row["case_id"],
        "type": "data_quality_gate_failed",
        "status": "closed",
        "owner": "order_desk",
        "business_key": "order_line/positive",
        "count": 1,
        "reason": "2 rows break it",
        "opened_at": T0,
        "closed_at": T0,
        "resolution": "the till was wrong",
    }
    assert {name: value for name, value in row.items() if name in told} == told
    assert str(row["case_id"]) == CASE_ID


@pytest.mark.parametrize(
    ("name", "words", "reason"),
    [
        ("0f0e", "x", "say at least the first 8 characters"),
        ("ffffffff", "x", "there is no case ffffffff"),
        ("0f0e0d0c", "x", "2 cases begin with 0f0e0d0c"),
        (CASE_ID, " ", "say why it is closed"),
    ],
)
def test_a_case_that_is_not_meant_stays_open(
    outbox: Outbox, case: str, name: str, words: str, reason: str
) -> None:
    outbox.change(
        "insert into exception_case (case_id, case_type, business_key, owner, reason, opened_at,"
        " cycle_started_at)"
        " select cast(:id as uuid), 'other', business_key, owner, reason, opened_at,"
        " opened_at"
        " from exception_case",
        id=case[:-1] + "2",
    )
    with pytest.raises(BadInput, match=reason):
        resolve(outbox, name, words)
    assert outbox.ask("select distinct status from exception_case") == [("open",)]


def test_a_case_is_closed_once(outbox: Outbox, case: str) -> None:
    resolve(outbox, case)
    with pytest.raises(BadInput, match="is closed already"):
        resolve(outbox, case, "again")
    assert outbox.ask("select resolution from exception_case") == [("asked the customer",)]
