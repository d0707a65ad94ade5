"""Which tables are judged window by window: each with its suite and the query that reads a window.

A query adds to the table's own columns what a suite asks beyond them, as booleans: whether what a
row refers to is known, and whether what other tables say of it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.finance.expectations import JOURNAL_LINE
from assets.inventory.expectations import RESERVATION_MOVEMENT, STOCK_MOVEMENT
from assets.inventory.synchronisation.expectations import INVENTORY_SNAPSHOT, STOCK_CORRECTION
from assets.master_data.expectations import NODE, PRICE_SHOWN, PRODUCT
from assets.order_to_fulfillment.expectations import (
    ORDER_LINE,
    ORDER_PLACED,
    PAYMENT_MOVEMENT,
    SHIPMENT_DELIVERED,
    SHIPMENT_DISPATCHED,
)
from assets.procure_to_stock.expectations import (
    GOODS_INSPECTED,
    GOODS_PUT_AWAY,
    GOODS_RECEIVED,
    SUPPLIER_INVOICE_LINE,
)
from assets.quality_gate import Suite
from resources.held_events import Named


@dataclass(frozen=True)
class GatedTable:
    """One table with its suite and the statement that reads a window of it.

    Attributes:
        query: Selects the suite's columns from ``judged``, the rows of the window.
        holds_by: What the events name that wait while a row is held: see `resources.held_events`.
        is_whole: Master data are replaced in place: every window is the whole table.
    """

    table: str
    suite: Suite
    query: str
    holds_by: tuple[Named, ...] = ()
    is_whole: bool = False

    @property
    def gate(self) -> str:
        """Name of the pointer."""
        return f"window.{self.table}"


def _money(*columns: str) -> str:
    return ", ".join(f"(j.{column} * 10000)::bigint as {column}" for column in columns)


_TIMES = "j.occurred_at, j.effective_at"
_ORDER_IS_KNOWN = (
    "exists (select from order_placed o where o.order_id = j.order_id) as order_is_known"
)
_NODE_IS_KNOWN = "exists (select from node n where n.node_id = j.node_id) as node_is_known"
_SKU_IS_KNOWN = "exists (select from product p where p.sku = j.sku) as sku_is_known"

# Of a bundle its components are reserved, each under its own number.
_COMPONENTS_AGREE = """not exists (
    select from order_line_component c
    left join lateral (
        select sum(m.quantity) as quantity from reservation_movement m
        where m.order_id = c.order_id and m.line_number = c.component_number and m.is_start
    ) m on true
    left join lateral (
        select sum(d.quantity) as quantity from deallocation d
        where d.order_id = c.order_id and d.line_number = c.component_number
    ) d on true
    where c.order_id = j.order_id and c.line_number = j.line_number
        and coalesce(m.quantity, 0) - j.reserved_quantity * c.quantity_per_bundle
            not between 0 and coalesce(d.quantity, 0)
)"""

TABLES: dict[str, GatedTable] = {
    gated.table: gated
    for gated in (
        GatedTable(
            "product",
            PRODUCT,
            f"""
            select j.sku, j.description, {_money("standard_cost")}, j.currency_code,
                j.tax_rate_basis_points, j.is_synthetic, j.gtin
            from judged j
            """,
            holds_by=("sku",),
            is_whole=True,
        ),
        GatedTable(
            "node",
            NODE,
            "select j.node_id, j.kind, j.zone, j.country_code, j.is_active from judged j",
            holds_by=("node",),
            is_whole=True,
        ),
        GatedTable(
            "order_placed",
            ORDER_PLACED,
            f"""
            select j.order_id::text as order_id, j.order_number, j.legal_entity, j.brand, j.region,
                j.channel, j.correlation_id, j.country_code, j.service_level, j.currency_code,
                j.line_count, coalesce(c.charges, 0)::integer as charge_count, j.ordered_quantity,
                {_money("goods_amount", "charge_amount", "total_amount")},
                j.trading_date, j.promised_date, {_TIMES},
                (coalesce(l.lines, 0), coalesce(l.quantity, 0), coalesce(l.amount, 0))
                    = (j.line_count, j.ordered_quantity, j.goods_amount) as lines_agree,
                coalesce(c.amount, 0) = j.charge_amount as charges_agree
            from judged j
            left join (
                select order_id, count(*) as lines, sum(ordered_quantity) as quantity,
                    sum(line_amount) as amount
                from order_line where order_id in (select order_id from judged)
                group by order_id
            ) l on l.order_id = j.order_id
            left join (
                select order_id, count(*) as charges, sum(charge_amount) as amount
                from order_charge where order_id in (select order_id from judged)
                group by order_id
            ) c on c.order_id = j.order_id
            """,
            holds_by=("order",),
        ),
        GatedTable(
            "order_line",
            ORDER_LINE,
            f"""
            select j.order_id::text as order_id, j.line_number, j.sku, j.ordered_quantity,
                j.reserved_quantity, j.unfilled_quantity, j.unfilled_reason_code,
                j.backordered_quantity,
                {_money("unit_price", "line_amount", "tax_amount")},
                {_ORDER_IS_KNOWN}, {_SKU_IS_KNOWN},
                -- What other nodes took over after a refusal, and what came later from supply,
                -- was not reserved for the line when it came.
                case when exists (
                    select from order_line_component c
                    where c.order_id = j.order_id and c.line_number = j.line_number
                ) then {_COMPONENTS_AGREE}
                else coalesce(r.quantity, 0) - j.reserved_quantity
                    between 0 and coalesce(d.quantity, 0) + coalesce(b.quantity, 0)
                end as reservations_agree
            from judged j
            left join (
                select order_id, line_number, sum(quantity) as quantity
                from reservation_movement
                where is_start and order_id in (select order_id from judged)
                group by order_id, line_number
            ) r on r.order_id = j.order_id and r.line_number = j.line_number
            left join (
                select order_id, line_number, sum(quantity) as quantity
                from deallocation
                where order_id in (select order_id from judged)
                group by order_id, line_number
            ) d on d.order_id = j.order_id and d.line_number = j.line_number
            left join (
                select order_id, line_number, -sum(quantity) as quantity
                from backorder_movement
                where kind = 'supplied' and order_id in (select order_id from judged)
                group by order_id, line_number
            ) b on b.order_id = j.order_id and b.line_number = j.line_number
            """,
            holds_by=("order",),
        ),
        GatedTable(
            "shipment_dispatched",
            SHIPMENT_DISPATCHED,
            f"""
            select j.shipment_id::text as shipment_id, j.shipment_number,
                j.order_id::text as order_id, j.fulfilment_order_id::text as fulfilment_order_id,
                j.node_id, j.carrier, j.shipped_quantity, {_TIMES},
                {_ORDER_IS_KNOWN}, {_NODE_IS_KNOWN},
                exists (
                    select from fulfilment_order f
                    where f.fulfilment_order_id = j.fulfilment_order_id
                ) as fulfilment_order_is_known,
                coalesce(m.quantity, 0) = j.shipped_quantity as movements_agree
            from judged j
            left join (
                select reference_id, -sum(quantity) as quantity
                from stock_movement
                where kind = 'shipped' and reference_id in (select shipment_id from judged)
                group by reference_id
            ) m on m.reference_id = j.shipment_id
            """,
            holds_by=("order",),
        ),
        GatedTable(
            "shipment_delivered",
            SHIPMENT_DELIVERED,
            f"""
            select j.shipment_id::text as shipment_id, j.shipment_number,
                j.order_id::text as order_id, {_TIMES}, d.occurred_at as dispatched_at,
                d.shipment_id is not null as despatch_is_known,
                coalesce(d.order_id = j.order_id, true) as order_agrees
            from judged j
            left join shipment_dispatched d on d.shipment_id = j.shipment_id
            """,
            holds_by=("order",),
        ),
        GatedTable(
            "payment_movement",
            PAYMENT_MOVEMENT,
            f"""
            select j.payment_movement_id::text as payment_movement_id, j.order_id::text as order_id,
                j.payment_reference, j.kind, {_money("amount")}, j.currency_code, {_TIMES},
                o.order_id is not null as order_is_known,
                coalesce(o.currency_code = j.currency_code, true) as currency_agrees,
                coalesce(p.captured <= p.authorised, true) as captures_agree
            from judged j
            left join order_placed o on o.order_id = j.order_id
            left join (
                select order_id,
                    coalesce(sum(amount) filter (where kind = 'captured'), 0) as captured,
                    coalesce(sum(amount) filter (where kind = 'authorised'), 0) as authorised
                from payment_movement where order_id in (select order_id from judged)
                group by order_id
            ) p on p.order_id = j.order_id
            """,
            holds_by=("order",),
        ),
        GatedTable(
            "stock_movement",
            STOCK_MOVEMENT,
            f"""
            select j.ledger_sequence, j.node_id, j.sku, j.kind, j.quantity, j.reason_code,
                j.reference_id::text as reference_id, j.reference_line,
                j.order_id::text as order_id, {_TIMES}, {_SKU_IS_KNOWN}, {_NODE_IS_KNOWN},
                j.order_id is null or exists (
                    select from order_placed o where o.order_id = j.order_id
                ) as order_is_known
            from judged j
            """,
            holds_by=("order", "sku"),
        ),
        GatedTable(
            "reservation_movement",
            RESERVATION_MOVEMENT,
            f"""
            select j.ledger_sequence, j.order_id::text as order_id, j.line_number, j.node_id, j.sku,
                j.kind, j.quantity, j.is_start, j.expires_at, j.effective_at,
                coalesce(l.sku, c.sku) is not null as line_is_known,
                coalesce(coalesce(l.sku, c.sku) = j.sku, true) as sku_agrees,
                {_NODE_IS_KNOWN},
                j.is_start or coalesce(s.quantity = -j.quantity, false) as start_agrees
            from judged j
            left join order_line l on l.order_id = j.order_id and l.line_number = j.line_number
            left join order_line_component c
                on c.order_id = j.order_id and c.component_number = j.line_number
            left join reservation_movement s
                on s.order_id = j.order_id and s.line_number = j.line_number
                and s.node_id = j.node_id and s.is_start and not j.is_start
            """,
            holds_by=("order", "sku"),
        ),
        GatedTable(
            "inventory_snapshot",
            INVENTORY_SNAPSHOT,
            f"""
            select j.snapshot_id::text as snapshot_id, j.system, j.node_id, j.channel,
                j.document_number, j.sku, j.unit_of_measure, j.units_per_case, j.stated_quantity,
                j.held_quantity, j.drift_quantity, j.ledger_watermark, {_TIMES}, {_SKU_IS_KNOWN},
                j.node_id is null or exists (
                    select from node n where n.node_id = j.node_id
                ) as node_is_known,
                coalesce(r.quantity, 0) = j.drift_quantity as reasons_agree
            from judged j
            left join (
                select d.snapshot_id, d.sku, sum(d.quantity) as quantity
                from inventory_drift_reason d
                where d.revision = 1 and d.snapshot_id in (select snapshot_id from judged)
                group by d.snapshot_id, d.sku
            ) r on r.snapshot_id = j.snapshot_id and r.sku = j.sku
            """,
        ),
        GatedTable(
            "stock_correction",
            STOCK_CORRECTION,
            f"""
            select j.snapshot_id::text as snapshot_id, j.sku, j.revision, j.node_id, j.status,
                j.quantity, {_money("amount")}, j.currency_code,
                j.reference_id::text as reference_id, {_TIMES},
                exists (
                    select from inventory_snapshot s
                    where s.snapshot_id = j.snapshot_id and s.sku = j.sku
                        and s.node_id = j.node_id
                ) as snapshot_is_known,
                j.reference_id is null or coalesce(m.quantity = j.quantity, false)
                    as movement_agrees,
                j.status <> 'reversed' or coalesce(
                    t.left_quantity between least(0, t.booked) and greatest(0, t.booked), false
                ) as reversal_is_covered
            from judged j
            left join lateral (
                select sum(m.quantity) as quantity from stock_movement m
                where m.reference_id = j.reference_id and m.sku = j.sku
                    and m.node_id = j.node_id
            ) m on true
            left join lateral (
                select coalesce(sum(c.quantity) filter (where c.status = 'booked'), 0) as booked,
                    sum(c.quantity) filter (where c.status in ('booked', 'reversed'))
                        as left_quantity
                from stock_correction c
                where c.snapshot_id = j.snapshot_id and c.sku = j.sku
            ) t on true
            """,
            holds_by=("sku",),
        ),
        GatedTable(
            "price_shown",
            PRICE_SHOWN,
            f"""
            select j.document_id::text as document_id, j.channel, j.sku, {_money("unit_price")},
                j.currency_code, j.graced_from, {_TIMES}, {_SKU_IS_KNOWN}
            from judged j
            """,
        ),
        GatedTable(
            "goods_received",
            GOODS_RECEIVED,
            f"""
            select j.receipt_id::text as receipt_id, j.line_number, j.purchase_order_id,
                j.purchase_order_line_id, j.node_id, j.sku, j.delivered_quantity,
                j.rejected_quantity, j.held_quantity, j.rejection_reason,
                {_money("unit_price")}, {_TIMES},
                exists (
                    select from purchase_order_line l
                    where l.purchase_order_id = j.purchase_order_id
                        and l.purchase_order_line_id = j.purchase_order_line_id
                ) as order_line_is_known,
                j.delivered_quantity - j.rejected_quantity - j.held_quantity = coalesce((
                    select sum(m.quantity) from stock_movement m
                    where m.reference_id = j.receipt_id and m.reference_line = j.line_number
                ), 0) as stock_agrees
            from judged j
            """,
            holds_by=("sku",),
        ),
        GatedTable(
            "goods_inspected",
            GOODS_INSPECTED,
            f"""
            select j.inspection_id::text as inspection_id, j.line_number, j.purchase_order_id,
                j.purchase_order_line_id, j.node_id, j.sku, j.passed_quantity,
                j.rejected_quantity, j.rejection_reason, {_TIMES},
                (
                    select coalesce(sum(r.held_quantity), 0) from goods_received r
                    where r.purchase_order_id = j.purchase_order_id
                        and r.purchase_order_line_id = j.purchase_order_line_id
                ) >= (
                    select sum(i.passed_quantity + i.rejected_quantity) from goods_inspected i
                    where i.purchase_order_id = j.purchase_order_id
                        and i.purchase_order_line_id = j.purchase_order_line_id
                ) as was_on_hold,
                j.passed_quantity = coalesce((
                    select sum(m.quantity) from stock_movement m
                    where m.reference_id = j.inspection_id and m.reference_line = j.line_number
                ), 0) as stock_agrees
            from judged j
            """,
            holds_by=("sku",),
        ),
        GatedTable(
            "goods_put_away",
            GOODS_PUT_AWAY,
            f"""
            select j.put_away_id::text as put_away_id, j.line_number, j.purchase_order_id,
                j.purchase_order_line_id, j.node_id, j.sku, j.quantity, j.location_code, {_TIMES},
                (
                    select coalesce(
                        sum(r.delivered_quantity - r.rejected_quantity - r.held_quantity), 0
                    ) from goods_received r
                    where r.purchase_order_id = j.purchase_order_id
                        and r.purchase_order_line_id = j.purchase_order_line_id
                ) + (
                    select coalesce(sum(i.passed_quantity), 0) from goods_inspected i
                    where i.purchase_order_id = j.purchase_order_id
                        and i.purchase_order_line_id = j.purchase_order_line_id
                ) >= (
                    select sum(p.quantity) from goods_put_away p
                    where p.purchase_order_id = j.purchase_order_id
                        and p.purchase_order_line_id = j.purchase_order_line_id
                ) as was_accepted
            from judged j
            """,
            holds_by=("sku",),
        ),
        GatedTable(
            "supplier_invoice_line",
            SUPPLIER_INVOICE_LINE,
            f"""
            select j.invoice_id::text as invoice_id, j.line_number, j.purchase_order_id,
                j.purchase_order_line_id, j.quantity, j.quantity_before,
                {_money("unit_price", "order_unit_price")}, {_TIMES},
                exists (
                    select from supplier_invoice_received i
                    where i.invoice_id = j.invoice_id and i.duplicate_of is null
                ) as invoice_is_posted,
                j.purchase_order_id is null or exists (
                    select from purchase_order_line l
                    where l.purchase_order_id = j.purchase_order_id
                        and l.purchase_order_line_id = j.purchase_order_line_id
                        and l.unit_price = j.order_unit_price
                ) as order_line_agrees
            from judged j
            """,
        ),
        GatedTable(
            "journal_line",
            JOURNAL_LINE,
            f"""
            select j.entry_id::text as entry_id, j.line_number, j.entry_kind, j.business_key,
                j.account_code, {_money("amount")}, j.currency_code, j.legal_entity, {_TIMES},
                e.entry_lines, j.account_code = any(%s) as account_is_known
            from judged j
            join (
                select entry_id, count(*)::integer as entry_lines
                from journal_line where entry_id in (select entry_id from judged)
                group by entry_id
            ) e on e.entry_id = j.entry_id
            """,
        ),
    )
}
