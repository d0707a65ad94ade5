"""What counts as met, missed and false, on evidence that says one thing at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration import fault_score
from orchestration.cli import app
from orchestration.fault_evidence import Case, Evidence, Quarantined, Settled, gather
from orchestration.fault_score import FaultScore
from resources.operational_store.store import write_clock
from resources.policy_book import SHIPPED, FilePolicyBook
from resources.sandbox.answer_key import AnswerKey, Drift, Fault, Outcome
from tests.builders import (
    OPENING,
    WAREHOUSE,
    Event,
    Shop,
    count,
    happy_ending,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_declined,
    product,
)

NOW = datetime(2026, 3, 9, tzinfo=UTC)
HELD = Evidence(NOW, orders=100, events={("wms", "e-1"): Settled("applied", is_booked_once=True)})


def judge(
    faults: Sequence[Fault], evidence: Evidence, most_false_alarms_percent: float = 1
) -> FaultScore:
    return fault_score.judge(faults, evidence, most_false_alarms_percent)


def fault(
    kind: str, key: str = "web_shop/A1", reference: str = "e-1", expected: str = "absorbed"
) -> Fault:
    return Fault(kind, OPENING, "wms", key, reference, expected)


def found(score: FaultScore) -> list[str]:
    return [miss.found for miss in score.misses]


def test_outcomes_are_read_as_they_are_written() -> None:
    assert Outcome.parse("absorbed") == Outcome("absorbed")
    assert Outcome.parse("case:carrier_silence") == Outcome("case", "carrier_silence")


def test_an_event_that_was_applied_once_is_absorbed() -> None:
    score = judge([fault("late"), fault("duplicate_delivery")], HELD)
    assert (score.injected, score.misses, score.false_alarms, score.is_good) == (2, [], [], True)


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        (None, "the event never came in"),
        (Settled("waiting", True), "the event is waiting"),
        (Settled("quarantined", True), "the event is quarantined"),
        (Settled("applied", False), "the ledger does not show it exactly once"),
    ],
)
def test_an_event_that_came_to_another_end_is_a_miss(settled: Settled | None, words: str) -> None:
    events = {} if settled is None else {("wms", "e-1"): settled}
    score = judge([fault("late")], replace(HELD, events=events))
    assert found(score) == [words]
    assert not score.is_good
    assert next(kind.missed for kind in score.kinds if kind.kind == "late") == 1


def test_an_absorbed_event_that_somebody_was_asked_about_is_a_miss_and_a_false_alarm() -> None:
    case = Case("predecessor_missing", "wms/e-1", is_open=True)
    score = judge([fault("out_of_order")], replace(HELD, cases=[case]))
    assert found(score) == ["a case predecessor_missing was opened"]
    assert score.false_alarms == [("case: predecessor_missing", 1)]


def test_a_second_telling_may_not_be_taken_for_another_event() -> None:
    refused = replace(HELD, events={("wms", "e-1"): Settled("quarantined", True)})
    own_reason = Quarantined("wms", "e-1", "illegal_transition")
    score = judge([fault("duplicate_delivery")], replace(refused, quarantine=[own_reason]))
    assert score.misses == []
    assert score.false_alarms == [("quarantined: illegal_transition", 1)]
    conflict = Quarantined("wms", "e-1", "id_conflict")
    score = judge([fault("duplicate_delivery")], replace(refused, quarantine=[conflict]))
    assert found(score) == ["taken for another event"]


def test_a_broken_event_must_be_set_aside_for_its_reason_and_its_repair_applied() -> None:
    broken = fault("malformed", expected="quarantined:wrong_type")
    right = Quarantined("wms", "e-1", "wrong_type")
    assert judge([broken], replace(HELD, quarantine=[right])).is_good
    other = judge([broken], replace(HELD, quarantine=[Quarantined("wms", "e-1", "not_money")]))
    assert found(other) == ["it is not in quarantine for this reason"]
    assert other.false_alarms == [("quarantined: not_money", 1)]
    unmended = judge([broken], replace(HELD, quarantine=[right], events={}))
    assert found(unmended) == ["the event never came in"]


def test_a_case_counts_by_its_type_and_what_it_is_about() -> None:
    rejected = fault("store_reject", "f-1", expected="case:fulfilment_rejected")
    for case, is_met in (
        (Case("fulfilment_rejected", "f-1", True), True),
        (Case("fulfilment_rejected", "f-2", True), False),
        (Case("dead_letter", "f-1", True), False),
    ):
        score = judge([rejected], replace(HELD, cases=[case]))
        assert (score.misses == []) == (score.false_alarms == []) == is_met


@pytest.mark.parametrize(
    ("is_open", "is_delivered", "words"),
    [
        (True, False, []),
        (False, True, []),
        (True, True, ["delivered, and still open"]),
        (False, False, ["closed before it was delivered"]),
    ],
)
def test_a_silent_parcel_has_an_open_case_until_it_is_delivered(
    is_open: bool, is_delivered: bool, words: list[str]
) -> None:
    silent = fault("carrier_silence", "web_shop/A1/S1", expected="case:carrier_silence")
    cases = [Case("carrier_silence", "web_shop/A1/S1", is_open)]
    delivered = frozenset({"web_shop/A1/S1"} if is_delivered else ())
    assert found(judge([silent], replace(HELD, cases=cases, delivered=delivered))) == words


def test_an_interrupted_command_must_be_delivered_without_a_dead_letter() -> None:
    struck = fault("server_error", key="order-1", reference="c-1")
    assert judge([struck], replace(HELD, commands={"c-1": "delivered"})).is_good
    assert found(judge([struck], replace(HELD, commands={"c-1": "dead"}))) == [
        "the command is dead"
    ]
    given_up = Case("dead_letter", "wms/order-1", is_open=True)
    score = judge([struck], replace(HELD, commands={"c-1": "delivered"}, cases=[given_up]))
    assert found(score) == ["a case dead_letter was opened"]


def test_what_was_to_strike_later_has_not_been_missed() -> None:
    later = Fault("late", NOW + timedelta(hours=1), "wms", "web_shop/A1", "e-9")
    score = judge([later], HELD)
    assert (score.injected, score.not_due, score.misses) == (0, 1, [])


def test_one_false_alarm_in_a_hundred_orders_is_borne_and_two_are_not() -> None:
    alarms = [Case("illegal_transition", f"web_shop/A{n}", True) for n in range(2)]
    assert judge([], replace(HELD, cases=alarms[:1])).is_good
    assert not judge([], replace(HELD, cases=alarms)).is_good


def test_how_many_false_alarms_are_borne_is_policy() -> None:
    alarm = replace(HELD, cases=[Case("illegal_transition", "web_shop/A1", True)])
    assert not judge([], alarm, most_false_alarms_percent=0.5).is_good
    assert FilePolicyBook(SHIPPED).operations.fault_scoring.most_false_alarms_percent == 1


BOOK = "erp/dc_midlands/MUG"


def drifting(reason: str, units: int, expected: str = "case:stock_drift") -> Fault:
    return Fault(
        f"stock_{reason}",
        OPENING,
        "erp",
        BOOK,
        "c-1/MUG",
        expected,
        drift=Drift(OPENING, OPENING + timedelta(days=2), reason, units),
        over_at=NOW,
    )


def seen(*cases: Case, **coded: int) -> Evidence:
    return replace(HELD, cases=cases, drift={BOOK: {OPENING: coded}})


CLOSED = Case("stock_drift", BOOK, is_open=False)


def test_drift_must_be_given_its_own_reason_to_the_unit() -> None:
    lost = drifting("lost", 8)
    assert judge([lost], seen(CLOSED, lost=8)).is_good
    for coded, words in (
        ({"miscount": 8}, "+8 lost were coded +8 miscount"),
        ({"lost": 6, "miscount": 2}, "+8 lost were coded +6 lost, +2 miscount"),
        ({}, "+8 lost were coded as no drift"),
    ):
        assert found(judge([lost], seen(CLOSED, **coded))) == [words]
    assert found(judge([lost], seen(lost=8))) == ["there is no such case"]


def test_what_is_late_for_other_causes_too_is_late() -> None:
    late = drifting("late", 2, expected="absorbed")
    assert judge([late], seen(late=2)).is_good
    assert judge([late], seen(late=5)).is_good
    assert found(judge([late], seen(late=1))) == ["+2 late were coded +1 late"]
    assert found(judge([late], seen(CLOSED, late=2))) == ["a case stock_drift was opened"]


def test_a_case_is_closed_when_its_cause_was_put_right_and_not_asked_for_before() -> None:
    wrong = drifting("duplicate", -3)
    still_open = seen(Case("stock_drift", BOOK, is_open=True), duplicate=-3)
    assert found(judge([wrong], still_open)) == ["put right, and still open"]
    assert judge([wrong], replace(still_open, now=NOW - timedelta(hours=1))).is_good


def test_drift_that_nothing_explains_is_a_false_alarm_unless_it_is_late() -> None:
    assert judge([], seen(late=4)).false_alarms == []
    assert judge([], seen(miscount=1, late=2)).false_alarms == [("drift: miscount", 1)]
    other = drifting("duplicate", 3)
    assert judge([other], seen(CLOSED, miscount=3)).false_alarms == [("drift: miscount", 1)]


# What the home holds


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=10))
    with shop.store.transaction() as connection:
        write_clock(connection, "simulated", NOW)
    yield shop
    shop.close()


def of(event: Event, kind: str = "late", expected: str = "absorbed") -> Fault:
    key = f"web_shop/{event['subject']}"
    return Fault(kind, OPENING, event["source"], key, event["id"], expected)


def score_of(shop: Shop, *faults: Fault) -> FaultScore:
    with shop.store.transaction() as connection:
        return judge(faults, gather(connection, faults))


def test_every_step_of_an_order_is_found_in_its_ledger(shop: Shop) -> None:
    story = [order_placed("A1", ("MUG", 2, "2.50")), *happy_ending("A1", "MUG", 2, "5.00", at=0)]
    shop.tell(*story)
    assert score_of(shop, *map(of, story)).misses == []


@pytest.mark.parametrize(
    ("table", "position"),
    [("order_line", 0), ("stock_movement", 2), ("payment_movement", 3), ("shipment_delivered", 4)],
)
def test_a_step_that_is_not_in_its_ledger_is_a_miss(shop: Shop, table: str, position: int) -> None:
    story = [order_placed("A1", ("MUG", 2, "2.50")), *happy_ending("A1", "MUG", 2, "5.00", at=0)]
    shop.tell(*story)
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql(f"delete from {table}")
    score = score_of(shop, *map(of, story))
    assert [miss.reference for miss in score.misses] == [story[position]["id"]]


def test_a_declined_order_must_be_over_and_hold_nothing(shop: Shop) -> None:
    declined = Fault("payment_decline", OPENING, "payment_provider", "web_shop/A1", "A1")
    shop.tell(order_placed("A1", ("MUG", 2, "2.50")))
    assert found(score_of(shop, declined)) == ["the order is awaiting_payment"]
    shop.tell(payment_declined("A1"))
    assert score_of(shop, declined).misses == []
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql("delete from reservation_movement where not is_start")
    assert found(score_of(shop, declined)) == ["the order still holds 2 units"]


def test_the_command_line_scores_a_home_and_fails_for_a_miss(
    shop: Shop,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop.tell(order_placed("A1", ("MUG", 2, "2.50")), payment_authorised("A1", "5.00"))
    shop.tell(cancelled := order_cancelled("A1", at=20))
    description = {"format": 1, "id": "story", "created_at": "2026-03-02T09:00:00+00:00"}
    (tmp_path / "home.json").write_text(json.dumps(description))
    monkeypatch.setenv("OMNIFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("OMNIFLOW_DATABASE_URL", database_url)

    def ask() -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            app(["score", "--json"])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    assert ask()[2] == "omniflow: no sandbox has worked in this home, so nothing was injected\n"
    key = AnswerKey(tmp_path / "sandbox")
    too_late = of(cancelled, "late_cancellation", "case:illegal_transition")
    key.write(too_late)
    returncode, out, _ = ask()
    assert returncode == 0
    assert json.loads(out)["is_good"]
    key.write(of(order_placed("A2", ("MUG", 1, "2.50"))))
    key.close()
    returncode, out, _ = ask()
    assert returncode == 1
    (miss,) = json.loads(out)["misses"]
    assert (miss["business_key"], miss["found"]) == ("web_shop/A2", "the event never came in")
