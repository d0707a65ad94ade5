"""For every expectation of every suite, rows that only it catches.

A case is a group of rows, each a good row with changes; all rows of the group must be named by
that expectation and by no other. Required columns need no entry: a row without the value is made
for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from assets.approvals.mart_expectations import APPROVAL_TURNAROUND
from assets.exception_routing.mart_expectations import (
    DELAY_COST,
    EXCEPTION_BACKLOG_AGING,
    OPEN_EXCEPTIONS,
    SERVICE_LEVEL_ADHERENCE,
)
from assets.finance.expectations import JOURNAL_LINE
from assets.inventory.expectations import RESERVATION_MOVEMENT, STOCK_MOVEMENT
from assets.inventory.mart_expectations import (
    ATP_PUBLISHED,
    INVENTORY_DRIFT,
    INVENTORY_POSITION_DAILY,
    INVENTORY_SYNC_LATENCY,
)
from assets.inventory.synchronisation.expectations import INVENTORY_SNAPSHOT, STOCK_CORRECTION
from assets.master_data.expectations import NODE, PRICE_SHOWN, PRODUCT
from assets.order_to_fulfillment.exception_expectations import (
    AREAS_OF_ORDERS,
    FULFILLMENT_EXCEPTION_RATES,
    FULFILLMENT_EXCEPTIONS,
)
from assets.order_to_fulfillment.expectations import (
    ORDER_LINE,
    ORDER_PLACED,
    PAYMENT_MOVEMENT,
    SHIPMENT_DELIVERED,
    SHIPMENT_DISPATCHED,
)
from assets.order_to_fulfillment.mart_expectations import (
    CHANNEL_SALES_DAILY,
    FULFILLMENT_BACKLOG,
    ORDER_CYCLE_TIMES,
    ORDER_PROMISE_PERFORMANCE,
)
from assets.order_to_fulfillment.pickup.mart_expectations import PICKUP_PERFORMANCE
from assets.order_to_fulfillment.sourcing_expectations import SOURCING_DECISIONS
from assets.procure_to_stock.expectations import (
    GOODS_INSPECTED,
    GOODS_PUT_AWAY,
    GOODS_RECEIVED,
    SUPPLIER_INVOICE_LINE,
)
from assets.procure_to_stock.mart_expectations import (
    GOODS_RECEIVED_NOT_INVOICED,
    INVOICE_MATCH_EXCEPTIONS,
    PURCHASE_ORDER_STATUS,
    RECEIVING_PLAN,
    REPLENISHMENT_PROPOSALS,
    STOCK_COVER,
    SUPPLIER_SCORECARD,
)
from assets.quality_gate import Suite
from resources.layouts.uci_online_retail.expectations import FILE_SUITE as UCI_FILE

Row = dict[str, Any]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = datetime(2026, 3, 2, 13, tzinfo=UTC)
TWO = datetime(2026, 3, 2, 14, tzinfo=UTC)
THREE = datetime(2026, 3, 2, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Cases:
    """One suite with a good row (by number, so that keys differ) and what breaks it."""

    suite: Suite
    good: Callable[[int], Row]
    breaks: dict[str, list[Row]]
    #: Expectations about the table as a whole, which no row can break.
    of_the_table: tuple[str, ...] = ()
    #: Changes beside the missing value where that alone would break another sentence too.
    beside_missing: dict[str, Row] = field(default_factory=dict)


def order_placed(number: int) -> Row:
    return {
        "order_id": f"order-{number}",
        "order_number": f"W{number}",
        "legal_entity": "brand_uk",
        "brand": "brand",
        "region": "uk",
        "channel": "web_shop",
        "correlation_id": f"c{number}",
        "country_code": "GB",
        "service_level": "standard",
        "currency_code": "GBP",
        "line_count": 2,
        "charge_count": 1,
        "ordered_quantity": 3,
        "goods_amount": 100_000,
        "charge_amount": -10_000,
        "total_amount": 90_000,
        "trading_date": date(2026, 3, 2),
        "promised_date": date(2026, 3, 5),
        "occurred_at": NOON,
        "effective_at": ONE,
        "lines_agree": True,
        "charges_agree": True,
    }


def order_line(number: int) -> Row:
    return {
        "order_id": f"order-{number}",
        "line_number": 1,
        "sku": "MUG",
        "ordered_quantity": 3,
        "reserved_quantity": 2,
        "unfilled_quantity": 1,
        "unfilled_reason_code": "out_of_stock",
        "backordered_quantity": 0,
        "unit_price": 25_000,
        "line_amount": 75_000,
        "tax_amount": 12_500,
        "order_is_known": True,
        "sku_is_known": True,
        "reservations_agree": True,
    }


def shipment_dispatched(number: int) -> Row:
    return {
        "shipment_id": f"shipment-{number}",
        "shipment_number": f"S{number}",
        "order_id": f"order-{number}",
        "fulfilment_order_id": f"fulfilment-{number}",
        "node_id": "dc",
        "carrier": "carrier",
        "shipped_quantity": 3,
        "occurred_at": NOON,
        "effective_at": ONE,
        "order_is_known": True,
        "node_is_known": True,
        "fulfilment_order_is_known": True,
        "movements_agree": True,
    }


def shipment_delivered(number: int) -> Row:
    return {
        "shipment_id": f"shipment-{number}",
        "shipment_number": f"S{number}",
        "order_id": f"order-{number}",
        "occurred_at": ONE,
        "effective_at": TWO,
        "dispatched_at": NOON,
        "despatch_is_known": True,
        "order_agrees": True,
    }


def payment_movement(number: int) -> Row:
    return {
        "payment_movement_id": f"payment-{number}",
        "order_id": f"order-{number}",
        "payment_reference": f"P{number}",
        "kind": "captured",
        "amount": 90_000,
        "currency_code": "GBP",
        "occurred_at": NOON,
        "effective_at": ONE,
        "order_is_known": True,
        "currency_agrees": True,
        "captures_agree": True,
    }


def stock_movement(number: int) -> Row:
    return {
        "ledger_sequence": number,
        "node_id": f"dc-{number}",
        "sku": "MUG",
        "kind": "shipped",
        "quantity": -3,
        "reason_code": "despatch",
        "reference_id": f"document-{number}",
        "reference_line": 1,
        "order_id": "order-1",
        "occurred_at": NOON,
        "effective_at": ONE,
        "sku_is_known": True,
        "node_is_known": True,
        "order_is_known": True,
    }


def reservation_movement(number: int) -> Row:
    return {
        "ledger_sequence": number,
        "order_id": f"order-{number}",
        "line_number": 1,
        "node_id": f"dc-{number}",
        "sku": "MUG",
        "kind": "reserved",
        "quantity": 3,
        "is_start": True,
        "expires_at": TWO,
        "effective_at": ONE,
        "line_is_known": True,
        "sku_agrees": True,
        "node_is_known": True,
        "start_agrees": True,
    }


def inventory_snapshot(number: int) -> Row:
    return {
        "snapshot_id": f"snapshot-{number}",
        "system": "wms",
        "node_id": f"dc-{number}",
        "channel": None,
        "document_number": f"S{number}",
        "sku": f"MUG{number}",
        "unit_of_measure": "each",
        "units_per_case": None,
        "stated_quantity": 7,
        "held_quantity": 9,
        "drift_quantity": -2,
        "ledger_watermark": 40,
        "occurred_at": NOON,
        "effective_at": ONE,
        "sku_is_known": True,
        "node_is_known": True,
        "reasons_agree": True,
    }


def stock_correction(number: int) -> Row:
    return {
        "snapshot_id": f"snapshot-{number}",
        "sku": "MUG",
        "revision": 1,
        "node_id": f"dc-{number}",
        "status": "booked",
        "quantity": -2,
        "amount": -50_000,
        "currency_code": "GBP",
        "reference_id": f"document-{number}",
        "occurred_at": NOON,
        "effective_at": ONE,
        "snapshot_is_known": True,
        "movement_agrees": True,
        "reversal_is_covered": True,
    }


def price_shown(number: int) -> Row:
    return {
        "document_id": f"document-{number}",
        "channel": "web_shop",
        "sku": f"MUG{number}",
        "unit_price": 60_000,
        "currency_code": "GBP",
        "graced_from": NOON,
        "occurred_at": ONE,
        "effective_at": TWO,
        "sku_is_known": True,
    }


def journal_line(number: int) -> Row:
    """Even and odd numbers are the two legs of an entry."""
    return {
        "entry_id": f"entry-{number // 2}",
        "line_number": number % 2 + 1,
        "entry_kind": "capture",
        "business_key": "order-1",
        "account_code": "1200",
        "amount": 90_000 if number % 2 else -90_000,
        "currency_code": "GBP",
        "legal_entity": "brand_uk",
        "occurred_at": NOON,
        "effective_at": ONE,
        "entry_lines": 2,
        "account_is_known": True,
    }


def product(number: int) -> Row:
    return {
        "sku": f"MUG{number}",
        "description": "a mug",
        "standard_cost": 12_345,
        "currency_code": "GBP",
        "tax_rate_basis_points": 2_000,
        "is_synthetic": False,
        "gtin": None,
    }


def node(number: int) -> Row:
    return {
        "node_id": f"dc-{number}",
        "kind": "warehouse",
        "zone": "Europe/London",
        "country_code": "GB",
        "is_active": True,
    }


def uci_row(number: int) -> Row:
    return {
        "InvoiceNo": str(536_000 + number),
        "StockCode": "85123A",
        "Description": "A MUG",
        "Quantity": "6",
        "InvoiceDate": "2010-12-01 08:26:00",
        "UnitPrice": "2.55",
        "CustomerID": "17850.0",
        "Country": "United Kingdom",
    }


def promise(number: int) -> Row:
    return {
        "order_id": f"order-{number}",
        "order_number": f"W{number}",
        "channel": "web_shop",
        "region": "uk",
        "trading_date": date(2026, 3, 2),
        "promised_date": date(2026, 3, 5),
        "last_promised_date": date(2026, 3, 5),
        "promise_count": 1,
        "moved_because_code": None,
        "placed_at": NOON,
        "dispatched_at": ONE,
        "delivered_at": TWO,
        "status": "delivered",
        "outcome": "kept",
        "cause_code": None,
        "is_open": False,
        "is_in_full": True,
        "is_on_time": True,
        "is_on_last_promise": True,
        "late_day_count": 0,
        "ordered_quantity": 3,
        "filled_quantity": 3,
        "unfilled_quantity": 0,
        "shipped_quantity": 3,
        "currency_code": "GBP",
        "ordered_total_amount": 90_000,
        "order_agrees": True,
    }


def backlog(number: int) -> Row:
    return {
        "as_of_at": TWO,
        "as_of_date": date(2026, 3, 2),
        "node_id": f"dc-{number}",
        "channel": "web_shop",
        "status": "allocated",
        "age_bucket": "under_1_day",
        "currency_code": "GBP",
        "open_order_count": 2,
        "overdue_order_count": 1,
        "open_quantity": 5,
        "open_amount": 90_000,
        "oldest_placed_at": NOON,
    }


def cycle_times(number: int) -> Row:
    return {
        **of_a_period(number),
        "stage": "placed_to_allocated",
        "order_count": 2,
        "placed_order_count": 3,
        "median_hours": 10_000,
        "p90_hours": 20_000,
        "p95_hours": 30_000,
        "p99_hours": 30_000,
        "total_seconds": 10_800,
        "orders_agree": True,
    }


def of_a_period(number: int) -> Row:
    return {
        "channel": f"channel_{number}",
        "region": "uk",
        "brand": "house",
        "period": "day",
        "period_start_date": date(2026, 3, 2),
    }


def sourcing(number: int) -> Row:
    return {
        "decision_id": f"decision-{number}",
        "order_id": f"order-{number}",
        "order_number": f"W{number}",
        "decision_number": 1,
        "channel": "web_shop",
        "region": "uk",
        "brand": "house",
        "trading_date": date(2026, 3, 2),
        "decided_at": NOON,
        "decision_kind": "sourcing",
        "outcome": "filled",
        "reason_codes": "[]",
        "method": "exact",
        "mode": "normal",
        "is_promise_feasible": True,
        "node_ids": "dc",
        "planned_shipment_count": 1,
        "is_split": False,
        "ordered_quantity": 5,
        "reserved_quantity": 5,
        "policy_hash": "hash",
        "decision_agrees": True,
    }


def exception(number: int) -> Row:
    return {
        "exception_id": f"case-{number}",
        "exception_type": "carrier_silence",
        "exception_area": "carrier",
        "state": "closed",
        "owner": "fulfilment",
        "order_id": f"order-{number}",
        "business_key": f"web_shop/W{number}/S1",
        "channel": "web_shop",
        "opened_at": NOON,
        "closed_at": ONE,
        "occurrence_count": 1,
        "open_hours": 10_000,
        "case_agrees": True,
    }


def open_case(number: int) -> Row:
    return {
        "case_id": f"case {number}",
        "case_type": "payment_held",
        "flow": "order_to_fulfillment",
        "owner": "payments",
        "opened_at": NOON,
        "open_hours": 10_000,
        "case_agrees": True,
        "due_at": ONE,
        "value_at_risk": 200_000,
        "currency_code": "GBP",
    }


def backlog_of_cases(number: int) -> Row:
    return {
        "owner": f"queue_{number}",
        "case_type": "payment_held",
        "severity": "high",
        "currency_code": "GBP",
        "open_count": 3,
        "overdue_count": 1,
        "under_4_hours_count": 2,
        "from_4_to_24_hours_count": 0,
        "from_1_to_3_days_count": 0,
        "from_3_to_7_days_count": 0,
        "over_7_days_count": 1,
        "backlog_agrees": True,
    }


def adherence(number: int) -> Row:
    return {
        "owner": f"queue_{number}",
        "case_type": "payment_held",
        "service_level": "four_hours",
        "month_start_date": date(2026, 3, 1),
        "case_count": 3,
        "closed_in_time_count": 2,
        "closed_late_count": 1,
        "open_in_time_count": 0,
        "open_overdue_count": 0,
        "in_time_rate": 6_667,
        "median_open_hours": 20_000,
        "p95_open_hours": 30_000,
    }


def turnaround(number: int) -> Row:
    return {
        "subject_type": f"subject_{number}",
        "region": "uk",
        "brand": "house",
        "currency_code": "GBP",
        "request_count": 2,
        "approved_count": 1,
        "denied_count": 0,
        "expired_count": 0,
        "void_count": 0,
        "pending_count": 1,
        "requested_amount": 100_000,
        "pending_amount": 50_000,
        "median_decision_hours": 20_000,
        "p95_decision_hours": 20_000,
        "longest_waiting_hours": 30_000,
    }


def cost_of_delay(number: int) -> Row:
    return {
        "flow": "inventory",
        "owner": f"queue_{number}",
        "case_type": "stock_drift",
        "month_start_date": date(2026, 3, 1),
        "case_count": 2,
        "open_hours": 50_000,
        "late_hours": 10_000,
        "delay_cost": 50_000,
        "late_cost": 10_000,
        "playbook_cost": 0,
    }


def goods_inspected(number: int) -> Row:
    return {
        "inspection_id": f"inspection-{number}",
        "line_number": 1,
        "purchase_order_id": "P1",
        "purchase_order_line_id": "1",
        "node_id": "dc",
        "sku": f"SKU{number}",
        "passed_quantity": 8,
        "rejected_quantity": 2,
        "rejection_reason": "broken",
        "occurred_at": NOON,
        "effective_at": ONE,
        "was_on_hold": True,
        "stock_agrees": True,
    }


def goods_put_away(number: int) -> Row:
    return {
        "put_away_id": f"put-away-{number}",
        "line_number": 1,
        "purchase_order_id": "P1",
        "purchase_order_line_id": "1",
        "node_id": "dc",
        "sku": f"SKU{number}",
        "quantity": 8,
        "location_code": "A-01",
        "occurred_at": NOON,
        "effective_at": ONE,
        "was_accepted": True,
    }


def goods_received(number: int) -> Row:
    return {
        "receipt_id": f"receipt_{number}",
        "line_number": 1,
        "purchase_order_id": "1",
        "purchase_order_line_id": "1",
        "node_id": "dc",
        "sku": f"SKU{number}",
        "delivered_quantity": 10,
        "rejected_quantity": 1,
        "held_quantity": 2,
        "unit_price": 25_000,
        "occurred_at": NOON,
        "effective_at": ONE,
        "order_line_is_known": True,
        "stock_agrees": True,
        "rejection_reason": "broken",
    }


def invoice_line(number: int) -> Row:
    return {
        "invoice_id": f"invoice_{number}",
        "line_number": 1,
        "quantity": 10,
        "quantity_before": 0,
        "unit_price": 25_100,
        "order_unit_price": 25_000,
        "occurred_at": NOON,
        "effective_at": ONE,
        "invoice_is_posted": True,
        "order_line_agrees": True,
        "purchase_order_id": "1",
        "purchase_order_line_id": "1",
    }


def invoice_hold(number: int) -> Row:
    return {
        "invoice_id": f"invoice_{number}",
        "line_number": 1,
        "reason_code": "quantity",
        "status": "held",
        "supplier_id": "1580",
        "quantity_difference": 2,
        "value_difference": 180_000,
        "held_days": 3,
        "hold_agrees": True,
        "purchase_order_id": "1",
        "purchase_order_line_id": "1",
        "ended_at": None,
    }


def purchase_order(number: int) -> Row:
    return {
        "purchase_order_id": f"order_{number}",
        "supplier_id": "1580",
        "status": "partly_received",
        "line_count": 1,
        "ordered_quantity": 5,
        "delivered_quantity": 4,
        "rejected_quantity": 1,
        "quality_hold_quantity": 0,
        "accepted_quantity": 3,
        "put_away_quantity": 2,
        "open_quantity": 2,
        "ordered_amount": 450_000,
        "held_amount": 180_000,
        "lines_agree": True,
    }


def clearing(number: int) -> Row:
    return {
        "purchase_order_id": f"order_{number}",
        "purchase_order_line_id": "1",
        "supplier_id": "1580",
        "waits_for": "waits_for_goods",
        "open_quantity": -2,
        "unit_price": 90_000,
        "open_amount": -180_000,
        "open_days": 3,
        "line_agrees": True,
    }


def supplier_score(number: int) -> Row:
    return {
        "supplier_id": f"supplier_{number}",
        "currency_code": "GBP",
        "standing": "warn",
        "order_count": 1,
        "line_count": 3,
        "due_line_count": 2,
        "on_time_in_full_line_count": 1,
        "delivered_quantity": 4,
        "rejected_quantity": 1,
        "ordered_amount": 450_000,
        "held_amount": 180_000,
        "lines_agree": True,
        "on_time_in_full_rate": 5_000,
        "rejected_rate": 2_500,
        "median_lead_days": 20_000,
        "p95_lead_days": 30_000,
    }


def replenishment_proposal(number: int) -> Row:
    return {
        "proposal_id": f"proposal_{number}",
        "sku": "MUG",
        "node_id": "dc",
        "supplier_id": f"supplier_{number}",
        "status": "waiting",
        "problem_code": None,
        "daily_demand": 200_000,
        "reorder_point_quantity": 250,
        "target_quantity": 530,
        "position_quantity": 80,
        "needed_quantity": 450,
        "order_quantity": 456,
        "unit_price": 25_000,
        "amount": 456 * 25_000,
        "proposal_agrees": True,
    }


def cover(number: int) -> Row:
    return {
        "node_id": "dc",
        "sku": f"MUG{number}",
        "status": "to_be_ordered",
        "on_hand_quantity": 80,
        "daily_demand": 200_000,
        "cover_days": 40_000,
        "safety_stock_quantity": 70,
        "reorder_point_quantity": 250,
        "target_quantity": 530,
        "position_quantity": 80,
        "stock_agrees": True,
    }


def receiving_slot(number: int) -> Row:
    return {
        "despatch_id": f"despatch_{number}",
        "purchase_order_id": "P1",
        "supplier_id": "supplier",
        "node_id": f"dc_{number}",
        "dock_number": 1,
        "starts_at": ONE,
        "ends_at": TWO,
        "unit_count": 600,
        "line_count": 1,
        "labour_hours": 8_833,
        "status": "expected",
        "slot_agrees": True,
    }


def exception_rates(number: int) -> Row:
    areas = {f"{area}_order_count": 0 for area in AREAS_OF_ORDERS}
    return {
        **of_a_period(number),
        "order_count": 10,
        "exception_order_count": 2,
        "exception_rate": 2_000,
        **areas,
        "carrier_order_count": 1,
        "exception_count": 4,
        "open_exception_count": 1,
        "closed_exception_count": 2,
        "total_open_seconds": 21_600,
        "median_open_hours": 30_000,
        "p90_open_hours": 38_000,
        "p95_open_hours": 39_000,
        "p99_open_hours": 39_800,
        "orders_agree": True,
    }


def sales(number: int) -> Row:
    return {
        "trading_date": date(2026, 3, 2),
        "channel": f"channel_{number}",
        "region": "uk",
        "currency_code": "GBP",
        "order_count": 2,
        "order_line_count": 3,
        "ordered_quantity": 5,
        "filled_quantity": 4,
        "unfilled_quantity": 1,
        "fill_rate": 8_000,
        "ordered_amount": 100_000,
        "gross_sales_amount": 80_000,
        "charge_amount": 10_000,
        "tax_amount": 15_000,
        "net_sales_amount": 75_000,
        "orders_agree": True,
    }


def drift(number: int) -> Row:
    return {
        "trading_date": date(2026, 3, 2),
        "source_system": "wms",
        "place_kind": "node",
        "place": f"node-{number}",
        "reason_code": "miscount",
        "currency_code": "GBP",
        "what_follows": "booked",
        "compared_line_count": 9,
        "drifting_line_count": 1,
        "net_drift_quantity": -3,
        "drift_quantity": 3,
        "booked_quantity": -3,
        "proposed_quantity": 0,
        "drift_agrees": True,
    }


def latency(number: int) -> Row:
    return {
        **of_a_period(number),
        "message_count": 2,
        "published_line_count": 10,
        "acknowledged_line_count": 8,
        "acknowledged_share": 8_000,
        "median_publication_seconds": 600_000,
        "p90_publication_seconds": 800_000,
        "p95_publication_seconds": 900_000,
        "p99_publication_seconds": 900_000,
        "summed_publication_seconds": 700,
        "median_acknowledgement_seconds": 90_000,
        "p95_acknowledgement_seconds": 90_000,
        "p95_total_seconds": 900_000,
        "p99_total_seconds": 990_000,
        "longest_total_seconds": 99,
        "lines_agree": True,
    }


def atp(number: int) -> Row:
    return {
        "channel": "web_shop",
        "sku": f"sku-{number}",
        "published_quantity": 5,
        "available_quantity": 7,
        "held_back_quantity": 2,
        "offer": "limited",
        "acknowledgement": "acknowledged",
        "publication_count": 1,
        "changed_at": NOON,
        "published_at": ONE,
        "acknowledged_at": ONE,
        "is_the_last": True,
    }


def pickups(number: int) -> Row:
    return {
        "promised_date": date(2026, 3, 2),
        "node_id": f"store-{number}",
        "channel": "web_shop",
        "region": "uk",
        "brand": "house",
        "pickup_count": 9,
        "ready_count": 5,
        "ready_in_time_count": 4,
        "collected_count": 2,
        "unclaimed_count": 1,
        "rejected_count": 5,
        "ended_count": 0,
        "open_count": 1,
        "rejected_not_found_count": 1,
        "rejected_damaged_count": 1,
        "rejected_too_busy_count": 1,
        "rejected_no_answer_count": 1,
        "rejected_other_count": 1,
        "median_ready_hours": 15_000,
        "p95_ready_hours": 30_000,
        "pickups_agree": True,
    }


def position(number: int) -> Row:
    return {
        "trading_date": date(2026, 3, 2),
        "node_id": f"dc-{number}",
        "sku": "MUG",
        "opening_quantity": 5,
        "received_quantity": 10,
        "adjusted_quantity": -1,
        "shipped_quantity": 4,
        "closing_quantity": 10,
        "opening_agrees": True,
        "movements_agree": True,
    }


CASES = {
    cases.suite.name: cases
    for cases in (
        Cases(
            ORDER_PLACED,
            order_placed,
            {
                "legal_entity_is_a_code": [{"legal_entity": "Brand UK"}],
                "brand_is_a_code": [{"brand": "9lives"}],
                "region_is_a_code": [{"region": "UK"}],
                "channel_is_a_code": [{"channel": "web shop"}],
                "country_is_a_code": [{"country_code": "gb"}],
                "currency_is_a_code": [{"currency_code": "GB"}],
                "service_level_is_offered": [{"service_level": "teleport"}],
                "line_count_is_possible": [{"line_count": 5_001}],
                "ordered_quantity_is_possible": [{"ordered_quantity": -1}],
                "goods_are_not_negative": [
                    {"goods_amount": -1, "charge_amount": 2, "total_amount": 1}
                ],
                "total_is_not_unusual": [
                    {"goods_amount": 10**10 + 1, "charge_amount": 0, "total_amount": 10**10 + 1}
                ],
                "order_is_not_empty": [{"line_count": 0, "charge_count": 0}],
                "amounts_add_up": [{"total_amount": 90_001}],
                "promise_is_not_before_the_order": [{"promised_date": date(2026, 3, 1)}],
                "order_is_not_from_the_future": [{"occurred_at": TWO}],
                "order_is_placed_once": [{"order_number": "W"}, {"order_number": "W"}],
                "lines_agree_holds": [{"lines_agree": False}],
                "charges_agree_holds": [{"charges_agree": False}],
            },
        ),
        Cases(
            ORDER_LINE,
            order_line,
            {
                "ordered_quantity_is_possible": [
                    {
                        "ordered_quantity": 1_000_001,
                        "unfilled_quantity": 999_999,
                        "line_amount": 25_000_025_000,
                    }
                ],
                "reserved_is_not_negative": [{"reserved_quantity": -1, "unfilled_quantity": 4}],
                "price_is_not_negative": [{"unit_price": -1, "line_amount": -3, "tax_amount": 0}],
                "every_unit_is_accounted": [{"reserved_quantity": 1}],
                "a_line_waits_whole": [{"reserved_quantity": 1, "backordered_quantity": 1}],
                "unfilled_has_a_reason": [{"unfilled_reason_code": None}],
                "reason_has_unfilled_units": [{"reserved_quantity": 3, "unfilled_quantity": 0}],
                "amount_is_price_times_quantity": [{"line_amount": 75_001}],
                "tax_is_within_the_amount": [{"tax_amount": 75_001}],
                "line_is_there_once": [{"order_id": "twice"}, {"order_id": "twice"}],
                "order_is_known_holds": [{"order_is_known": False}],
                "sku_is_known_holds": [{"sku_is_known": False}],
                "reservations_agree_holds": [{"reservations_agree": False}],
            },
        ),
        Cases(
            SHIPMENT_DISPATCHED,
            shipment_dispatched,
            {
                "shipped_quantity_is_possible": [{"shipped_quantity": 0}],
                "despatch_is_not_from_the_future": [{"occurred_at": TWO}],
                "fulfilment_order_ships_once": [
                    {"fulfilment_order_id": "twice"},
                    {"fulfilment_order_id": "twice"},
                ],
                "order_is_known_holds": [{"order_is_known": False}],
                "node_is_known_holds": [{"node_is_known": False}],
                "fulfilment_order_is_known_holds": [{"fulfilment_order_is_known": False}],
                "movements_agree_holds": [{"movements_agree": False}],
            },
        ),
        Cases(
            SHIPMENT_DELIVERED,
            shipment_delivered,
            {
                "delivery_is_not_from_the_future": [{"effective_at": NOON}],
                "delivery_is_not_before_despatch": [{"dispatched_at": TWO}],
                "shipment_arrives_once": [{"shipment_id": "twice"}, {"shipment_id": "twice"}],
                "despatch_is_known_holds": [{"despatch_is_known": False}],
                "order_agrees_holds": [{"order_agrees": False}],
            },
        ),
        Cases(
            PAYMENT_MOVEMENT,
            payment_movement,
            {
                "kind_is_known": [{"kind": "forgiven"}],
                "amount_is_not_negative": [{"amount": -1}],
                "currency_is_a_code": [{"currency_code": "pounds"}],
                "payment_is_not_from_the_future": [{"occurred_at": TWO}],
                "movement_is_there_once": [
                    {"payment_movement_id": "twice"},
                    {"payment_movement_id": "twice"},
                ],
                "order_is_known_holds": [{"order_is_known": False}],
                "currency_agrees_holds": [{"currency_agrees": False}],
                "captures_agree_holds": [{"captures_agree": False}],
            },
        ),
        Cases(
            STOCK_MOVEMENT,
            stock_movement,
            {
                "kind_is_known": [{"kind": "vanished", "order_id": None}],
                "quantity_is_possible": [{"quantity": -100_000_001}],
                "sign_follows_kind": [{"quantity": 3}],
                "despatch_has_an_order": [{"order_id": None}],
                "only_a_despatch_has_an_order": [{"kind": "adjusted"}],
                "movement_is_not_from_the_future": [{"occurred_at": TWO}],
                "reference_moves_once": [{"reference_id": "twice"}, {"reference_id": "twice"}],
                "sequence_is_there_once": [{"ledger_sequence": -7}, {"ledger_sequence": -7}],
                "sku_is_known_holds": [{"sku_is_known": False}],
                "node_is_known_holds": [{"node_is_known": False}],
                "order_is_known_holds": [{"order_is_known": False}],
            },
        ),
        Cases(
            RESERVATION_MOVEMENT,
            reservation_movement,
            {
                "kind_is_known": [{"kind": "borrowed"}],
                "start_adds_and_end_takes": [{"quantity": -3}],
                "start_is_a_reservation": [{"kind": "released"}],
                "start_expires": [{"expires_at": None}],
                "expiry_is_after_the_start": [{"expires_at": NOON}],
                "reservation_starts_and_ends_once": [
                    {"order_id": "twice", "node_id": "dc"},
                    {"order_id": "twice", "node_id": "dc"},
                ],
                "line_is_known_holds": [{"line_is_known": False}],
                "sku_agrees_holds": [{"sku_agrees": False}],
                "node_is_known_holds": [{"node_is_known": False}],
                "start_agrees_holds": [{"start_agrees": False}],
            },
        ),
        Cases(
            INVENTORY_SNAPSHOT,
            inventory_snapshot,
            {
                "it_is_of_one_place": [{"channel": "web_shop"}, {"node_id": None}],
                "unit_is_known": [{"unit_of_measure": "pallet"}],
                "cases_say_their_units": [{"unit_of_measure": "case"}],
                "stated_quantity_is_possible": [
                    {"stated_quantity": 100_000_001, "drift_quantity": 99_999_992}
                ],
                "held_quantity_is_possible": [
                    {"held_quantity": -100_000_001, "drift_quantity": 100_000_008}
                ],
                "drift_is_the_difference": [{"drift_quantity": 2}],
                "snapshot_was_over_when_it_was_compared": [{"occurred_at": TWO}],
                "sku_is_compared_once": [
                    {"snapshot_id": "twice", "sku": "MUG"},
                    {"snapshot_id": "twice", "sku": "MUG"},
                ],
                "sku_is_known_holds": [{"sku_is_known": False}],
                "node_is_known_holds": [{"node_is_known": False}],
                "reasons_agree_holds": [{"reasons_agree": False}],
            },
        ),
        Cases(
            STOCK_CORRECTION,
            stock_correction,
            {
                "status_is_known": [{"status": "wished"}],
                "what_moves_has_a_document": [{"reference_id": None}, {"status": "proposed"}],
                "quantity_is_possible": [{"quantity": -100_000_001}],
                "correction_is_of_units": [{"quantity": 0, "amount": 0}],
                "amount_goes_with_its_units": [{"amount": 50_000}, {"quantity": 2}],
                "currency_is_a_code": [{"currency_code": "pounds"}],
                "correction_is_not_of_the_future": [{"occurred_at": TWO}],
                "each_step_is_there_once": [
                    {"snapshot_id": "twice", "node_id": "dc"},
                    {"snapshot_id": "twice", "node_id": "dc"},
                ],
                "snapshot_is_known_holds": [{"snapshot_is_known": False}],
                "movement_agrees_holds": [{"movement_agrees": False}],
                "reversal_is_covered_holds": [{"reversal_is_covered": False}],
            },
        ),
        Cases(
            PRICE_SHOWN,
            price_shown,
            {
                "price_is_possible": [{"unit_price": 0}],
                "currency_is_a_code": [{"currency_code": "gbp"}],
                "grace_is_before_it_was_shown": [{"graced_from": TWO}],
                "price_was_shown_before_it_was_judged": [{"occurred_at": THREE}],
                "sku_is_shown_once": [
                    {"document_id": "twice", "sku": "MUG"},
                    {"document_id": "twice", "sku": "MUG"},
                ],
                "sku_is_known_holds": [{"sku_is_known": False}],
            },
        ),
        Cases(
            GOODS_RECEIVED,
            goods_received,
            {
                "something_came": [{"delivered_quantity": 0, "rejected_quantity": 0}],
                "price_is_possible": [{"unit_price": -1}],
                "no_more_is_rejected_than_came": [{"rejected_quantity": 11}],
                "hold_is_not_negative": [{"held_quantity": -1}],
                "a_reject_has_its_reason": [{"rejection_reason": None}],
                "receipt_is_not_from_the_future": [{"occurred_at": THREE}],
                "line_is_booked_once": [{"receipt_id": "twice"}, {"receipt_id": "twice"}],
                "order_line_is_known_holds": [{"order_line_is_known": False}],
                "stock_agrees_holds": [{"stock_agrees": False}],
            },
        ),
        Cases(
            GOODS_INSPECTED,
            goods_inspected,
            {
                "passed_is_possible": [{"passed_quantity": -1}],
                "rejected_is_possible": [{"rejected_quantity": -1}],
                "something_was_inspected": [{"passed_quantity": 0, "rejected_quantity": 0}],
                "a_reject_has_its_reason": [{"rejection_reason": None}],
                "inspection_is_not_from_the_future": [{"occurred_at": THREE}],
                "line_is_booked_once": [{"inspection_id": "twice"}, {"inspection_id": "twice"}],
                "was_on_hold_holds": [{"was_on_hold": False}],
                "stock_agrees_holds": [{"stock_agrees": False}],
            },
        ),
        Cases(
            GOODS_PUT_AWAY,
            goods_put_away,
            {
                "something_was_put_away": [{"quantity": 0}],
                "put_away_is_not_from_the_future": [{"occurred_at": THREE}],
                "line_is_booked_once": [{"put_away_id": "twice"}, {"put_away_id": "twice"}],
                "was_accepted_holds": [{"was_accepted": False}],
            },
        ),
        Cases(
            SUPPLIER_INVOICE_LINE,
            invoice_line,
            {
                "something_is_charged": [{"quantity": 0}],
                "before_is_not_negative": [{"quantity_before": -1}],
                "price_is_possible": [{"unit_price": -1}],
                "without_an_order_nothing_is_agreed": [
                    {"purchase_order_id": None, "purchase_order_line_id": None}
                ],
                "invoice_is_not_from_the_future": [{"occurred_at": THREE}],
                "line_is_posted_once": [{"invoice_id": "twice"}, {"invoice_id": "twice"}],
                "invoice_is_posted_holds": [{"invoice_is_posted": False}],
                "order_line_agrees_holds": [{"order_line_agrees": False}],
            },
        ),
        Cases(
            JOURNAL_LINE,
            journal_line,
            {
                "amount_is_possible": [
                    {"entry_id": "huge", "amount": 10**15 + 1},
                    {"entry_id": "huge", "amount": -(10**15) - 1},
                ],
                "amount_is_not_zero": [
                    {"entry_id": "nothing", "amount": 0},
                    {"entry_id": "nothing", "amount": 0},
                ],
                "currency_is_a_code": [
                    {"entry_id": "pounds", "currency_code": "pounds"},
                    {"entry_id": "pounds", "currency_code": "pounds"},
                ],
                "legal_entity_is_a_code": [{"legal_entity": "Brand UK"}],
                "entry_has_two_legs": [{"entry_id": "single", "entry_lines": 1}],
                "entry_is_whole": [{"entry_id": "half"}],
                "entry_balances": [
                    {"entry_id": "wrong", "amount": 1},
                    {"entry_id": "wrong", "amount": 2},
                ],
                "line_is_there_once": [
                    {"entry_id": "again", "line_number": 1},
                    {"entry_id": "again", "line_number": 1},
                ],
                "account_is_known_holds": [{"account_is_known": False}],
            },
            # Its other leg would be alone, and `entry_is_whole` would say so.
            beside_missing={"entry_lines": {"entry_id": "lone"}},
        ),
        Cases(
            PRODUCT,
            product,
            {
                "sku_has_no_blanks_around": [{"sku": "MUG "}],
                "sku_is_upper_case": [{"sku": "mug"}],
                "cost_is_possible": [{"standard_cost": -1}],
                "currency_is_a_code": [{"currency_code": "gbp"}],
                "tax_rate_is_possible": [{"tax_rate_basis_points": 10_001}],
                "gtin_has_a_length": [{"gtin": "123"}],
                "gtin_checks": [{"gtin": "4006381333932"}],
                "product_is_described": [{"description": " "}],
                "sku_is_there_once": [{"sku": "TWICE"}, {"sku": "TWICE"}],
                "gtin_is_there_once": [{"gtin": "4006381333931"}, {"gtin": "4006381333931"}],
            },
        ),
        Cases(
            NODE,
            node,
            {
                "kind_is_known": [{"kind": "cellar"}],
                "zone_is_known": [{"zone": "Europe/Atlantis"}],
                "country_is_a_code": [{"country_code": "UKX"}],
                "node_is_there_once": [{"node_id": "twice"}, {"node_id": "twice"}],
            },
        ),
        Cases(
            ORDER_PROMISE_PERFORMANCE,
            promise,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "outcome_is_known": [{"outcome": "forgotten"}],
                "cause_is_known": [{"cause_code": "bad_luck"}],
                "broken_has_a_cause": [{"outcome": "broken"}],
                "kept_is_in_full": [{"is_in_full": False}],
                "kept_is_on_time": [{"is_on_time": False}],
                "promise_only_moves_later": [{"last_promised_date": date(2026, 3, 4)}],
                "a_moved_promise_has_a_cause": [{"promise_count": 2}],
                "open_order_is_not_delivered": [{"is_open": True}],
                "every_unit_is_accounted": [{"unfilled_quantity": 1}],
                "no_more_is_shipped_than_filled": [{"shipped_quantity": 4}],
                "lateness_is_possible": [{"late_day_count": -1}],
                "promise_is_not_before_the_order": [{"promised_date": date(2026, 3, 1)}],
                "dispatch_is_not_before_the_order": [{"placed_at": TWO}],
                "delivery_is_not_before_dispatch": [{"delivered_at": NOON}],
                "order_is_there_once": [{"order_id": "twice"}, {"order_id": "twice"}],
                "order_agrees_holds": [{"order_agrees": False}],
            },
        ),
        Cases(
            FULFILLMENT_BACKLOG,
            backlog,
            {
                "status_is_known": [{"status": "lost"}],
                "age_is_known": [{"age_bucket": "old"}],
                "open_orders_are_counted": [{"open_order_count": 0}],
                "overdue_orders_are_counted": [{"overdue_order_count": -1}],
                "overdue_orders_are_open": [{"overdue_order_count": 3}],
                "goods_are_open": [{"open_quantity": 0}],
                "open_amount_is_not_negative": [{"open_amount": -1}],
                "oldest_order_is_not_from_the_future": [
                    {"as_of_at": NOON, "oldest_placed_at": ONE}
                ],
                "row_is_there_once": [{"node_id": "twice"}, {"node_id": "twice"}],
            },
        ),
        Cases(
            ORDER_CYCLE_TIMES,
            cycle_times,
            {
                "stage_is_known": [{"stage": "limbo"}],
                "orders_are_counted": [{"order_count": 0}],
                "time_does_not_run_backwards": [{"median_hours": -1}],
                "period_is_known": [{"period": "moon"}],
                "time_is_not_unusual": [{"p99_hours": 87_840_001}],
                "times_add_up": [{"total_seconds": -1}],
                "p99_is_not_below_p95": [{"p99_hours": 29_999}],
                "p90_is_not_below_the_median": [{"median_hours": 20_001}],
                "p95_is_not_below_p90": [{"p90_hours": 30_001}],
                "row_is_there_once": [{"channel": "twice"}, {"channel": "twice"}],
                "orders_agree_holds": [{"orders_agree": False}],
            },
        ),
        Cases(
            SOURCING_DECISIONS,
            sourcing,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "kind_is_known": [{"decision_kind": "guess"}],
                "outcome_is_known": [{"decision_kind": "pickup", "outcome": "perhaps"}],
                "mode_is_known": [{"mode": "panic"}],
                "decisions_are_numbered": [{"decision_number": 0}],
                "reserved_is_not_negative": [
                    {"outcome": "unfilled", "reserved_quantity": -1, "planned_shipment_count": 0}
                ],
                "no_more_is_reserved_than_ordered": [{"reserved_quantity": 6}],
                "what_is_reserved_has_a_node": [{"planned_shipment_count": 0}],
                "filled_has_units": [{"outcome": "unfilled"}],
                "decision_is_there_once": [{"decision_id": "twice"}, {"decision_id": "twice"}],
                "number_is_there_once": [{"order_id": "twice"}, {"order_id": "twice"}],
                "decision_agrees_holds": [{"decision_agrees": False}],
            },
        ),
        Cases(
            OPEN_EXCEPTIONS,
            open_case,
            {
                "flow_is_known": [{"flow": "rumour"}],
                "time_does_not_run_backwards": [{"open_hours": -1}],
                "money_has_its_currency": [{"currency_code": None}],
                "case_is_there_once": [{"case_id": "twice"}, {"case_id": "twice"}],
                "case_agrees_holds": [{"case_agrees": False}],
            },
        ),
        Cases(
            EXCEPTION_BACKLOG_AGING,
            backlog_of_cases,
            {
                "cases_are_counted": [
                    {"open_count": 0, "overdue_count": 0, "under_4_hours_count": 0}
                    | {"over_7_days_count": 0}
                ],
                "no_more_late_than_open": [{"overdue_count": 4}],
                "every_case_has_one_age": [{"over_7_days_count": 5}],
                "row_is_there_once": [{"owner": "twice"}, {"owner": "twice"}],
                "backlog_agrees_holds": [{"backlog_agrees": False}],
            },
        ),
        Cases(
            SERVICE_LEVEL_ADHERENCE,
            adherence,
            {
                "cases_are_counted": [
                    {"case_count": 0, "closed_in_time_count": 0, "closed_late_count": 0}
                ],
                "rate_is_a_share": [{"in_time_rate": 10_001}],
                "every_case_is_in_time_or_not": [{"open_overdue_count": 5}],
                "p95_is_not_below_the_median": [{"p95_open_hours": 1}],
                "row_is_there_once": [{"owner": "twice"}, {"owner": "twice"}],
            },
        ),
        Cases(
            APPROVAL_TURNAROUND,
            turnaround,
            {
                "questions_are_counted": [
                    {"request_count": 0, "approved_count": 0, "pending_count": 0}
                ],
                "every_question_has_one_state": [{"void_count": 1}],
                "no_more_waits_than_was_asked": [{"pending_amount": 100_001}],
                "p95_is_not_below_the_median": [{"p95_decision_hours": 1}],
                "row_is_there_once": [{"subject_type": "twice"}, {"subject_type": "twice"}],
            },
        ),
        Cases(
            DELAY_COST,
            cost_of_delay,
            {
                "flow_is_known": [{"flow": "rumour"}],
                "cases_are_counted": [{"case_count": 0}],
                "cost_is_not_negative": [{"delay_cost": -1, "late_cost": -2}],
                "playbooks_earn_nothing": [{"playbook_cost": -1}],
                "late_is_part_of_open": [{"late_hours": 60_000}],
                "late_cost_is_part_of_it": [{"late_cost": 60_000}],
                "row_is_there_once": [{"owner": "twice"}, {"owner": "twice"}],
            },
        ),
        Cases(
            INVOICE_MATCH_EXCEPTIONS,
            invoice_hold,
            {
                "reason_is_known": [{"reason_code": "rumour"}],
                "status_is_known": [{"status": "noted", "ended_at": NOON}],
                "units_are_not_negative": [{"quantity_difference": -1}],
                "time_does_not_run_backwards": [{"held_days": -1}],
                "what_is_held_has_no_end": [{"ended_at": NOON}],
                "hold_is_there_once": [{"invoice_id": "twice"}, {"invoice_id": "twice"}],
                "hold_agrees_holds": [{"hold_agrees": False}],
            },
        ),
        Cases(
            PURCHASE_ORDER_STATUS,
            purchase_order,
            {
                "an_order_has_lines": [{"line_count": 0}],
                "no_more_is_rejected_than_came": [
                    {"rejected_quantity": 5, "accepted_quantity": -1, "put_away_quantity": -1}
                ],
                "no_more_is_open_than_ordered": [{"open_quantity": 6}],
                "accepted_is_what_is_left_of_what_came": [{"quality_hold_quantity": 1}],
                "no_more_is_put_away_than_accepted": [{"put_away_quantity": 4}],
                "order_is_there_once": [
                    {"purchase_order_id": "twice"},
                    {"purchase_order_id": "twice"},
                ],
                "lines_agree_holds": [{"lines_agree": False}],
            },
        ),
        Cases(
            GOODS_RECEIVED_NOT_INVOICED,
            clearing,
            {
                "it_waits_for_what_is_missing": [{"waits_for": "waits_for_invoice"}],
                "amount_is_units_at_their_price": [{"open_amount": -180_001}],
                "time_does_not_run_backwards": [{"open_days": -1}],
                "line_is_there_once": [
                    {"purchase_order_id": "twice"},
                    {"purchase_order_id": "twice"},
                ],
                "line_agrees_holds": [{"line_agrees": False}],
            },
        ),
        Cases(
            SUPPLIER_SCORECARD,
            supplier_score,
            {
                "standing_is_known": [{"standing": "excellent"}],
                "orders_are_counted": [{"order_count": 0}],
                "on_time_is_a_share": [{"on_time_in_full_rate": 10_001}],
                "rejected_is_a_share": [{"rejected_rate": 10_001}],
                "no_more_is_due_than_ordered": [{"due_line_count": 4}],
                "no_more_is_on_time_than_due": [{"on_time_in_full_line_count": 3}],
                "p95_is_not_below_the_median": [{"p95_lead_days": 1}],
                "row_is_there_once": [{"supplier_id": "twice"}, {"supplier_id": "twice"}],
                "lines_agree_holds": [{"lines_agree": False}],
            },
        ),
        Cases(
            REPLENISHMENT_PROPOSALS,
            replenishment_proposal,
            {
                "status_is_known": [{"status": "forgotten"}],
                "something_is_needed": [{"needed_quantity": 0}],
                "demand_is_not_negative": [{"daily_demand": -1}],
                "it_was_low": [{"position_quantity": 251}],
                "amount_is_units_at_their_price": [{"amount": 1}],
                "a_problem_is_told": [{"problem_code": "odd"}],
                "proposal_is_there_once": [{"proposal_id": "twice"}, {"proposal_id": "twice"}],
                "proposal_agrees_holds": [{"proposal_agrees": False}],
            },
        ),
        Cases(
            STOCK_COVER,
            cover,
            {
                "status_is_known": [{"status": "forgotten"}],
                "demand_is_not_negative": [{"daily_demand": -1}],
                "a_target_is_not_below_the_reorder_point": [{"target_quantity": 249}],
                "what_is_out_has_nothing": [{"status": "out_of_stock"}],
                "row_is_there_once": [{"sku": "twice"}, {"sku": "twice"}],
                "stock_agrees_holds": [{"stock_agrees": False}],
            },
        ),
        Cases(
            RECEIVING_PLAN,
            receiving_slot,
            {
                "status_is_known": [{"status": "forgotten"}],
                "a_dock_has_a_number": [{"dock_number": 0}],
                "something_comes": [{"unit_count": 0}],
                "somebody_works": [{"labour_hours": -1}],
                "time_does_not_run_backwards": [{"ends_at": NOON}],
                "despatch_is_there_once": [{"despatch_id": "twice"}, {"despatch_id": "twice"}],
                "a_dock_is_given_out_once": [{"node_id": "twice"}, {"node_id": "twice"}],
                "slot_agrees_holds": [{"slot_agrees": False}],
            },
        ),
        Cases(
            FULFILLMENT_EXCEPTIONS,
            exception,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "area_is_known": [{"exception_area": "weather"}],
                "state_is_known": [{"state": "forgotten"}],
                "it_happened": [{"occurrence_count": 0}],
                "time_does_not_run_backwards": [{"open_hours": -1}],
                "open_is_not_closed": [{"state": "open"}],
                "an_order_has_its_channel": [{"channel": None}],
                "exception_is_there_once": [{"exception_id": "twice"}, {"exception_id": "twice"}],
                "case_agrees_holds": [{"case_agrees": False}],
            },
        ),
        Cases(
            FULFILLMENT_EXCEPTION_RATES,
            exception_rates,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "period_is_known": [{"period": "moon"}],
                "orders_are_counted": [
                    {"order_count": 0, "exception_order_count": 0, "carrier_order_count": 0}
                ],
                "exceptions_are_not_negative": [
                    {
                        "exception_order_count": -1,
                        **{f"{area}_order_count": -1 for area in AREAS_OF_ORDERS},
                    }
                ],
                "no_more_go_wrong_than_there_are": [
                    {"exception_order_count": 11, "exception_count": 11}
                ],
                "rate_is_a_share": [{"exception_rate": 10_001}],
                "each_area_is_within_all": [{"money_order_count": 3}],
                "each_order_has_an_exception": [{"exception_count": 1}],
                "time_does_not_run_backwards": [{"median_open_hours": -1}],
                "p90_is_not_below_the_median": [{"p90_open_hours": 29_999}],
                "p95_is_not_below_p90": [{"p95_open_hours": 37_999}],
                "p99_is_not_below_p95": [{"p99_open_hours": 38_999}],
                "row_is_there_once": [{"channel": "twice"}, {"channel": "twice"}],
                "orders_agree_holds": [{"orders_agree": False}],
            },
        ),
        Cases(
            CHANNEL_SALES_DAILY,
            sales,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "currency_is_a_code": [{"currency_code": "gbp"}],
                "orders_are_counted": [{"order_count": 0}],
                "lines_are_not_negative": [{"order_line_count": -1}],
                "every_unit_is_accounted": [{"filled_quantity": 5}],
                "fill_rate_is_a_share": [{"fill_rate": 10_001}],
                "sales_are_not_negative": [{"gross_sales_amount": -1, "net_sales_amount": -5_001}],
                "tax_is_no_rounding_error": [{"tax_amount": 15_001}],
                "row_is_there_once": [{"channel": "twice"}, {"channel": "twice"}],
                "orders_agree_holds": [{"orders_agree": False}],
            },
        ),
        Cases(
            PICKUP_PERFORMANCE,
            pickups,
            {
                "channel_is_a_code": [{"channel": "web shop"}],
                "pickups_are_counted": [
                    {
                        "pickup_count": 0,
                        "ready_count": 0,
                        "ready_in_time_count": 0,
                        "open_count": -8,
                    }
                ],
                "every_pickup_has_one_outcome": [{"open_count": 2}],
                "every_refusal_has_one_reason": [{"rejected_other_count": 0}],
                "in_time_is_ready": [{"ready_in_time_count": 6}],
                "time_does_not_run_backwards": [{"median_ready_hours": -1}],
                "p95_is_not_below_the_median": [{"p95_ready_hours": 14_999}],
                "row_is_there_once": [{"node_id": "twice"}, {"node_id": "twice"}],
                "pickups_agree_holds": [{"pickups_agree": False}],
            },
        ),
        Cases(
            INVENTORY_POSITION_DAILY,
            position,
            {
                "day_adds_up": [{"closing_quantity": 11}],
                "receipts_add": [{"received_quantity": -1, "adjusted_quantity": 10}],
                "despatches_take": [{"shipped_quantity": -1, "closing_quantity": 15}],
                "stock_is_not_negative": [{"shipped_quantity": 15, "closing_quantity": -1}],
                "day_is_there_once": [{"node_id": "twice"}, {"node_id": "twice"}],
                "opening_agrees_holds": [{"opening_agrees": False}],
                "movements_agree_holds": [{"movements_agree": False}],
            },
        ),
        Cases(
            INVENTORY_DRIFT,
            drift,
            {
                "system_is_a_code": [{"source_system": "The WMS"}],
                "place_is_a_node_or_a_channel": [{"place_kind": "shelf"}],
                "reason_is_known": [{"reason_code": "stolen"}],
                "lines_were_compared": [{"compared_line_count": 0, "drifting_line_count": 0}],
                "no_more_drift_than_lines": [{"drifting_line_count": 10}],
                "net_is_within_gross": [{"net_drift_quantity": -4}],
                "only_our_own_reasons_are_corrected": [{"reason_code": "late"}],
                "reason_is_there_once": [{"place": "twice"}, {"place": "twice"}],
                "drift_agrees_holds": [{"drift_agrees": False}],
            },
        ),
        Cases(
            INVENTORY_SYNC_LATENCY,
            latency,
            {
                "channel_is_a_code": [{"channel": "The Shop"}],
                "messages_are_counted": [{"message_count": 0}],
                "each_message_has_a_line": [{"message_count": 11}],
                "no_more_is_heard_than_told": [{"acknowledged_line_count": 11}],
                "share_is_a_share": [{"acknowledged_share": 10_001}],
                "nothing_is_told_before_it_happens": [{"median_publication_seconds": -1}],
                "period_is_known": [{"period": "moon"}],
                "the_slow_are_slower": [{"p95_publication_seconds": 599_999}],
                "the_slowest_are_the_slowest": [{"p99_total_seconds": 899_999}],
                "nothing_is_heard_before_it_is_told": [{"median_acknowledgement_seconds": -1}],
                "period_is_there_once": [{"channel": "twice"}, {"channel": "twice"}],
                "lines_agree_holds": [{"lines_agree": False}],
            },
        ),
        Cases(
            ATP_PUBLISHED,
            atp,
            {
                "channel_is_a_code": [{"channel": "The Shop"}],
                "offer_is_known": [{"offer": "maybe"}],
                "acknowledgement_is_known": [{"acknowledgement": "perhaps"}],
                "nothing_is_offered_below_zero": [
                    {"published_quantity": -1, "held_back_quantity": 8}
                ],
                "offer_and_buffer_are_all_there_is": [{"held_back_quantity": 3}],
                "no_more_is_offered_than_available": [
                    {"published_quantity": 8, "held_back_quantity": -1}
                ],
                "it_was_told": [{"publication_count": 0}],
                "it_is_told_after_it_happened": [{"changed_at": TWO}],
                "sku_is_there_once": [{"sku": "twice"}, {"sku": "twice"}],
                "is_the_last_holds": [{"is_the_last": False}],
            },
        ),
        Cases(
            UCI_FILE,
            uci_row,
            {
                "invoice_number_has_a_shape": [{"InvoiceNo": "order 7"}],
                "stock_code_has_a_shape": [{"StockCode": "8\t5"}],
                "quantity_is_whole": [{"Quantity": "six"}],
                "quantity_is_not_zero": [{"Quantity": "0"}],
                "quantity_is_possible": [{"Quantity": "1000001"}],
                "price_has_four_decimals_at_most": [{"UnitPrice": "2.55001"}],
                "only_bad_debt_is_negative": [{"UnitPrice": "-2.55"}],
                "date_has_a_shape": [{"InvoiceDate": "yesterday"}],
                "date_is_a_day": [{"InvoiceDate": "2011-02-30 08:26:00"}],
                "country_is_known": [{"Country": "Atlantis"}],
                "customer_has_a_shape": [{"CustomerID": "somebody"}],
                "description_is_short": [{"Description": "A MUG\x01"}],
                "cancellation_takes_back": [{"InvoiceNo": "C536999"}],
            },
            of_the_table=("file_has_rows",),
        ),
    )
}


@dataclass(frozen=True)
class Trial:
    """One frame with a broken group for every expectation, and where each group is."""

    frame: pd.DataFrame
    broken: dict[str, tuple[int, ...]]
    good: tuple[int, ...]


def trial(cases: Cases) -> Trial:
    """Good rows first, then for each expectation the rows that break it."""
    number = 4
    rows = [cases.good(index) for index in range(number)]
    broken: dict[str, tuple[int, ...]] = {}

    def add(name: str, changes: list[Row]) -> None:
        nonlocal number
        # Journal entries have two legs; a lone broken leg is given its other half.
        number += number % 2
        start = len(rows)
        for offset, change in enumerate(changes):
            rows.append({**cases.good(number + offset), **change})
        broken[name] = tuple(range(start, start + len(changes)))
        number += len(changes)
        is_own_entry = any("entry_id" in change for change in changes)
        if cases.suite is JOURNAL_LINE and not is_own_entry and number % 2:
            rows.append(cases.good(number))
            number += 1

    for column in cases.suite.required:
        changes = {column: None, **cases.beside_missing.get(column, {})}
        add(f"{column}_is_present", [changes])
    for name, changes in cases.breaks.items():
        add(name, changes)
    return Trial(pd.DataFrame(rows), broken, tuple(range(4)))
