"""The tables of the operational store, one module a subject; here all of them are declared at once.

Facts are append-only and carry three times: ``occurred_at`` (the event's own), ``effective_at``
(the Clock) and ``recorded_at`` (the wall), with ``recorded_xid`` so that an incremental export
never misses a transaction that commits late. Tables that change in place (``mutable``) hold only
what the next decision needs; everything in them can be rebuilt from the facts.
"""

from __future__ import annotations

from resources.operational_store.schema.approvals import (
    approval_decision,
    approval_delegation,
    approval_request,
)
from resources.operational_store.schema.cases import (
    case_escalated,
    exception_case,
    playbook_action,
    sale_hold,
    service_level_movement,
)
from resources.operational_store.schema.conventions import Instant, Money, Xid8, metadata
from resources.operational_store.schema.decisions import (
    decision_batch,
    decision_record,
    policy_version,
    process_event,
)
from resources.operational_store.schema.door import (
    door_tally,
    event_identity,
    event_inbox,
    event_personal_data,
    quarantined_body,
    quarantined_event,
)
from resources.operational_store.schema.finance import journal_line
from resources.operational_store.schema.master_data import (
    bundle_component,
    customer,
    customer_contact,
    node,
    price,
    product,
)
from resources.operational_store.schema.notifications import notification, notification_delivery
from resources.operational_store.schema.orders import (
    bundle_handed_over,
    fulfilment_order,
    order_charge,
    order_line,
    order_line_component,
    order_placed,
    order_state,
    payment_movement,
    shipment_delivered,
    shipment_dispatched,
)
from resources.operational_store.schema.outbox import command_outbox, partner_health
from resources.operational_store.schema.people import audit_entry, person
from resources.operational_store.schema.pickups import payment_screened, pickup, pickup_step
from resources.operational_store.schema.progress import gate_pointer, home_clock, lake_watermark
from resources.operational_store.schema.purchasing import (
    clearing_entry,
    goods_inspected,
    goods_put_away,
    goods_received,
    invoice_match,
    invoice_match_review,
    purchase_order_line,
    purchase_order_placed,
    purchase_order_terms,
    supplier,
    supplier_invoice_line,
    supplier_invoice_received,
)
from resources.operational_store.schema.replenishment import (
    demand_spike,
    forecast_error,
    forecast_model,
    goods_despatched,
    purchase_order_acknowledged,
    receiving_slot,
    replenishment_level,
    replenishment_plan,
    replenishment_proposal,
    requisition_decided,
    supplier_applicant,
    supplier_check,
    supplier_standing,
    supplier_terms,
    transfer_proposal,
)
from resources.operational_store.schema.stock import (
    channel_availability,
    deallocation,
    inventory_counted,
    reservation_movement,
    stock_movement,
    stock_position,
)
from resources.operational_store.schema.supply import (
    availability_outlook,
    backorder_movement,
    inbound_announced,
    inbound_received,
    order_promise,
    pooled_line,
    supply_pool,
)
from resources.operational_store.schema.synchronisation import (
    availability_acknowledged,
    availability_published,
    inventory_drift_reason,
    inventory_snapshot,
    price_shown,
    stock_correction,
)

__all__ = [
    "LAKE_TABLES",
    "PERSONAL_TABLES",
    "Instant",
    "Money",
    "Xid8",
    "approval_decision",
    "approval_delegation",
    "approval_request",
    "audit_entry",
    "availability_acknowledged",
    "availability_outlook",
    "availability_published",
    "backorder_movement",
    "bundle_component",
    "bundle_handed_over",
    "case_escalated",
    "channel_availability",
    "clearing_entry",
    "command_outbox",
    "customer",
    "customer_contact",
    "deallocation",
    "decision_batch",
    "decision_record",
    "demand_spike",
    "door_tally",
    "event_identity",
    "event_inbox",
    "event_personal_data",
    "exception_case",
    "forecast_error",
    "forecast_model",
    "fulfilment_order",
    "gate_pointer",
    "goods_despatched",
    "goods_inspected",
    "goods_put_away",
    "goods_received",
    "home_clock",
    "inbound_announced",
    "inbound_received",
    "inventory_counted",
    "inventory_drift_reason",
    "inventory_snapshot",
    "invoice_match",
    "invoice_match_review",
    "journal_line",
    "lake_watermark",
    "metadata",
    "node",
    "notification",
    "notification_delivery",
    "order_charge",
    "order_line",
    "order_line_component",
    "order_placed",
    "order_promise",
    "order_state",
    "partner_health",
    "payment_movement",
    "payment_screened",
    "person",
    "pickup",
    "pickup_step",
    "playbook_action",
    "policy_version",
    "pooled_line",
    "price",
    "price_shown",
    "process_event",
    "product",
    "purchase_order_acknowledged",
    "purchase_order_line",
    "purchase_order_placed",
    "purchase_order_terms",
    "quarantined_body",
    "quarantined_event",
    "receiving_slot",
    "replenishment_level",
    "replenishment_plan",
    "replenishment_proposal",
    "requisition_decided",
    "reservation_movement",
    "sale_hold",
    "service_level_movement",
    "shipment_delivered",
    "shipment_dispatched",
    "stock_correction",
    "stock_movement",
    "stock_position",
    "supplier",
    "supplier_applicant",
    "supplier_check",
    "supplier_invoice_line",
    "supplier_invoice_received",
    "supplier_standing",
    "supplier_terms",
    "supply_pool",
    "transfer_proposal",
]

#: Where a person may be found, and is erased.
PERSONAL_TABLES = [table for table in metadata.sorted_tables if table.info.get("personal")]

#: Facts, in the order in which they are exported to the lake.
LAKE_TABLES = [table for table in metadata.sorted_tables if table.info.get("lake")]
