from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from assets.bulk_loads.expectations import load_suites
from assets.contracts.admission import Submission
from assets.errors import PartnerUnavailable
from assets.quality_gate import judge
from resources import load_gate
from resources.gate_records import close_case
from resources.load_frames import events_of, frames_of
from resources.load_gate import LoadGate, LoadVerdict
from resources.operational_store import invariants
from resources.operational_store.bulk import fetch
from resources.operational_store.door import Door
from resources.operational_store.store import (
    OperationalStore,
    SimulatedClock,
    create_engine,
    write_clock,
)
from resources.partner_poller import PartnerPoller, PollTally
from tests.builders import Event, count, minutes, node, product
from tests.builders import event as told
from tests.gates.load_cases import POLICY
from tests.resources.partners.story import IMPATIENT, partner

NOW = minutes(60)


class Talks:
    """A partner that tells these events a page at a time, after others that it told before."""

    def __init__(self, *events: Event, told_before: int = 0) -> None:
        self.told_before = told_before
        self.events = [{**event, "source": "erp"} for event in events]
        self.asked = 0
        self.dies_from = 1_000

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked >= self.dies_from:
            return httpx.Response(503)
        start = int(request.url.params.get("acknowledge", self.told_before)) - self.told_before
        limit = int(request.url.params["limit"])
        page = self.events[start : start + limit]
        end = start + len(page)
        return httpx.Response(
            200,
            json={
                "events": page,
                "token": str(self.told_before + end),
                "more": end < len(self.events),
            },
        )


@pytest.fixture
def store(database_url: str) -> Iterator[OperationalStore]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        write_clock(connection, "simulated", NOW)
    yield OperationalStore(engine, SimulatedClock(NOW))
    engine.dispose()


def poll(store: OperationalStore, partner_system: Talks, page: int = 3) -> PollTally:
    session = httpx.Client(transport=httpx.MockTransport(partner_system))
    poller = PartnerPoller(
        store.engine,
        Door(),
        partner("erp", "http://127.0.0.1:1"),
        session=session,
        resilience=IMPATIENT,
        page=page,
        loads=POLICY,
    )
    try:
        return poller.poll(NOW)
    finally:
        session.close()


def judged(store: OperationalStore) -> LoadVerdict:
    (verdict,) = LoadGate(store, POLICY).judge_awaiting()
    return verdict


def rows(store: OperationalStore, statement: str) -> list[tuple[Any, ...]]:
    with store.transaction() as connection:
        return fetch(connection, statement)


def statuses(store: OperationalStore) -> dict[str, int]:
    return dict(rows(store, "select status, count(*)::int from event_inbox group by status"))


def failures(verdict: LoadVerdict) -> dict[str, list[str]]:
    return {
        suite: [failure.expectation for failure in found]
        for suite, found in verdict.failures.items()
        if found
    }


def catalogue(count: int = 6, **changes: Any) -> list[Event]:
    return [product(f"MUG{number}", **changes) for number in range(count)]


def price(sku: str, amount: str, at: float = 0, **changes: Any) -> Event:
    data = {"sku": sku, "price_channel": "web_shop", "unit_price": amount, "currency": "GBP"}
    return told("retail.price.changed.v1", f"price-{sku}-{at}", sku, at, data={**data, **changes})


def test_a_catalogue_waits_for_its_gate_and_goes_on_when_it_is_sound(
    store: OperationalStore,
) -> None:
    assert poll(store, Talks(*catalogue())).staged == 6
    assert statuses(store) == {"waiting": 6}
    assert store.drain_all().applied == 0

    verdict = judged(store)
    assert (verdict.accepted, verdict.quarantined, verdict.waiting) == (6, 0, 0)
    assert failures(verdict) == {}
    assert store.drain_all().applied == 6
    ((accepted, detail),) = rows(
        store, "select accepted, detail from gate_pointer where gate = 'load.erp'"
    )
    assert [(accepted,)] == rows(store, "select max(inbox_id)::text from event_inbox")
    assert detail["product_load"]["rows"] == 6
    assert LoadGate(store, POLICY).judge_awaiting() == []


def test_a_small_poll_is_not_judged(store: OperationalStore) -> None:
    assert poll(store, Talks(*catalogue(3))) == PollTally(received=3, accepted=3)
    assert statuses(store) == {"pending": 3}


def test_a_poll_of_two_pages_that_is_no_load_goes_on_when_its_last_page_has_come(
    store: OperationalStore,
) -> None:
    counts = [count("dc_midlands", at=number, MUG=number) for number in range(5)]
    assert poll(store, Talks(*counts)) == PollTally(received=5, accepted=5)
    assert statuses(store) == {"pending": 5}
    assert rows(store, "select count(*)::int from event_inbox where waiting_since is null") == [
        (5,)
    ]


def test_many_events_are_a_load_whatever_they_are(store: OperationalStore) -> None:
    counts = [count("dc_midlands", at=number, MUG=number) for number in range(8)]
    assert poll(store, Talks(*counts)).staged == 8


def test_a_load_that_is_interrupted_is_judged_whole_when_the_rest_has_come(
    store: OperationalStore,
) -> None:
    erp = Talks(*catalogue())
    erp.events += [{**product("LATE"), "source": "erp"}]
    erp.dies_from = 2
    with pytest.raises(PartnerUnavailable):
        poll(store, erp)
    assert statuses(store) == {"waiting": 3}
    assert LoadGate(store, POLICY).judge_awaiting() == []
    assert store.drain_all().applied == 0

    erp.dies_from = 1_000
    assert poll(store, erp) == PollTally(received=4, accepted=4, staged=7)
    assert judged(store).accepted == 7


def test_an_event_that_fails_by_itself_is_quarantined_with_its_place_and_the_others_go_on(
    store: OperationalStore,
) -> None:
    poll(store, Talks(*catalogue(), product("mug")))
    verdict = judged(store)
    assert failures(verdict) == {"product_load": ["sku_is_upper_case"]}
    assert (verdict.accepted, verdict.quarantined, verdict.waiting) == (6, 1, 0)
    assert rows(store, "select event_id, reason_code, reason, position from quarantined_event") == [
        (
            "product-mug--60",
            "bulk_load_gate",
            "the SKU is not in capitals, as the ERP writes it",
            "load erp[6]",
        )
    ]
    assert rows(store, "select business_key, owner, status from exception_case") == [
        ("product_load/erp/sku_is_upper_case", "master_data", "open")
    ]
    assert store.drain_all().applied == 6
    with store.transaction() as connection:
        broken = [law.id for law in invariants.check(connection) if not law.holds]
    assert broken == []


def test_what_was_accepted_passes_when_it_is_judged_again(store: OperationalStore) -> None:
    poll(store, Talks(*catalogue(), product("mug"), node("dc_midlands"), price("MUG1", "0")))
    with store.transaction() as connection:
        frames = {"event_load": events_of(connection, "erp", NOW - timedelta(days=400))}
        frames |= frames_of(connection, frames["event_load"])
    assert judged(store).quarantined == 2
    pending = {i for (i,) in rows(store, "select inbox_id from event_inbox where status='pending'")}
    suites = load_suites(POLICY)
    assert set(frames) == set(suites)
    for name, frame in frames.items():
        accepted = frame[frame["inbox_id"].isin(pending)]
        assert judge(accepted, suites[name]).failures == (), name


@pytest.mark.parametrize(
    ("events", "suite", "expectation", "owner"),
    [
        (
            [*catalogue(), product("MUG1", cost="2.00", event_id="another")],
            "product_load",
            "sku_is_told_once",
            "master_data",
        ),
        (
            [*catalogue(), product("MUG1", event_id="again")],
            "event_load",
            "each_fact_is_told_once",
            "integration",
        ),
        (
            [*catalogue(), price("MUG1", "1.00"), {**price("MUG1", "2.00"), "id": "another"}],
            "price_load",
            "price_is_told_once",
            "pricing",
        ),
    ],
    ids=["two products", "sent again", "two prices"],
)
def test_a_load_that_contradicts_itself_waits_whole_until_its_case_is_closed(
    store: OperationalStore, events: list[Event], suite: str, expectation: str, owner: str
) -> None:
    poll(store, Talks(*events))
    verdict = judged(store)
    assert expectation in failures(verdict)[suite]
    assert (verdict.accepted, verdict.quarantined, verdict.waiting) == (0, 0, len(events))
    assert store.drain_all().applied == 0
    assert rows(store, "select accepted from gate_pointer where gate = 'load.erp'") == [("0",)]
    cases = rows(store, "select business_key, owner from exception_case")
    assert (f"{suite}/erp/{expectation}", owner) in cases
    assert ("event_load/erp/load_is_held_whole", "integration") in cases
    ((condition,),) = rows(store, "select distinct release_condition from event_inbox")
    with store.transaction() as connection:
        assert close_case(connection, condition.removeprefix("case:"), NOW) == len(events)
    assert statuses(store) == {"pending": len(events)}


def test_what_fails_by_itself_in_a_load_that_is_held_whole_never_goes_on(
    store: OperationalStore,
) -> None:
    events = [*catalogue(), product("MUG1", event_id="again"), price("MUG2", "0.00")]
    poll(store, Talks(*events))
    verdict = judged(store)
    assert (verdict.accepted, verdict.quarantined, verdict.waiting) == (0, 1, len(events) - 1)
    ((condition,),) = rows(
        store, "select distinct release_condition from event_inbox where status = 'waiting'"
    )
    with store.transaction() as connection:
        close_case(connection, condition.removeprefix("case:"), NOW)
    assert statuses(store) == {"pending": len(events) - 1, "quarantined": 1}


def test_events_that_arrive_while_a_load_is_judged_are_not_let_through_with_it(
    store: OperationalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll(store, Talks(*catalogue()))
    read = load_gate.events_of

    def meanwhile(*arguments: Any) -> Any:
        found = read(*arguments)
        late = [product(f"LATE{number}") for number in range(7)]
        poll(store, Talks(*late, told_before=6))
        return found

    monkeypatch.setattr(load_gate, "events_of", meanwhile)
    verdict = judged(store)
    assert verdict.accepted == 6
    assert statuses(store) == {"pending": 6, "waiting": 7}


@pytest.mark.parametrize(
    ("cost", "expected"),
    [("1.05", {}), ("100.00", {"product_load": ["costs_keep_their_size"]})],
    ids=["a little dearer", "in pence"],
)
def test_a_catalogue_in_another_unit_is_held_whole(
    store: OperationalStore, cost: str, expected: dict[str, list[str]]
) -> None:
    poll(store, Talks(*catalogue(cost="1.00")))
    judged(store)
    store.drain_all()
    poll(store, Talks(*catalogue(cost=cost, at=-30), told_before=6))
    verdict = judged(store)
    assert failures(verdict) == expected
    assert (verdict.accepted, verdict.waiting) == ((0, 6) if expected else (6, 0))


def test_a_rule_that_breaks_down_holds_the_whole_load(
    store: OperationalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zoneinfo

    def away() -> set[str]:
        raise OSError("the time zone database is away")

    poll(store, Talks(*catalogue(4), node("dc_midlands")))
    monkeypatch.setattr(zoneinfo, "available_timezones", away)
    verdict = judged(store)
    assert failures(verdict) == {"node_load": ["zone_is_known"]}
    assert (verdict.accepted, verdict.waiting) == (0, 5)
    ((reason,),) = rows(
        store, "select reason from exception_case where business_key like 'node_load/%%'"
    )
    assert "could not be evaluated (OSError: the time zone database is away)" in reason


def test_a_load_of_another_partner_goes_on_beside_one_that_waits(store: OperationalStore) -> None:
    poll(store, Talks(*catalogue()))
    with store.transaction() as connection:
        body = json.dumps({**product("OTHER"), "source": "crm"}).encode()
        Door().admit(connection, [Submission("crm", body, "test")])
    assert store.drain_all().applied == 1
