"""The marts that are judged before they are published: each with its suite and what that needs."""

from __future__ import annotations

from dataclasses import dataclass

from assets.approvals.mart_expectations import APPROVAL_TURNAROUND
from assets.exception_routing.mart_expectations import (
    DELAY_COST,
    EXCEPTION_BACKLOG_AGING,
    OPEN_EXCEPTIONS,
    SERVICE_LEVEL_ADHERENCE,
)
from assets.inventory.mart_expectations import (
    ATP_PUBLISHED,
    INVENTORY_DRIFT,
    INVENTORY_POSITION_DAILY,
    INVENTORY_SYNC_LATENCY,
)
from assets.order_to_fulfillment.exception_expectations import (
    FULFILLMENT_EXCEPTION_RATES,
    FULFILLMENT_EXCEPTIONS,
)
from assets.order_to_fulfillment.mart_expectations import (
    CHANNEL_SALES_DAILY,
    FULFILLMENT_BACKLOG,
    ORDER_CYCLE_TIMES,
    ORDER_PROMISE_PERFORMANCE,
)
from assets.order_to_fulfillment.pickup.mart_expectations import PICKUP_PERFORMANCE
from assets.order_to_fulfillment.sourcing_expectations import SOURCING_DECISIONS
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


@dataclass(frozen=True)
class GatedMart:
    """One mart with its suite and what the suite asks beyond the mart's own columns.

    Attributes:
        computed: Boolean columns, as SQL over ``mart`` and the joins.
        joins: What ``computed`` needs beside the mart.
        scaled: Decimal columns, which are judged as whole ten-thousandths.
    """

    suite: Suite
    computed: str = ""
    joins: str = ""
    scaled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mart's name."""
        return self.suite.name


#: Orders placed by channel, region, brand and period.
_PLACED = """
    left join (
        select channel, region, brand, period, period_start_date, count(*) as orders
        from (
            select channel, region, brand, unnest(['day', 'week']) as period,
                unnest([trading_date, date_trunc('week', trading_date)::date]) as period_start_date
            from core.fct_orders
            where {which}
        )
        group by all
    ) as placed
    on placed.channel = mart.channel and placed.region = mart.region
        and placed.brand = mart.brand and placed.period = mart.period
        and placed.period_start_date = mart.period_start_date
"""

MARTS: dict[str, GatedMart] = {
    gated.name: gated
    for gated in (
        GatedMart(
            ORDER_PROMISE_PERFORMANCE,
            computed="""
                coalesce(
                    (orders.ordered_quantity, orders.ordered_total_amount)
                        = (mart.ordered_quantity, mart.ordered_total_amount),
                    false
                ) as order_agrees
            """,
            joins="left join core.fct_orders as orders on orders.order_id = mart.order_id",
            scaled=("ordered_total_amount",),
        ),
        GatedMart(FULFILLMENT_BACKLOG, scaled=("open_amount",)),
        GatedMart(
            ORDER_CYCLE_TIMES,
            computed="""
                coalesce(
                    placed.orders = mart.placed_order_count
                        and mart.placed_order_count >= mart.order_count,
                    false
                ) as orders_agree
            """,
            joins=_PLACED.format(which="true"),
            scaled=("median_hours", "p90_hours", "p95_hours", "p99_hours"),
        ),
        GatedMart(
            SOURCING_DECISIONS,
            computed="""
                coalesce(
                    (decisions.outcome, decisions.policy_hash) = (mart.outcome, mart.policy_hash),
                    false
                ) as decision_agrees
            """,
            joins="""
                left join core.fct_decisions as decisions
                on decisions.decision_id = mart.decision_id
            """,
        ),
        GatedMart(
            FULFILLMENT_EXCEPTIONS,
            computed="""
                mart.order_id is null or coalesce(
                    (orders.order_number, orders.channel) = (mart.order_number, mart.channel), false
                ) as case_agrees
            """,
            joins="left join core.fct_orders as orders on orders.order_id = mart.order_id",
            scaled=("open_hours",),
        ),
        GatedMart(
            FULFILLMENT_EXCEPTION_RATES,
            computed="coalesce(placed.orders = mart.order_count, false) as orders_agree",
            joins=_PLACED.format(which="order_line_count > 0"),
            scaled=(
                "exception_rate",
                "median_open_hours",
                "p90_open_hours",
                "p95_open_hours",
                "p99_open_hours",
            ),
        ),
        GatedMart(
            PICKUP_PERFORMANCE,
            computed="coalesce(asked.pickups = mart.pickup_count, false) as pickups_agree",
            joins="""
                left join (
                    select promised_date, node_id, channel, region, brand, count(*) as pickups
                    from core.fct_pickups
                    group by promised_date, node_id, channel, region, brand
                ) as asked
                on asked.promised_date = mart.promised_date and asked.node_id = mart.node_id
                    and asked.channel = mart.channel and asked.region = mart.region
                    and asked.brand = mart.brand
            """,
            scaled=("median_ready_hours", "p95_ready_hours"),
        ),
        GatedMart(
            INVENTORY_POSITION_DAILY,
            computed="""
                coalesce(
                    mart.opening_quantity = lag(mart.closing_quantity) over (
                        partition by mart.node_id, mart.sku order by mart.trading_date
                    ),
                    mart.opening_quantity = 0
                ) as opening_agrees,
                coalesce(
                    ledger.moved = mart.closing_quantity - mart.opening_quantity, false
                ) as movements_agree
            """,
            joins="""
                left join (
                    select trading_date, node_id, sku, sum(moved_quantity) as moved
                    from core.fct_stock_movements
                    group by trading_date, node_id, sku
                ) as ledger
                on ledger.trading_date = mart.trading_date
                    and ledger.node_id = mart.node_id and ledger.sku = mart.sku
            """,
        ),
        GatedMart(
            INVENTORY_DRIFT,
            computed="""
                coalesce(
                    lines.drift = sum(mart.net_drift_quantity) over (
                        partition by mart.trading_date, mart.source_system, mart.place
                    ),
                    false
                ) as drift_agrees
            """,
            joins="""
                left join (
                    select trading_date, source_system, place, sum(drift_quantity) as drift
                    from core.fct_inventory_snapshot_lines
                    group by trading_date, source_system, place
                ) as lines
                on lines.trading_date = mart.trading_date
                    and lines.source_system = mart.source_system and lines.place = mart.place
            """,
        ),
        GatedMart(
            INVENTORY_SYNC_LATENCY,
            computed="coalesce(told.lines = mart.published_line_count, false) as lines_agree",
            joins="""
                left join (
                    select channel, period, period_start_date, count(*) as lines
                    from (
                        select channel, unnest(['day', 'week']) as period,
                            unnest([trading_date, date_trunc('week', trading_date)::date])
                                as period_start_date
                        from core.fct_availability_publications
                    )
                    group by all
                ) as told
                on told.channel = mart.channel and told.period = mart.period
                    and told.period_start_date = mart.period_start_date
            """,
            scaled=(
                "acknowledged_share",
                "median_publication_seconds",
                "p90_publication_seconds",
                "p95_publication_seconds",
                "p99_publication_seconds",
                "median_acknowledgement_seconds",
                "p95_acknowledgement_seconds",
                "p95_total_seconds",
                "p99_total_seconds",
            ),
        ),
        GatedMart(
            ATP_PUBLISHED,
            computed="coalesce(told.last_at = mart.published_at, false) as is_the_last",
            joins="""
                left join (
                    select channel, sku, max(published_at) as last_at
                    from core.fct_availability_publications
                    group by channel, sku
                ) as told
                on told.channel = mart.channel and told.sku = mart.sku
            """,
        ),
        GatedMart(
            CHANNEL_SALES_DAILY,
            computed="""
                coalesce(
                    (placed.orders, placed.quantity, placed.amount)
                        = (mart.order_count, mart.ordered_quantity, mart.ordered_amount),
                    false
                ) as orders_agree
            """,
            joins="""
                left join (
                    select trading_date, channel, region, currency_code, count(*) as orders,
                        sum(ordered_quantity) as quantity, sum(ordered_total_amount) as amount
                    from marts.order_promise_performance
                    group by trading_date, channel, region, currency_code
                ) as placed
                on placed.trading_date = mart.trading_date and placed.channel = mart.channel
                    and placed.region = mart.region
                    and placed.currency_code = mart.currency_code
            """,
            scaled=(
                "fill_rate",
                "ordered_amount",
                "gross_sales_amount",
                "charge_amount",
                "tax_amount",
                "net_sales_amount",
            ),
        ),
        GatedMart(
            INVOICE_MATCH_EXCEPTIONS,
            computed="""
                coalesce(
                    (holds.status, holds.value_difference) = (mart.status, mart.value_difference),
                    false
                ) as hold_agrees
            """,
            joins="""
                left join core.fct_invoice_holds as holds
                on holds.invoice_id = mart.invoice_id and holds.line_number = mart.line_number
                    and holds.reason_code = mart.reason_code
            """,
            scaled=("value_difference",),
        ),
        GatedMart(
            PURCHASE_ORDER_STATUS,
            computed="coalesce(lines.ordered = mart.ordered_amount, false) as lines_agree",
            joins="""
                left join (
                    select purchase_order_id, sum(ordered_amount) as ordered
                    from core.fct_purchase_order_lines group by purchase_order_id
                ) as lines on lines.purchase_order_id = mart.purchase_order_id
            """,
            scaled=("ordered_amount", "held_amount"),
        ),
        GatedMart(
            GOODS_RECEIVED_NOT_INVOICED,
            computed="""
                coalesce(
                    lines.accepted_quantity - lines.invoiced_quantity + lines.credited_quantity
                        - lines.cleared_quantity = mart.open_quantity,
                    false
                ) as line_agrees
            """,
            joins="""
                left join core.fct_purchase_order_lines as lines
                on lines.purchase_order_id = mart.purchase_order_id
                    and lines.purchase_order_line_id = mart.purchase_order_line_id
            """,
            scaled=("unit_price", "open_amount"),
        ),
        GatedMart(
            SUPPLIER_SCORECARD,
            computed="coalesce(lines.lines = mart.line_count, false) as lines_agree",
            joins="""
                left join (
                    select supplier_id, currency_code, count(*) as lines
                    from core.fct_purchase_order_lines group by supplier_id, currency_code
                ) as lines
                on lines.supplier_id = mart.supplier_id
                    and lines.currency_code = mart.currency_code
            """,
            scaled=(
                "on_time_in_full_rate",
                "rejected_rate",
                "median_lead_days",
                "p95_lead_days",
                "ordered_amount",
                "held_amount",
            ),
        ),
        GatedMart(
            REPLENISHMENT_PROPOSALS,
            computed="""
                coalesce(
                    (proposals.order_quantity, proposals.status)
                        = (mart.order_quantity, mart.status),
                    false
                ) as proposal_agrees
            """,
            joins="""
                left join core.fct_replenishment_proposals as proposals
                on proposals.proposal_id = mart.proposal_id
            """,
            scaled=(
                "daily_demand",
                "daily_deviation",
                "lead_time_days",
                "lead_time_deviation_days",
                "unit_price",
                "amount",
            ),
        ),
        GatedMart(
            STOCK_COVER,
            computed="coalesce(stock.units, 0) = mart.on_hand_quantity as stock_agrees",
            joins="""
                left join (
                    select node_id, sku, sum(moved_quantity) as units
                    from core.fct_stock_movements group by node_id, sku
                ) as stock on stock.node_id = mart.node_id and stock.sku = mart.sku
            """,
            scaled=("daily_demand", "cover_days"),
        ),
        GatedMart(
            RECEIVING_PLAN,
            computed="coalesce(slots.unit_count = mart.unit_count, false) as slot_agrees",
            joins="""
                left join core.fct_receiving_slots as slots
                on slots.despatch_id = mart.despatch_id
            """,
            scaled=("labour_hours",),
        ),
        GatedMart(
            OPEN_EXCEPTIONS,
            computed="cases.case_id is not null as case_agrees",
            joins="""
                left join core.fct_cases as cases
                on cases.case_id = mart.case_id and cases.status = 'open'
            """,
            scaled=("open_hours", "value_at_risk"),
        ),
        GatedMart(
            EXCEPTION_BACKLOG_AGING,
            computed="coalesce(shown.cases = counted.cases, false) as backlog_agrees",
            joins="""
                left join (
                    select owner, sum(open_count) as cases
                    from marts.exception_backlog_aging group by owner
                ) as counted on counted.owner = mart.owner
                left join (
                    select owner, count(*) as cases from marts.open_exceptions group by owner
                ) as shown on shown.owner = mart.owner
            """,
        ),
        GatedMart(
            SERVICE_LEVEL_ADHERENCE, scaled=("in_time_rate", "median_open_hours", "p95_open_hours")
        ),
        GatedMart(
            APPROVAL_TURNAROUND,
            scaled=(
                "requested_amount",
                "pending_amount",
                "median_decision_hours",
                "p95_decision_hours",
                "longest_waiting_hours",
            ),
        ),
        GatedMart(
            DELAY_COST,
            scaled=("open_hours", "late_hours", "delay_cost", "late_cost", "playbook_cost"),
        ),
    )
}
