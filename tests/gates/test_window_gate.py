from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from resources import window_gate
from resources.gate_records import close_case, open_cases
from resources.gated_tables import TABLES
from resources.operational_store.bulk import copy_into, execute, fetch
from resources.operational_store.store import OperationalStore, create_engine
from resources.window_gate import WindowGate, accounts_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[OperationalStore]:
    engine = create_engine(database_url)
    yield OperationalStore(engine)
    engine.dispose()


def gate(store: OperationalStore) -> WindowGate:
    return WindowGate(store, accounts_of(store.policies.documents))


def order_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def put(connection: sa.Connection, table: str, **columns: Any) -> None:
    copy_into(connection, table, {name: [value] for name, value in columns.items()})


def product(connection: sa.Connection, sku: str = "MUG") -> None:
    put(
        connection,
        "product",
        sku=sku,
        description="a mug",
        standard_cost=10_000,
        currency_code="GBP",
        tax_rate_basis_points=2_000,
        is_synthetic=False,
        occurred_at=NOON,
        effective_at=NOON,
    )


def order(connection: sa.Connection, name: str, sku: str = "MUG", **changes: Any) -> None:
    """An order of three units, none of them found."""
    placed = {
        "order_id": order_id(name),
        "order_number": name,
        "source": "web",
        "legal_entity": "brand_uk",
        "brand": "brand",
        "region": "uk",
        "channel": "web_shop",
        "correlation_id": name,
        "country_code": "GB",
        "service_level": "standard",
        "currency_code": "GBP",
        "line_count": 1,
        "ordered_quantity": 3,
        "goods_amount": 30_000,
        "charge_amount": 0,
        "total_amount": 30_000,
        "trading_date": date(2026, 3, 2),
        "promised_date": date(2026, 3, 5),
        "occurred_at": NOON,
        "effective_at": LATER,
    }
    put(connection, "order_placed", **(placed | changes))
    put(
        connection,
        "order_line",
        order_id=order_id(name),
        line_number=1,
        sku=sku,
        ordered_quantity=3,
        reserved_quantity=0,
        unfilled_quantity=3,
        unfilled_reason_code="out_of_stock",
        unit_price=10_000,
        line_amount=30_000,
        tax_amount=5_000,
        effective_at=LATER,
    )


def pending(
    connection: sa.Connection,
    subject: str,
    data: str = "{}",
    consumer: str = "order_to_fulfillment",
) -> None:
    put(
        connection,
        "event_inbox",
        source="payment_provider",
        event_id=f"event of {subject}",
        event_type="retail.payment.captured.v1",
        consumer=consumer,
        phase=9,
        subject=subject,
        legal_entity="brand_uk",
        brand="brand",
        region="uk",
        channel="web_shop",
        correlation_id=subject,
        data=data,
        occurred_at=NOON,
    )


def waiting(store: OperationalStore) -> list[str]:
    return [
        subject
        for (subject,) in rows(
            store, "select subject from event_inbox where status = 'waiting' order by subject"
        )
    ]


def rows(store: OperationalStore, statement: str) -> list[tuple[Any, ...]]:
    with store.transaction() as connection:
        return fetch(connection, statement)


def test_a_good_window_moves_the_pointer_and_opens_no_case(store: OperationalStore) -> None:
    with store.transaction() as connection:
        product(connection)
        order(connection, "W1")
    for table in ("order_placed", "order_line"):
        (verdict,) = gate(store).close(table)
        assert (verdict.rows, verdict.accepted, verdict.held) == (1, 1, 0)
        assert verdict.failures == ()
        assert rows(store, "select count(*) from exception_case") == [(0,)]
        assert gate(store).close(table) == []
    ((accepted, detail),) = rows(
        store, "select accepted, detail from gate_pointer where gate = 'window.order_line'"
    )
    assert int(accepted) == verdict.closed_below_xid
    assert (detail["rows"], detail["held"]) == (1, 0)


def test_a_bad_line_opens_a_case_and_holds_what_its_order_still_has_before_it(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        product(connection)
        order(connection, "W1")
        order(connection, "W2", sku="GHOST")
        pending(connection, "W1")
        pending(connection, "W2")
    (verdict,) = gate(store).close("order_line")
    assert (verdict.rows, verdict.accepted, verdict.held, verdict.held_events) == (2, 1, 1, 1)
    (case_id,) = verdict.case_ids
    assert rows(store, "select case_type, business_key, owner, status from exception_case") == [
        ("data_quality_gate_failed", "order_line/sku_is_known_holds", "order_desk", "open")
    ]
    assert rows(
        store, "select subject, status, release_condition from event_inbox order by subject"
    ) == [("W1", "pending", None), ("W2", "waiting", f"case:{case_id}")]

    with store.transaction() as connection:
        assert close_case(connection, case_id, LATER) == 1
    assert rows(store, "select distinct status from event_inbox") == [("pending",)]
    assert rows(store, "select status from exception_case") == [("closed",)]


def test_the_same_sentence_broken_again_is_the_same_case_opened_again(
    store: OperationalStore,
) -> None:
    for number in (1, 2):
        with store.transaction() as connection:
            order(connection, f"W{number}", sku="GHOST")
        (verdict,) = gate(store).close("order_line")
        with store.transaction() as connection:
            close_case(connection, verdict.case_ids[0], LATER)
    with store.transaction() as connection:
        order(connection, "W3", sku="GHOST")
    gate(store).close("order_line")
    assert rows(store, "select status, case_count from exception_case") == [("open", 3)]


def test_an_order_whose_lines_say_another_amount_is_held(store: OperationalStore) -> None:
    with store.transaction() as connection:
        product(connection)
        order(connection, "W1", goods_amount=30_001, total_amount=30_001)
    (verdict,) = gate(store).close("order_placed")
    assert [failure.expectation for failure in verdict.failures] == ["lines_agree_holds"]


def test_a_transaction_that_commits_late_is_judged_late_and_not_lost(
    store: OperationalStore,
) -> None:
    with store.engine.connect() as slow, slow.begin():
        order(slow, "LATE")
        with store.transaction() as connection:
            product(connection)
            order(connection, "W1")
        assert gate(store).close("order_line") == []
    (verdict,) = gate(store).close("order_line")
    assert verdict.rows == 2


def test_a_long_window_is_cut_between_transactions(
    store: OperationalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_gate, "WINDOW_ROWS", 2)
    with store.transaction() as connection:
        product(connection)
    for start in range(0, 6, 3):
        with store.transaction() as connection:
            for number in range(start, start + 3):
                order(connection, f"W{number}")
    verdicts = gate(store).close("order_line")
    assert [verdict.rows for verdict in verdicts] == [3, 3]
    with store.transaction() as connection:
        order(connection, "W9")
    assert [verdict.rows for verdict in gate(store).close("order_line", windows=1)] == [1]


@pytest.mark.parametrize("table", TABLES)
def test_every_query_reads_the_columns_of_its_suite(store: OperationalStore, table: str) -> None:
    assert gate(store).close(table) == []


def test_an_unbalanced_entry_is_held_even_where_the_trigger_was_not_asked(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        execute(connection, "alter table journal_line disable trigger user")
        for number, amount in ((1, 100), (2, -99)):
            put(
                connection,
                "journal_line",
                entry_id=order_id("entry"),
                line_number=number,
                entry_kind="capture",
                business_key="W1",
                account_code="1200",
                amount=amount,
                currency_code="GBP",
                legal_entity="brand_uk",
                occurred_at=NOON,
                effective_at=NOON,
            )
    (verdict,) = gate(store).close("journal_line")
    assert [failure.expectation for failure in verdict.failures] == ["entry_balances"]
    assert verdict.held == 2
    assert rows(store, "select owner from exception_case") == [("finance",)]


def test_master_data_are_judged_whole_each_time(store: OperationalStore) -> None:
    with store.transaction() as connection:
        product(connection)
        product(connection, "mug")
    assert [verdict.held for verdict in gate(store).close("product")] == [1]
    with store.transaction() as connection:
        execute(connection, "update product set description = '' where sku = 'MUG'")
    (verdict,) = gate(store).close("product")
    assert {failure.expectation for failure in verdict.failures} == {
        "sku_is_upper_case",
        "product_is_described",
    }


def test_a_bad_product_holds_what_names_it_and_not_what_may_put_it_right(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        product(connection)
        product(connection, "mug")
        pending(connection, "order of it", '{"lines": [{"sku": "MUG"}, {"sku": "mug"}]}')
        pending(connection, "order of another", '{"lines": [{"sku": "MUG"}]}')
        pending(connection, "payment")
        pending(connection, "count of it", '{"lines": [{"sku": "mug"}]}', consumer="inventory")
        pending(connection, "correction", '{"sku": "mug"}', consumer="master_data")
    (verdict,) = gate(store).close("product")
    assert (verdict.held, verdict.held_events) == (1, 2)
    assert waiting(store) == ["count of it", "order of it"]
    with store.transaction() as connection:
        assert close_case(connection, verdict.case_ids[0], LATER) == 2
    assert waiting(store) == []


def test_a_bad_node_holds_what_names_it(store: OperationalStore) -> None:
    with store.transaction() as connection:
        for node_id, zone in (("dc", "Europe/London"), ("store_leeds", "Europe/Atlantis")):
            put(
                connection,
                "node",
                node_id=node_id,
                kind="warehouse",
                zone=zone,
                country_code="GB",
                is_active=True,
                occurred_at=NOON,
                effective_at=NOON,
            )
        pending(connection, "count at it", '{"node_id": "store_leeds"}', consumer="inventory")
        pending(connection, "count elsewhere", '{"node_id": "dc"}', consumer="inventory")
        pending(connection, "despatch from it", '{"node_id": "store_leeds", "lines": []}')
    (verdict,) = gate(store).close("node")
    assert verdict.held_events == 2
    assert waiting(store) == ["count at it", "despatch from it"]
    with store.transaction() as connection:
        assert close_case(connection, verdict.case_ids[0], LATER) == 2


def test_a_doubtful_position_holds_the_sku_and_the_order_that_moved_it(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        product(connection)
        order(connection, "W1")
        put(
            connection,
            "stock_movement",
            node_id="nowhere",
            sku="MUG",
            kind="shipped",
            quantity=-1,
            reason_code="despatch",
            reference_id=order_id("S1"),
            reference_line=1,
            order_id=order_id("W1"),
            occurred_at=NOON,
            effective_at=NOON,
        )
        pending(connection, "W1")
        pending(connection, "W2", '{"lines": [{"sku": "MUG"}]}')
        pending(connection, "W3", '{"lines": [{"sku": "CUP"}]}')
    (verdict,) = gate(store).close("stock_movement")
    assert [failure.expectation for failure in verdict.failures] == ["node_is_known_holds"]
    assert waiting(store) == ["W1", "W2"]


def test_an_event_waits_for_the_case_of_the_sentence_that_its_key_broke(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        product(connection, "mug")
        product(connection, "CUP")
        execute(connection, "update product set currency_code = 'gbp' where sku = 'CUP'")
        pending(connection, "order of the mug", '{"lines": [{"sku": "mug"}]}')
        pending(connection, "order of the cup", '{"lines": [{"sku": "CUP"}]}')
    gate(store).close("product")
    assert rows(
        store,
        "select i.subject, c.business_key from event_inbox i join exception_case c"
        " on i.release_condition = 'case:' || c.case_id order by i.subject",
    ) == [
        ("order of the cup", "product/currency_is_a_code"),
        ("order of the mug", "product/sku_is_upper_case"),
    ]


def test_a_replay_closes_the_windows_of_all_tables_and_names_what_they_hold(
    store: OperationalStore,
) -> None:
    with store.transaction() as connection:
        product(connection, "mug")
        order(connection, "W1", sku="GHOST")
    verdicts = {verdict.table: verdict.held for verdict in gate(store).close_all()}
    assert verdicts == {"product": 1, "order_placed": 0, "order_line": 1}
    with store.transaction() as connection:
        told = open_cases(connection)
    assert told == {
        "order_line/sku_is_known_holds": f"the SKU is not in the master data (1 rows):"
        f" {order_id('W1')}",
        "product/sku_is_upper_case": "the SKU is not in capitals, as the ERP writes it"
        " (1 rows): mug",
    }
    assert gate(store).close_all()[0].table == "product"
