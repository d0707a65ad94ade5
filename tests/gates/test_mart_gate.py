from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from resources.gated_marts import MARTS
from resources.mart_gate import MartGate
from resources.operational_store.bulk import fetch
from resources.operational_store.store import OperationalStore, create_engine


@pytest.fixture
def copy() -> Iterator[duckdb.DuckDBPyConnection]:
    """A small published copy: two orders, one node, as dbt would have built it."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("""
        create schema core; create schema marts;
        create table marts.order_promise_performance as
        select
            name as order_id, name as order_number, 'web_shop' as channel, 'uk' as region,
            'brand' as brand, date '2026-03-02' as trading_date, date '2026-03-05' as promised_date,
            date '2026-03-05' as last_promised_date, 1 as promise_count,
            cast(null as text) as moved_because_code, true as is_on_last_promise,
            timestamptz '2026-03-02 12:00+00' as placed_at,
            timestamptz '2026-03-03 12:00+00' as dispatched_at,
            timestamptz '2026-03-04 12:00+00' as delivered_at,
            'delivered' as status, 'kept' as outcome, cast(null as text) as cause_code,
            false as is_open, true as is_in_full, true as is_on_time, 0 as late_day_count,
            3::bigint as ordered_quantity, 3::bigint as filled_quantity,
            0::bigint as unfilled_quantity, 3::bigint as shipped_quantity, 'GBP' as currency_code,
            cast(9 as decimal(18, 4)) as ordered_total_amount, 1 as order_line_count
        from (values ('W1'), ('W2')) as orders(name);
        create table core.fct_orders as select * from marts.order_promise_performance;
        create table marts.fulfillment_backlog as
        select
            timestamptz '2026-03-04 12:00+00' as as_of_at, date '2026-03-04' as as_of_date,
            'dc' as node_id, 'web_shop' as channel, 'allocated' as status,
            'under_1_day' as age_bucket, 'GBP' as currency_code, 1::bigint as open_order_count,
            0::bigint as overdue_order_count, 3::bigint as open_quantity,
            cast(9 as decimal(18, 4)) as open_amount,
            timestamptz '2026-03-04 11:00+00' as oldest_placed_at;
        create table marts.order_cycle_times as
        select
            'web_shop' as channel, 'uk' as region, 'brand' as brand, 'day' as period,
            date '2026-03-02' as period_start_date,
            'placed_to_delivered' as stage, 2::bigint as order_count,
            2::bigint as placed_order_count,
            cast(48 as decimal(18, 4)) as median_hours, cast(48 as decimal(18, 4)) as p90_hours,
            cast(48 as decimal(18, 4)) as p95_hours, cast(48 as decimal(18, 4)) as p99_hours,
            345600::bigint as total_seconds;
        create table core.fct_decisions as
        select 'D1' as decision_id, 'filled' as outcome, 'hash' as policy_hash;
        create table marts.sourcing_decisions as
        select
            'D1' as decision_id, 'W1' as order_id, 'W1' as order_number, 1 as decision_number,
            'web_shop' as channel, 'uk' as region, 'brand' as brand,
            date '2026-03-02' as trading_date, timestamptz '2026-03-02 12:00+00' as decided_at,
            'sourcing' as decision_kind, 'filled' as outcome, '[]' as reason_codes,
            'exact' as method, 'normal' as mode, true as is_promise_feasible, 'dc' as node_ids,
            1 as planned_shipment_count, false as is_split, 3::bigint as ordered_quantity,
            3::bigint as reserved_quantity, 'hash' as policy_hash;
        create table marts.fulfillment_exceptions as
        select
            'case' as exception_id, 'carrier_silence' as exception_type,
            'carrier' as exception_area, 'open' as state, 'fulfilment' as owner,
            'W1' as order_id, 'W1' as order_number, 'web_shop/W1/S1' as business_key,
            'web_shop' as channel, timestamptz '2026-03-04 12:00+00' as opened_at,
            cast(null as timestamptz) as closed_at, 1 as occurrence_count,
            cast(1 as decimal(18, 4)) as open_hours;
        create table marts.fulfillment_exception_rates as
        select
            'web_shop' as channel, 'uk' as region, 'brand' as brand, 'week' as period,
            date '2026-03-02' as period_start_date, 2::bigint as order_count,
            1::bigint as exception_order_count, cast(0.5 as decimal(18, 4)) as exception_rate,
            0::bigint as stock_not_there_order_count, 0::bigint as node_did_not_do_it_order_count,
            0::bigint as screening_order_count, 1::bigint as carrier_order_count,
            0::bigint as customer_order_count, 0::bigint as money_order_count,
            0::bigint as message_order_count, 1::bigint as exception_count,
            1::bigint as open_exception_count, 0::bigint as closed_exception_count,
            0::bigint as total_open_seconds,
            cast(null as decimal(18, 4)) as median_open_hours,
            cast(null as decimal(18, 4)) as p90_open_hours,
            cast(null as decimal(18, 4)) as p95_open_hours,
            cast(null as decimal(18, 4)) as p99_open_hours;
        create table core.fct_stock_movements as
        select
            date '2026-03-01' + day as trading_date, 'dc' as node_id, sku,
            10::bigint as moved_quantity
        from (values (0), (1)) as days(day), (values ('MUG'), ('CUP')) as skus(sku);
        create table marts.inventory_position_daily as
        select
            trading_date, node_id, sku,
            case when trading_date = date '2026-03-01' then 0 else 10 end::bigint
                as opening_quantity,
            10::bigint as received_quantity, 0::bigint as adjusted_quantity,
            0::bigint as shipped_quantity,
            case when trading_date = date '2026-03-01' then 10 else 20 end::bigint
                as closing_quantity
        from core.fct_stock_movements;
        create table core.fct_inventory_snapshot_lines as
        select
            date '2026-03-02' as trading_date, 'wms' as source_system, 'dc' as place,
            units::bigint as drift_quantity
        from (values (-3), (0)) as lines(units);
        create table marts.inventory_drift as
        select
            date '2026-03-02' as trading_date, 'wms' as source_system, 'node' as place_kind,
            'dc' as place, 'miscount' as reason_code, 'GBP' as currency_code,
            'booked' as what_follows, 2::bigint as compared_line_count,
            1::bigint as drifting_line_count, -3::bigint as net_drift_quantity,
            3::bigint as drift_quantity, cast(7.5 as decimal(18, 4)) as drift_amount,
            -3::bigint as booked_quantity, 0::bigint as proposed_quantity,
            timestamptz '2026-03-02 02:00+00' as as_of_at;
        create table core.fct_availability_publications as
        select
            'web_shop' as channel, 'MUG' as sku, date '2026-03-02' as trading_date,
            timestamptz '2026-03-02 12:00+00' as published_at;
        create table marts.inventory_sync_latency as
        select
            'web_shop' as channel, 'day' as period, date '2026-03-02' as period_start_date,
            1::bigint as message_count,
            1::bigint as published_line_count, 1::bigint as acknowledged_line_count,
            cast(1 as decimal(18, 4)) as acknowledged_share,
            cast(60 as decimal(18, 4)) as median_publication_seconds,
            cast(60 as decimal(18, 4)) as p90_publication_seconds,
            cast(60 as decimal(18, 4)) as p95_publication_seconds,
            cast(60 as decimal(18, 4)) as p99_publication_seconds,
            60::bigint as summed_publication_seconds,
            cast(9 as decimal(18, 4)) as median_acknowledgement_seconds,
            cast(9 as decimal(18, 4)) as p95_acknowledgement_seconds,
            'uk' as region, 'brand' as brand,
            cast(69 as decimal(18, 4)) as p95_total_seconds,
            cast(69 as decimal(18, 4)) as p99_total_seconds,
            69::bigint as longest_total_seconds;
        create table marts.atp_published as
        select
            'web_shop' as channel, 'MUG' as sku, 5::bigint as published_quantity,
            7::bigint as available_quantity, 2::bigint as held_back_quantity, 'limited' as offer,
            'acknowledged' as acknowledgement, 1::bigint as publication_count,
            timestamptz '2026-03-02 11:59+00' as changed_at,
            timestamptz '2026-03-02 12:00+00' as published_at,
            timestamptz '2026-03-02 12:00:09+00' as acknowledged_at;
        create table marts.channel_sales_daily as
        select
            date '2026-03-02' as trading_date, 'web_shop' as channel, 'uk' as region,
            'GBP' as currency_code, 2::bigint as order_count, 2::bigint as order_line_count,
            6::bigint as ordered_quantity, 6::bigint as filled_quantity,
            0::bigint as unfilled_quantity, cast(1 as decimal(18, 4)) as fill_rate,
            cast(18 as decimal(18, 4)) as ordered_amount,
            cast(18 as decimal(18, 4)) as gross_sales_amount,
            cast(0 as decimal(18, 4)) as charge_amount, cast(3 as decimal(18, 4)) as tax_amount,
            cast(15 as decimal(18, 4)) as net_sales_amount;
        create table core.fct_pickups as
        select
            date '2026-03-02' as promised_date, 'store' as node_id, 'web_shop' as channel,
            'uk' as region, 'house' as brand
        from (values (0), (1)) as pickups(number);
        create table marts.pickup_performance as
        select
            date '2026-03-02' as promised_date, 'store' as node_id, 'web_shop' as channel,
            'uk' as region, 'house' as brand, 2::bigint as pickup_count, 1::bigint as ready_count,
            1::bigint as ready_in_time_count, 1::bigint as collected_count,
            0::bigint as unclaimed_count, 1::bigint as rejected_count, 0::bigint as ended_count,
            0::bigint as open_count, 0::bigint as rejected_not_found_count,
            0::bigint as rejected_damaged_count, 1::bigint as rejected_too_busy_count,
            0::bigint as rejected_no_answer_count, 0::bigint as rejected_other_count,
            cast(1.5 as decimal(18, 4)) as median_ready_hours,
            cast(1.5 as decimal(18, 4)) as p95_ready_hours;
        create table core.fct_cases as select 'case' as case_id, 'open' as status;
        create table marts.open_exceptions as
        select
            'case' as case_id, 'carrier_silence' as case_type, 'order_to_fulfillment' as flow,
            'fulfilment' as owner, timestamptz '2026-03-04 12:00+00' as opened_at,
            timestamptz '2026-03-05 12:00+00' as due_at, cast(1 as decimal(18, 4)) as open_hours,
            cast(18 as decimal(19, 4)) as value_at_risk, 'GBP' as currency_code;
        create table marts.exception_backlog_aging as
        select
            'fulfilment' as owner, 'carrier_silence' as case_type, 'medium' as severity,
            'GBP' as currency_code, 1::bigint as open_count, 0::bigint as overdue_count,
            1::bigint as under_4_hours_count, 0::bigint as from_4_to_24_hours_count,
            0::bigint as from_1_to_3_days_count, 0::bigint as from_3_to_7_days_count,
            0::bigint as over_7_days_count;
        create table marts.service_level_adherence as
        select
            'fulfilment' as owner, 'carrier_silence' as case_type,
            'next_working_day' as service_level, date '2026-03-01' as month_start_date,
            1::bigint as case_count, 0::bigint as closed_in_time_count,
            0::bigint as closed_late_count, 1::bigint as open_in_time_count,
            0::bigint as open_overdue_count, cast(1 as decimal(18, 4)) as in_time_rate,
            cast(1 as decimal(18, 4)) as median_open_hours,
            cast(1 as decimal(18, 4)) as p95_open_hours;
        create table marts.approval_turnaround as
        select
            'hold_release' as subject_type, 'uk' as region, 'brand' as brand,
            'GBP' as currency_code, 1::bigint as request_count, 1::bigint as approved_count,
            0::bigint as denied_count, 0::bigint as expired_count, 0::bigint as void_count,
            0::bigint as pending_count, cast(600 as decimal(19, 4)) as requested_amount,
            cast(0 as decimal(19, 4)) as pending_amount,
            cast(2 as decimal(18, 4)) as median_decision_hours,
            cast(2 as decimal(18, 4)) as p95_decision_hours,
            cast(null as decimal(18, 4)) as longest_waiting_hours;
        create table marts.delay_cost as
        select
            'order_to_fulfillment' as flow, 'fulfilment' as owner,
            'carrier_silence' as case_type, date '2026-03-01' as month_start_date,
            1::bigint as case_count, cast(1 as decimal(18, 4)) as open_hours,
            cast(0 as decimal(18, 4)) as late_hours, cast(0.5 as decimal(19, 4)) as delay_cost,
            cast(0 as decimal(19, 4)) as late_cost, cast(0 as decimal(19, 4)) as playbook_cost;
        create table core.fct_invoice_holds as
        select
            'invoice' as invoice_id, 1 as line_number, 'quantity' as reason_code, 'held' as status,
            cast(18 as decimal(18, 4)) as value_difference;
        create table marts.invoice_match_exceptions as
        select
            *, 'supplier' as supplier_id, 2::bigint as quantity_difference, 3 as held_days,
            'order' as purchase_order_id, '1' as purchase_order_line_id,
            cast(null as timestamptz) as ended_at
        from core.fct_invoice_holds;
        create table core.fct_purchase_order_lines as
        select
            'order' as purchase_order_id, '1' as purchase_order_line_id,
            'supplier' as supplier_id, 'GBP' as currency_code, 3::bigint as accepted_quantity,
            5::bigint as invoiced_quantity, 0::bigint as credited_quantity,
            0::bigint as cleared_quantity,
            cast(45 as decimal(18, 4)) as ordered_amount;
        create table marts.purchase_order_status as
        select
            'order' as purchase_order_id, 'supplier' as supplier_id, 'partly_received' as status,
            1::bigint as line_count, 5::bigint as ordered_quantity,
            4::bigint as delivered_quantity, 1::bigint as rejected_quantity,
            0::bigint as quality_hold_quantity, 3::bigint as accepted_quantity,
            3::bigint as put_away_quantity, 2::bigint as open_quantity,
            cast(45 as decimal(18, 4)) as ordered_amount,
            cast(18 as decimal(18, 4)) as held_amount;
        create table marts.goods_received_not_invoiced as
        select
            'order' as purchase_order_id, '1' as purchase_order_line_id,
            'supplier' as supplier_id, 'waits_for_goods' as waits_for, -2::bigint as open_quantity,
            cast(9 as decimal(19, 4)) as unit_price, cast(-18 as decimal(18, 4)) as open_amount,
            3 as open_days;
        create table marts.supplier_scorecard as
        select
            'supplier' as supplier_id, 'GBP' as currency_code, 'good' as standing,
            1::bigint as order_count, 1::bigint as line_count, 1::bigint as due_line_count,
            0::bigint as on_time_in_full_line_count,
            cast(0 as decimal(18, 4)) as on_time_in_full_rate, 4::bigint as delivered_quantity,
            1::bigint as rejected_quantity, cast(0.25 as decimal(18, 4)) as rejected_rate,
            cast(2 as decimal(18, 4)) as median_lead_days,
            cast(3 as decimal(18, 4)) as p95_lead_days,
            cast(45 as decimal(18, 4)) as ordered_amount,
            cast(18 as decimal(18, 4)) as held_amount;
        create table core.fct_replenishment_proposals as
        select
            'proposal' as proposal_id, 'MUG' as sku, 'dc' as node_id, 'supplier' as supplier_id,
            'waiting' as status, cast(null as text) as problem_code,
            cast(20 as decimal(18, 4)) as daily_demand,
            cast(5 as decimal(18, 4)) as daily_deviation,
            cast(9 as decimal(18, 4)) as lead_time_days,
            cast(2 as decimal(18, 4)) as lead_time_deviation_days,
            251::bigint as reorder_point_quantity, 531::bigint as target_quantity,
            80::bigint as position_quantity, 451::bigint as needed_quantity,
            456::bigint as order_quantity, cast(2 as decimal(19, 4)) as unit_price,
            cast(912 as decimal(19, 4)) as amount;
        create table marts.replenishment_proposals as
        select * from core.fct_replenishment_proposals;
        create table marts.stock_cover as
        select
            'dc' as node_id, 'PLATE' as sku, 'out_of_stock' as status,
            0::bigint as on_hand_quantity,
            cast(20 as decimal(18, 4)) as daily_demand, cast(0 as decimal(18, 4)) as cover_days,
            71::bigint as safety_stock_quantity, 251::bigint as reorder_point_quantity,
            531::bigint as target_quantity, 80::bigint as position_quantity;
        create table core.fct_receiving_slots as
        select
            'despatch' as despatch_id, 'order' as purchase_order_id, 'supplier' as supplier_id,
            'dc' as node_id, 1 as dock_number, timestamptz '2026-03-02 07:00:00+00' as starts_at,
            timestamptz '2026-03-02 08:00:00+00' as ends_at, 456::bigint as unit_count,
            1 as line_count, cast(0.75 as decimal(18, 4)) as labour_hours, 'expected' as status;
        create table marts.receiving_plan as select * from core.fct_receiving_slots;
    """)
    yield connection
    connection.close()


def shown(copy: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return copy.execute(query).fetchall()


def test_marts_that_agree_with_each_other_are_published_whole(
    copy: duckdb.DuckDBPyConnection,
) -> None:
    gate = MartGate()
    assert gate(copy) == []
    assert set(gate.verdicts) == set(MARTS)
    assert all(verdict.failures == () for verdict in gate.verdicts.values())
    assert all(verdict.rows for verdict in gate.verdicts.values())


def test_a_row_that_fails_is_taken_out_with_its_key_and_kept_beside(
    copy: duckdb.DuckDBPyConnection,
) -> None:
    copy.execute(
        "update marts.inventory_position_daily set opening_quantity = 9, received_quantity = 11"
        " where sku = 'MUG' and trading_date = date '2026-03-02'"
    )
    gate = MartGate()
    assert gate(copy) == []
    assert shown(copy, "select distinct sku from marts.inventory_position_daily") == [("CUP",)]
    held = shown(
        copy,
        "select trading_date::text, sku, held_because from held.inventory_position_daily"
        " order by trading_date",
    )
    assert [row[:2] for row in held] == [("2026-03-01", "MUG"), ("2026-03-02", "MUG")]
    assert held[0][2] == "held together with a row of the same key"
    assert "does not open as the last one closed" in str(held[1][2])


def test_sales_that_the_orders_do_not_know_are_held(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("update marts.channel_sales_daily set ordered_amount = 19")
    gate = MartGate()
    gate(copy)
    (failure,) = gate.verdicts["channel_sales_daily"].failures
    assert failure.expectation == "orders_agree_holds"
    assert shown(copy, "select count(*) from marts.channel_sales_daily") == [(0,)]


def test_pickups_that_no_store_was_asked_for_are_held(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("update marts.pickup_performance set pickup_count = 3, open_count = 1")
    gate = MartGate()
    gate(copy)
    (failure,) = gate.verdicts["pickup_performance"].failures
    assert failure.expectation == "pickups_agree_holds"
    assert shown(copy, "select count(*) from marts.pickup_performance") == [(0,)]


def test_a_decision_that_was_taken_otherwise_is_held(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("update core.fct_decisions set policy_hash = 'another'")
    gate = MartGate()
    gate(copy)
    (failure,) = gate.verdicts["sourcing_decisions"].failures
    assert failure.expectation == "decision_agrees_holds"
    assert shown(copy, "select count(*) from marts.sourcing_decisions") == [(0,)]


def test_a_rate_over_other_orders_than_were_placed_is_held(
    copy: duckdb.DuckDBPyConnection,
) -> None:
    copy.execute("update marts.fulfillment_exception_rates set order_count = 3")
    gate = MartGate()
    gate(copy)
    (failure,) = gate.verdicts["fulfillment_exception_rates"].failures
    assert failure.expectation == "orders_agree_holds"
    assert shown(copy, "select count(*) from marts.fulfillment_exception_rates") == [(0,)]


def test_a_mart_without_a_column_is_not_published(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("alter table marts.order_cycle_times drop column p95_hours")
    (held,) = MartGate()(copy)
    assert held.mart == "order_cycle_times"
    assert held.reason == "columns are missing: p95_hours"


def test_a_mart_that_was_never_built_is_not_judged(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("drop table marts.fulfillment_backlog")
    gate = MartGate()
    assert gate(copy) == []
    assert "fulfillment_backlog" not in gate.verdicts


def test_what_was_said_is_kept_as_pointers_and_cases(
    copy: duckdb.DuckDBPyConnection, database_url: str
) -> None:
    copy.execute("update marts.channel_sales_daily set tax_amount = 4")
    gate = MartGate()
    gate(copy)
    store = OperationalStore(create_engine(database_url))
    assert len(gate.keep(store, 7)) == 1
    with store.transaction() as connection:
        pointers = fetch(connection, "select gate, accepted, detail from gate_pointer order by 1")
        cases = fetch(connection, "select business_key, owner, reason from exception_case")
    store.engine.dispose()
    assert [(gate, accepted) for gate, accepted, _ in pointers] == [
        (f"mart.{mart}", "7") for mart in sorted(MARTS)
    ]
    held = {gate: detail["held"] for gate, _, detail in pointers if detail["held"]}
    assert held == {"mart.channel_sales_daily": 1}
    assert cases == [
        (
            "channel_sales_daily/tax_is_no_rounding_error",
            "commerce",
            "sales and charges are not revenue and tax: stock and journal differ (1 rows)",
        )
    ]
