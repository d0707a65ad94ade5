from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contracts.admission import Receipt, Refusal, Submission
from resources.operational_store.door import NOTIFICATION_CHANNEL, Door
from tests.contracts.events import WEB, body, cancellation, line, order, return_request

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def door() -> Door:
    return Door({WEB}, wall=lambda: NOW)


def submission(event: Any, position: str = "webhook", source: str = WEB) -> Submission:
    return Submission(source, event if isinstance(event, bytes) else body(event), position)


def admit(engine: sa.Engine, door: Door, *events: Any) -> list[Receipt]:
    with engine.begin() as connection:
        return door.admit(connection, [submission(event) for event in events])


def outcomes(receipts: list[Receipt]) -> list[str]:
    return [receipt.outcome for receipt in receipts]


def rows(engine: sa.Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


TALLY = """
    select source, event_type, sum(received), sum(accepted), sum(duplicates), sum(quarantined)
    from door_tally group by 1, 2 order by 1, 2
"""
STATUSES = "select event_id, status from event_inbox order by event_id"


def test_an_event_is_stored_with_everything_that_its_consumer_needs(
    engine: sa.Engine, door: Door
) -> None:
    assert admit(engine, door, order("A1")) == [Receipt("accepted", "order-A1")]
    assert rows(
        engine,
        "select source, event_id, event_type, consumer, phase, subject, legal_entity, brand,"
        " region, channel, correlation_id, traceparent, status, occurred_at, effective_at,"
        " data ->> 'order_number' from event_inbox",
    ) == [
        (
            *(WEB, "order-A1", "retail.order.placed.v1", "order_to_fulfillment", 5, "A1"),
            *("uk_ltd", "main", "uk", WEB, "A1", None, "pending"),
            *(datetime(2026, 3, 1, 10, tzinfo=UTC), None, "A1"),
        )
    ]


def test_the_same_event_again_changes_nothing(engine: sa.Engine, door: Door) -> None:
    admit(engine, door, order("A1"))
    written_otherwise = json.dumps(order("A1"), indent=2, sort_keys=True).encode()
    assert admit(engine, door, written_otherwise) == [Receipt("duplicate", "order-A1")]
    assert rows(engine, STATUSES) == [("order-A1", "pending")]
    assert rows(engine, TALLY) == [(WEB, "retail.order.placed.v1", 2, 1, 1, 0)]


def test_the_same_id_with_another_body_is_quarantined_and_never_applied(
    engine: sa.Engine, door: Door
) -> None:
    admit(engine, door, order("A1"))
    other = order("A1", [line(quantity=9)])
    receipts = admit(engine, door, other)
    assert [(r.outcome, r.reason_code) for r in receipts] == [("conflict", "id_conflict")]
    assert rows(engine, "select data -> 'lines' -> 0 ->> 'quantity' from event_inbox") == [("1",)]
    assert rows(
        engine, "select source, event_id, event_type, reason_code, position from quarantined_event"
    ) == [(WEB, "order-A1", "retail.order.placed.v1", "id_conflict", "webhook")]
    assert rows(engine, TALLY) == [(WEB, "retail.order.placed.v1", 2, 1, 0, 1)]


def test_what_breaks_its_contract_is_kept_with_reason_position_and_body(
    engine: sa.Engine, door: Door
) -> None:
    broken = order("A1", [line(unit_price="2.55555")])
    with engine.begin() as connection:
        receipts = door.admit(connection, [submission(broken, "orders.csv:12")])
    assert [(r.outcome, r.event_id, r.reason_code, r.pointer) for r in receipts] == [
        ("quarantined", "order-A1", "money_precision", "$.data.lines[0].unit_price")
    ]
    assert rows(
        engine,
        "select event_id, event_type, reason_code, position, convert_from(body, 'UTF8'), status"
        " from quarantined_event inner join quarantined_body using (source, body_hash)",
    ) == [
        (
            *("order-A1", "retail.order.placed.v1", "money_precision", "orders.csv:12"),
            *(body(broken).decode(), "open"),
        )
    ]
    assert rows(engine, STATUSES) == []


def test_rubbish_does_not_hold_up_what_came_with_it(engine: sa.Engine, door: Door) -> None:
    rubbish = [b"", b"\x00\xff", b"[]", b'{"id": "\\u0000", "type": "\\ud800"}', b'{"id": 1}']
    assert outcomes(admit(engine, door, *rubbish, order("A1"))) == ["quarantined"] * 5 + [
        "accepted"
    ]
    assert rows(engine, TALLY) == [
        (WEB, "retail.order.placed.v1", 1, 1, 0, 0),
        (WEB, "unknown", 5, 0, 0, 5),
    ]


def test_one_batch_may_hold_the_same_event_twice(engine: sa.Engine, door: Door) -> None:
    other = order("A1", [line(sku="CUP")])
    assert outcomes(admit(engine, door, order("A1"), order("A1"), other, order("A2"))) == [
        *("accepted", "duplicate", "conflict", "accepted")
    ]
    assert rows(engine, STATUSES) == [("order-A1", "pending"), ("order-A2", "pending")]


def test_two_sources_may_use_the_same_id(engine: sa.Engine) -> None:
    door = Door({WEB, "market"}, wall=lambda: NOW)
    with engine.begin() as connection:
        receipts = door.admit(
            connection,
            [submission(order("A1")), submission(order("A1", source="market"), source="market")],
        )
    assert outcomes(receipts) == ["accepted", "accepted"]


def test_a_stranger_is_quarantined(engine: sa.Engine, door: Door) -> None:
    with engine.begin() as connection:
        receipts = door.admit(connection, [submission(order("A1"), source="stranger")])
    assert [r.reason_code for r in receipts] == ["unknown_source"]


def test_an_event_whose_flow_is_not_built_waits_for_it(engine: sa.Engine, door: Door) -> None:
    assert outcomes(admit(engine, door, return_request("R1"))) == ["accepted"]
    assert rows(
        engine, "select status, waiting_reason, release_condition, waiting_since from event_inbox"
    ) == [
        (
            *("waiting", "consumer_not_built", "flow:return_to_resolution"),
            datetime(2026, 3, 1, 10, tzinfo=UTC),
        )
    ]


def test_events_are_numbered_in_the_order_in_which_they_were_submitted(
    engine: sa.Engine, door: Door
) -> None:
    admit(engine, door, order("Z"), order("B"), cancellation("Z"), order("A"))
    assert rows(engine, "select event_id from event_inbox order by inbox_id") == [
        ("order-Z",),
        ("order-B",),
        ("cancel-Z",),
        ("order-A",),
    ]


def test_a_caller_that_rolls_back_leaves_nothing(engine: sa.Engine, door: Door) -> None:
    with engine.connect() as connection:
        door.admit(connection, [submission(order("A1")), submission(b"rubbish")])
        connection.rollback()
    assert rows(engine, STATUSES) == []
    assert rows(engine, TALLY) == []
    assert outcomes(admit(engine, door, order("A1"))) == ["accepted"]


def test_of_two_doors_that_admit_the_same_event_at_once_one_accepts_it(
    engine: sa.Engine, door: Door
) -> None:
    second: list[Receipt] = []

    def admit_second() -> None:
        # The other way round: doors that claimed in the order of arrival would block each other.
        second.extend(admit(engine, door, order("A3"), order("A2"), order("A1")))

    with engine.begin() as connection:
        first = door.admit(
            connection, [submission(order("A1")), submission(order("A2", [line(sku="CUP")]))]
        )
        thread = threading.Thread(target=admit_second)
        thread.start()
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        deadline = time.monotonic() + 10
        while rows(engine, waiting) == [(0,)] and time.monotonic() < deadline:
            time.sleep(0.01)
    thread.join(10)
    assert outcomes(first) == ["accepted", "accepted"]
    assert outcomes(second) == ["accepted", "conflict", "duplicate"]


def test_a_door_that_waited_for_one_that_gave_up_accepts_the_event(
    engine: sa.Engine, door: Door
) -> None:
    second: list[Receipt] = []
    with engine.connect() as connection:
        door.admit(connection, [submission(order("A1"))])
        thread = threading.Thread(target=lambda: second.extend(admit(engine, door, order("A1"))))
        thread.start()
        connection.rollback()
    thread.join(10)
    assert outcomes(second) == ["accepted"]


def test_consumers_are_woken_once_and_only_for_what_they_can_do(
    engine: sa.Engine, door: Door, database_url: str
) -> None:
    listener = sa.create_engine(database_url).raw_connection().driver_connection
    assert listener is not None
    try:
        listener.autocommit = True
        listener.execute(f"listen {NOTIFICATION_CHANNEL}")
        admit(engine, door, order("A1"), order("A2"), return_request())
        admit(engine, door, order("A1"))
        heard = [notify.payload for notify in listener.notifies(timeout=0.2)]
    finally:
        listener.close()
    assert heard == ["order_to_fulfillment"]


def test_a_row_that_never_became_an_event_is_quarantined_once(
    engine: sa.Engine, door: Door
) -> None:
    refusal = Refusal(WEB, b"A1;MUG;minus one", "orders.csv:7", "bad_row", "quantity is no number")
    for _ in range(2):
        with engine.begin() as connection:
            door.refuse(connection, [refusal])
    assert rows(engine, "select position, reason_code, reason from quarantined_event") == [
        ("orders.csv:7", "bad_row", "quantity is no number")
    ]
    assert rows(engine, TALLY) == [(WEB, "unknown", 2, 0, 0, 2)]


def test_what_was_quarantined_comes_in_once_its_source_is_known(
    engine: sa.Engine, door: Door
) -> None:
    stranger = order("A1", source="market")
    with engine.begin() as connection:
        door.admit(
            connection,
            [
                submission(stranger, source="market"),
                submission(order("A2", [line(quantity=-1)])),
            ],
        )
    ids = [number for (number,) in rows(engine, "select quarantine_id from quarantined_event")]
    wider = Door({WEB, "market"}, wall=lambda: NOW)
    with engine.begin() as connection:
        receipts = wider.replay_quarantined(connection, ids)
    assert sorted(outcomes(list(receipts.values()))) == ["accepted", "quarantined"]
    assert rows(engine, "select reason_code, status from quarantined_event order by 1") == [
        ("negative_quantity", "open"),
        ("unknown_source", "replayed"),
    ]
    assert rows(engine, STATUSES) == [("order-A1", "pending")]
    with engine.begin() as connection:
        assert list(wider.replay_quarantined(connection, ids).values()) == [
            receipt for receipt in receipts.values() if receipt.outcome == "quarantined"
        ]


deliveries = st.lists(
    st.one_of(
        st.sampled_from(["A1", "A2", "A3"]).map(order),
        st.sampled_from(["A1", "A2"]).map(lambda number: order(number, [line(quantity=7)])),
        st.sampled_from(["A1", "A2"]).map(cancellation),
        st.sampled_from([b"rubbish", b"{}"]),
        st.just(order("A4", [line(quantity=0)])),
    ),
    max_size=12,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=st.lists(deliveries, max_size=4))
def test_nothing_is_lost_and_nothing_is_doubled_however_it_is_delivered(
    engine: sa.Engine, door: Door, batches: list[list[Any]]
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "truncate event_identity, event_inbox, quarantined_event, quarantined_body,"
                " door_tally"
            )
        )
    receipts = [receipt for batch in batches for receipt in admit(engine, door, *batch)]
    sent = [event for batch in batches for event in batch]
    assert len(receipts) == len(sent)
    tally = rows(
        engine, "select sum(received), sum(accepted + duplicates + quarantined) from door_tally"
    )
    assert tally == [(len(sent), len(sent))] if sent else tally == [(None, None)]
    accepted = sorted(str(r.event_id) for r in receipts if r.outcome == "accepted")
    assert [event_id for event_id, _ in rows(engine, STATUSES)] == accepted
    assert len(set(accepted)) == len(accepted)
