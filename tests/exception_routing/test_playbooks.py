"""What is done about a case before a person is asked: once, in time, and never for too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.errors import PolicyError
from assets.ports import About, Case, CaseType, Playbook, StartedBy, TroubledCase
from resources.operational_store import acting
from resources.operational_store import store as operational
from resources.operational_store.cases import case_id
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    count,
    inbound,
    minutes,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_declined,
    payment_screened,
    pickup_placed,
    product,
)

DAY = 24 * 60
AWAY = "issuer_unavailable"
SENSOR = StartedBy("run-1", "sensor:playbooks")


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Five hats in the warehouse and ten in Leeds; every story ends lawfully."""
    shop = stocked(Shop(database_url))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def stocked(shop: Shop) -> Shop:
    shop.tell(product("HAT", cost="4.00"), count(WAREHOUSE, HAT=5), count(LEEDS, HAT=10))
    return shop


def wait(shop: Shop, at: float) -> int:
    """Let time pass and playbooks act; gives how many actions they took."""
    shop.clock.advance(minutes(at))
    acted = shop.store.run_waiting_playbooks(SENSOR)
    shop.wait_until(at)
    return acted


def actions(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select playbook, action_number, outcome, cost::text, run_id, actor from playbook_action"
        " order by occurred_at, case_id, action_number"
    )


def case(shop: Shop, case_type: str) -> tuple[str, str | None]:
    ((status, resolution),) = shop.rows(
        "select status, resolution from exception_case where case_type = :t", t=case_type
    )
    return status, resolution


def retries(shop: Shop) -> int:
    return sum("attempt" in payload for _, payload in shop.commands("payment.authorise"))


# Payments


def test_a_payment_whose_issuer_is_away_is_asked_for_again_and_then_the_order_goes_on(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_declined("A1", reason=AWAY))
    assert shop.status("A1") == "awaiting_payment"
    assert case(shop, "payment_failed") == ("open", None)
    assert wait(shop, 1) == 0
    assert wait(shop, 2) == 1
    assert retries(shop) == 1
    shop.tell(payment_authorised("A1", "9.00", at=4, reference="pay-again"))
    assert shop.status("A1") == "allocated"
    assert case(shop, "payment_failed") == ("closed", "the payment was authorised")
    assert wait(shop, 60) == 0
    assert actions(shop) == [("retry_payment", 1, "done", "0.1000", "run-1", "sensor:playbooks")]


def test_after_the_last_step_of_the_ladder_the_order_ends_and_its_stock_is_free(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")))
    for attempt, at in ((1, 1), (2, 12), (3, 30)):
        shop.tell(payment_declined("A1", at=at, reason=AWAY, attempt=attempt))
        wait(shop, at + 10)
    assert retries(shop) == 2
    assert shop.status("A1") == "declined"
    assert shop.position("HAT") == (5, 0, 0)
    assert case(shop, "payment_failed") == ("closed", "payment declined")


def test_a_card_without_money_is_not_asked_again(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_declined("A1"))
    assert shop.status("A1") == "declined"
    assert shop.cases() == []


def test_an_order_that_is_taken_back_meanwhile_needs_no_payment(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_declined("A1", reason=AWAY))
    shop.tell(order_cancelled("A1", at=2))
    assert wait(shop, 5) == 0
    assert case(shop, "payment_failed") == ("closed", "cancelled")


# Stock


def lose_three_hats(shop: Shop) -> None:
    """Three hats are promised from the warehouse, which then finds one only."""
    shop.tell(order_placed("A1", ("HAT", 3, "9.00")))
    shop.tell(adjustment("W1", HAT=-4, at=2))
    assert shop.position("HAT") == (1, 0, 0)


def test_what_a_node_does_not_have_is_promised_from_another(shop: Shop) -> None:
    lose_three_hats(shop)
    assert wait(shop, 3) == 1
    assert shop.position("HAT", LEEDS) == (10, 3, 0)
    status, resolution = case(shop, "shortage_after_count")
    assert (status, resolution) == ("closed", "promised from store_leeds instead")
    shop.tell(payment_authorised("A1", "27.00", at=4))
    assert shop.status("A1") == "allocated"
    assert shop.position("HAT", LEEDS) == (10, 0, 3)


def test_where_no_other_node_has_it_the_case_stays_for_a_person(shop: Shop) -> None:
    shop.tell(adjustment("W0", LEEDS, HAT=-10, at=1))
    lose_three_hats(shop)
    assert wait(shop, 3) == 1
    assert case(shop, "shortage_after_count") == ("open", None)
    assert actions(shop)[0][:4] == ("re_source", 1, "nothing_to_do", "0.0000")
    assert wait(shop, 4) == 0


def test_the_supplier_of_what_never_came_is_asked_when_it_will(shop: Shop) -> None:
    shop.tell(product("MUG"), inbound("PO1", due=3 * DAY, MUG=10))
    shop.tell(order_placed("A1", ("MUG", 5, "2.40")), payment_authorised("A1", "12.00"))
    shop.wait_until(40 * DAY)
    wait(shop, 40 * DAY + 1)
    ((_, asked),) = shop.commands("supply.chase")
    assert (asked["order_number"], asked["skus"]) == ("A1", ["MUG"])
    wait(shop, 41 * DAY + 2)
    wait(shop, 50 * DAY)
    assert len(shop.commands("supply.chase")) == 2


def test_a_channel_offers_none_of_what_it_shows_at_a_wrong_price_until_that_is_right(
    shop: Shop,
) -> None:
    shop.wait_until(1)
    offered = f"select published_quantity from channel_availability where channel = '{WEB}'"
    before = shop.value(offered)
    assert before > 0
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases([Case(CaseType.PRICE_PARITY, f"{WEB}/HAT", "9 instead of 8")])
    wait(shop, 2)
    assert shop.value(offered) == 0
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.close_cases(CaseType.PRICE_PARITY, [f"{WEB}/HAT"], "the price is right")
    wait(shop, 3)
    assert shop.value(offered) == before
    assert shop.rows("select ended_at is not null from sale_hold") == [(True,)]


def test_a_held_order_that_nobody_decides_about_is_asked_to_be_cancelled_for_its_stock(
    database_url: str, tmp_path: Path
) -> None:
    shop = stocked(Shop(database_url, policies(tmp_path, "release_stock", at_minutes=[5])))
    held(shop, "A1", ("HAT", 1, "300.00"), "300.00")
    held(shop, "A2", ("HAT", 2, "900.00"), "1800.00")
    assert wait(shop, 8) == 2
    shop.store.drain_all()
    # The small one at once; of the dear one people decide, as when anybody else asks.
    assert (shop.status("A1"), shop.status("A2")) == ("cancelled", "held")
    assert shop.rows("select subject_type, requested_by, status from approval_request") == [
        ("order_cancellation", "policy:playbooks", "pending")
    ]
    shop.close()


def held(shop: Shop, number: str, line: tuple[str, int, str], amount: str) -> None:
    shop.tell(pickup_placed(number, line), payment_authorised(number, amount))
    shop.tell(payment_screened(number, "held"))
    assert shop.status(number) == "held"


# Customers


def test_a_customer_whose_last_promise_broke_hears_of_it_once_and_a_person_looks(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_authorised("A1", "9.00"))
    for day in range(1, 25):
        wait(shop, day * DAY)
    assert case(shop, "promise_broken") == ("open", None)
    assert shop.messages().count("promise_moved") == 2
    assert shop.messages().count("being_looked_into") == 1


# How often, by whom, for how much


def failed_payments(shop: Shop, numbers: list[str]) -> None:
    for number in numbers:
        shop.tell(order_placed(number, ("HAT", 1, "9.00")), payment_declined(number, reason=AWAY))


def policies(folder: Path, playbook: str, **changes: Any) -> FilePolicyBook:
    whole = yaml.safe_load((SHIPPED / "playbooks.yaml").read_text())
    whole["values"]["playbooks"][playbook] |= changes
    (folder / "playbooks.yaml").write_text(yaml.safe_dump(whole))
    return FilePolicyBook(folder)


def test_what_would_cost_more_than_a_day_may_is_left_to_a_person_who_hears_of_it(
    database_url: str, tmp_path: Path
) -> None:
    capped = policies(tmp_path, "retry_payment", most_cost_per_day="0.25")
    shop = stocked(Shop(database_url, capped))
    failed_payments(shop, ["A1", "A2", "A3"])
    wait(shop, 3)
    assert [outcome for _, _, outcome, *_ in actions(shop)].count("over_cap") == 1
    assert retries(shop) == 2
    assert shop.rows("select occasion, recipient from notification") == [
        ("playbook_stopped", "payments")
    ]
    shop.close()


def test_a_case_on_which_a_playbook_fails_does_not_keep_it_from_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_payments(shop, ["A1", "A2", "A3"])
    sound = acting.REMEDIES[Playbook.RETRY_PAYMENT]

    def fails_on_one(cases: list[TroubledCase], unit_of_work: Any) -> Any:
        if any(one.business_key == f"{WEB}/A2" for one in cases):
            raise RuntimeError("a defect")
        return sound(cases, unit_of_work)

    monkeypatch.setitem(acting.REMEDIES, Playbook.RETRY_PAYMENT, fails_on_one)  # type: ignore[arg-type]
    wait(shop, 3)
    assert sorted(outcome for _, _, outcome, *_ in actions(shop)) == ["done", "done", "failed"]
    assert retries(shop) == 2


def test_two_workers_at_once_act_on_each_case_once(shop: Shop) -> None:
    numbers = [f"A{number}" for number in range(5)]
    failed_payments(shop, numbers)
    shop.clock.advance(minutes(5))
    workers = [
        threading.Thread(target=shop.store.run_playbook, args=(Playbook.RETRY_PAYMENT, SENSOR))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(actions(shop)) == len(numbers) == retries(shop)


def test_a_worker_that_dies_has_done_nothing_and_the_next_does_it_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_payments(shop, ["A1"])
    shop.clock.advance(minutes(5))
    finish = operational.SqlUnitOfWork.finish

    def dies(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(operational.SqlUnitOfWork, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.store.run_playbook(Playbook.RETRY_PAYMENT, SENSOR)
    assert (actions(shop), retries(shop)) == ([], 0)
    monkeypatch.setattr(operational.SqlUnitOfWork, "finish", finish)
    assert len(shop.store.run_playbook(Playbook.RETRY_PAYMENT, SENSOR)) == 1
    assert (len(actions(shop)), retries(shop)) == (1, 1)


def test_a_person_may_have_a_playbook_act_on_a_case_before_its_time(shop: Shop) -> None:
    failed_payments(shop, ["A1", "A2"])
    mine = [case_id("payment_failed", f"{WEB}/A1"), case_id("payment_failed", f"{WEB}/B9")]
    done = shop.store.run_playbook(Playbook.RETRY_PAYMENT, StartedBy("run-2", "olga"), mine)
    assert [one.case.business_key for one in done] == [f"{WEB}/A1"]
    assert actions(shop)[0][4:] == ("run-2", "olga")


def test_a_case_that_opens_again_is_acted_on_again(shop: Shop) -> None:
    about = About(channel=WEB)
    for at in (1, 10):
        with shop.store.unit_of_work() as unit_of_work:
            unit_of_work.open_cases([Case(CaseType.PRICE_PARITY, f"{WEB}/HAT", "x", about)])
        assert wait(shop, at) == 1
        with shop.store.unit_of_work() as unit_of_work:
            unit_of_work.close_cases(CaseType.PRICE_PARITY, [f"{WEB}/HAT"], "right")
    assert shop.rows("select cycle from playbook_action order by 1") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"at_minutes": []}, "at_minutes must ascend"),
        ({"at_minutes": [10, 2]}, "at_minutes must ascend"),
        ({"most_cost_per_case": "0.15"}, "does not cover the actions of one case"),
        ({"most_cost_per_day": "0.05"}, "does not cover one action"),
        ({"cost_per_action": "ten"}, "regex"),
        ({"cost": "1"}, "unknown field `cost`"),
    ],
)
def test_a_playbook_that_cannot_be_meant_is_refused_with_its_key(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(PolicyError, match=r"playbooks\.yaml") as refused:
        policies(tmp_path, "retry_payment", **changes)
    assert said in str(refused.value)


def test_a_playbook_that_nobody_described_is_refused(tmp_path: Path) -> None:
    whole = yaml.safe_load((SHIPPED / "playbooks.yaml").read_text())
    del whole["values"]["playbooks"]["hold"]
    (tmp_path / "playbooks.yaml").write_text(yaml.safe_dump(whole))
    with pytest.raises(PolicyError, match="playbooks has no word of hold"):
        FilePolicyBook(tmp_path)


def test_the_time_to_pay_covers_the_whole_ladder(shop: Shop) -> None:
    failed_payments(shop, ["A1"])
    (expires_at,) = shop.rows("select expires_at from order_state where status <> 'new'")[0]
    assert expires_at == minutes(0) + timedelta(minutes=10 + 15)
