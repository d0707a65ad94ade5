"""What suppliers sell, what stock is held for, what was proposed, decided and is on its way."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from resources.operational_store.schema.conventions import (
    Instant,
    Money,
    effective,
    fact,
    metadata,
    occurred,
    recorded,
)

# Who wants to sell to us; once the ERP tells of them they are suppliers.
supplier_applicant = Table(
    "supplier_applicant",
    metadata,
    Column("supplier_id", String, primary_key=True),
    Column("supplier_name", String, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("country_code", String(2), nullable=False),
    Column("tax_id", String, nullable=False),
    Column("bank_account", String, nullable=False),
    Column("applied_by", String, nullable=False),
    Column("identity_check", String, nullable=False),
    Column("duplicate_check", String, nullable=False),
    Column("bank_check", String, nullable=False),
    Column("contract_check", String, nullable=False),
    Column("contract_reference", String),
    Column("is_told", Boolean, nullable=False),
    occurred(),
    effective(),
    *recorded(),
    CheckConstraint(
        "not is_told or (identity_check, duplicate_check, bank_check, contract_check)"
        " = ('passed', 'passed', 'passed', 'passed')",
        name="told_when_all_is_passed",
    ),
    info={"mutable": True},
)

supplier_check = fact(
    "supplier_check",
    Column("check_id", Uuid, primary_key=True),
    Column("supplier_id", String, nullable=False),
    Column("check_code", String, nullable=False),
    Column("status", String, nullable=False),
    Column("decided_by", String, nullable=False),
    occurred(),
    effective(),
    CheckConstraint("status in ('waiting', 'passed', 'failed')", name="status"),
    CheckConstraint(
        "check_code in ('identity', 'duplicate', 'bank', 'contract')", name="check_code"
    ),
    Index("ix_supplier_check_supplier_id", "supplier_id"),
)

supplier_terms = Table(
    "supplier_terms",
    metadata,
    Column("supplier_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("lead_time_days", Integer, nullable=False),
    Column("minimum_quantity", BigInteger, nullable=False),
    Column("case_quantity", BigInteger, nullable=False),
    Column("is_anchored_at_minimum", Boolean, nullable=False),
    Column("pallet_quantity", BigInteger, nullable=False),
    Column("maximum_quantity", BigInteger, nullable=False),
    Column("is_preferred", Boolean, nullable=False),
    occurred(),
    effective(),
    *recorded(),
    PrimaryKeyConstraint("supplier_id", "sku"),
    Index("ix_supplier_terms_sku", "sku"),
    info={"mutable": True},
)

replenishment_plan = fact(
    "replenishment_plan",
    Column("plan_id", Uuid, primary_key=True),
    Column("planned_for", Date, nullable=False),
    Column("plan_number", Integer, nullable=False),
    Column("policy_hash", String, nullable=False),
    Column("series_count", Integer, nullable=False),
    Column("proposal_count", Integer, nullable=False),
    Column("without_supplier_count", Integer, nullable=False),
    effective(),
    UniqueConstraint("planned_for", "plan_number"),
)

# The models that were tried, when they were last chosen anew.
forecast_model = fact(
    "forecast_model",
    Column("plan_id", Uuid, nullable=False),
    Column("demand_class", String, nullable=False),
    Column("model", String, nullable=False),
    Column("series_count", Integer, nullable=False),
    # Measures without a unit; none where no series of the class has one.
    Column("rmsse", Float),
    Column("pinball_loss", Float),
    Column("is_chosen", Boolean, nullable=False),
    effective(),
    PrimaryKeyConstraint("plan_id", "demand_class", "model"),
)

# What each series' model was off by a day in the backtest, when models were last chosen.
forecast_error = Table(
    "forecast_error",
    metadata,
    Column("region", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("demand_class", String, nullable=False),
    Column("daily_deviation", Float, nullable=False),
    effective(),
    *recorded(),
    PrimaryKeyConstraint("region", "sku"),
    info={"mutable": True},
)

# What each place and SKU is held at since the last plan; the plans before are in their proposals.
replenishment_level = Table(
    "replenishment_level",
    metadata,
    Column("sku", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("supplier_id", String),
    Column("demand_class", String),
    Column("model", String),
    Column("daily_demand", Float, nullable=False),
    Column("daily_deviation", Float, nullable=False),
    Column("lead_time_days", Float, nullable=False),
    Column("lead_time_deviation_days", Float, nullable=False),
    Column("safety_stock_quantity", BigInteger, nullable=False),
    Column("reorder_point_quantity", BigInteger, nullable=False),
    Column("target_quantity", BigInteger, nullable=False),
    Column("position_quantity", BigInteger, nullable=False),
    effective(),
    *recorded(),
    PrimaryKeyConstraint("sku", "node_id"),
    info={"mutable": True},
)

replenishment_proposal = fact(
    "replenishment_proposal",
    Column("proposal_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("requisition_id", Uuid),
    Column("sku", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("supplier_id", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("problem_code", String),
    Column("spike_id", Uuid),
    Column("demand_class", String, nullable=False),
    Column("model", String, nullable=False),
    Column("daily_demand", Float, nullable=False),
    Column("daily_deviation", Float, nullable=False),
    Column("lead_time_days", Float, nullable=False),
    Column("lead_time_deviation_days", Float, nullable=False),
    Column("safety_stock_quantity", BigInteger, nullable=False),
    Column("reorder_point_quantity", BigInteger, nullable=False),
    Column("target_quantity", BigInteger, nullable=False),
    Column("on_hand_quantity", BigInteger, nullable=False),
    Column("reserved_quantity", BigInteger, nullable=False),
    Column("backordered_quantity", BigInteger, nullable=False),
    Column("on_order_quantity", BigInteger, nullable=False),
    Column("requested_quantity", BigInteger, nullable=False),
    Column("needed_quantity", BigInteger, nullable=False),
    Column("order_quantity", BigInteger, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("due_at", Instant, nullable=False),
    effective(),
    CheckConstraint("outcome in ('proposed', 'not_orderable', 'over_budget')", name="outcome"),
    CheckConstraint("(outcome = 'proposed') = (requisition_id is not null)", name="requisition"),
    Index("ix_replenishment_proposal_requisition_id", "requisition_id"),
)

transfer_proposal = fact(
    "transfer_proposal",
    Column("transfer_id", Uuid, primary_key=True),
    # Of the transfer that the ERP is told of, by which it announces the goods; before, none was.
    Column("transfer_number", Uuid),
    Column("plan_id", Uuid, nullable=False),
    Column("sku", String, nullable=False),
    Column("from_node_id", String, nullable=False),
    Column("to_node_id", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    effective(),
    CheckConstraint("quantity > 0", name="quantity"),
)

requisition_decided = fact(
    "requisition_decided",
    Column("requisition_id", Uuid, primary_key=True),
    Column("decision", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("total_amount", Money, nullable=False),
    occurred(),
    effective(),
    CheckConstraint("decision in ('approved', 'denied')", name="decision"),
)

purchase_order_acknowledged = fact(
    "purchase_order_acknowledged",
    Column("acknowledgement_id", Uuid, nullable=False),
    Column("purchase_order_id", String, nullable=False),
    Column("purchase_order_line_id", String, nullable=False),
    Column("document_number", String, nullable=False),
    Column("status", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("promised_at", Instant),
    occurred(),
    effective(),
    PrimaryKeyConstraint("acknowledgement_id", "purchase_order_line_id"),
    CheckConstraint("status in ('accepted', 'changed', 'rejected')", name="status"),
    Index("ix_purchase_order_acknowledged_order", "purchase_order_id", "purchase_order_line_id"),
)

goods_despatched = fact(
    "goods_despatched",
    Column("despatch_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("document_number", String, nullable=False),
    Column("purchase_order_id", String, nullable=False),
    Column("purchase_order_line_id", String, nullable=False),
    Column("supplier_id", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("expected_at", Instant, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("despatch_id", "line_number"),
    CheckConstraint("quantity > 0", name="quantity"),
    Index("ix_goods_despatched_order", "purchase_order_id", "purchase_order_line_id"),
)

# Who unloads what, where and when, from the moment that it is announced.
receiving_slot = fact(
    "receiving_slot",
    Column("despatch_id", Uuid, primary_key=True),
    Column("purchase_order_id", String, nullable=False),
    Column("supplier_id", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("dock_number", Integer, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("unit_count", BigInteger, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("labour_minutes", Integer, nullable=False),
    effective(),
    CheckConstraint("starts_at < ends_at", name="times"),
    UniqueConstraint("node_id", "dock_number", "starts_at"),
)

# A row for each plan that found it changed.
supplier_standing = fact(
    "supplier_standing",
    Column("supplier_id", String, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("standing", String, nullable=False),
    Column("due_line_count", BigInteger, nullable=False),
    Column("good_line_count", BigInteger, nullable=False),
    effective(),
    PrimaryKeyConstraint("supplier_id", "plan_id"),
    CheckConstraint("standing in ('good', 'warn', 'prevent')", name="standing"),
)

demand_spike = fact(
    "demand_spike",
    Column("spike_id", Uuid, primary_key=True),
    Column("region", String, nullable=False),
    Column("product_class", String, nullable=False),
    Column("onset_at", Instant, nullable=False),
    Column("detected_at", Instant, nullable=False),
    Column("orders_seen", Integer, nullable=False),
    Column("lines_seen", Integer, nullable=False),
    # Parts of the region's orders, and a sum of log-likelihood ratios: no units.
    Column("usual_share", Float, nullable=False),
    Column("seen_share", Float, nullable=False),
    Column("evidence", Float, nullable=False),
    effective(),
)
