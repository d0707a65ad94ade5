alter table product add column product_class VARCHAR;

alter table purchase_order_placed add column requisition_id UUID;

create index ix_purchase_order_placed_requisition_id on purchase_order_placed (requisition_id);

CREATE TABLE supplier_applicant (
    supplier_id VARCHAR NOT NULL,
    supplier_name VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    country_code VARCHAR(2) NOT NULL,
    tax_id VARCHAR NOT NULL,
    bank_account VARCHAR NOT NULL,
    applied_by VARCHAR NOT NULL,
    identity_check VARCHAR NOT NULL,
    duplicate_check VARCHAR NOT NULL,
    bank_check VARCHAR NOT NULL,
    contract_check VARCHAR NOT NULL,
    contract_reference VARCHAR,
    is_told BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_applicant PRIMARY KEY (supplier_id),
    CONSTRAINT ck_supplier_applicant_told_when_all_is_passed CHECK (not is_told or (identity_check, duplicate_check, bank_check, contract_check) = ('passed', 'passed', 'passed', 'passed'))
);

CREATE TABLE supplier_check (
    check_id UUID NOT NULL,
    supplier_id VARCHAR NOT NULL,
    check_code VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_check PRIMARY KEY (check_id),
    CONSTRAINT ck_supplier_check_status CHECK (status in ('waiting', 'passed', 'failed')),
    CONSTRAINT ck_supplier_check_check_code CHECK (check_code in ('identity', 'duplicate', 'bank', 'contract'))
);

CREATE INDEX ix_supplier_check_recorded_xid ON supplier_check (recorded_xid);

CREATE INDEX ix_supplier_check_supplier_id ON supplier_check (supplier_id);

CREATE TABLE supplier_terms (
    supplier_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    lead_time_days INTEGER NOT NULL,
    minimum_quantity BIGINT NOT NULL,
    case_quantity BIGINT NOT NULL,
    is_anchored_at_minimum BOOLEAN NOT NULL,
    pallet_quantity BIGINT NOT NULL,
    maximum_quantity BIGINT NOT NULL,
    is_preferred BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_terms PRIMARY KEY (supplier_id, sku)
);

CREATE INDEX ix_supplier_terms_sku ON supplier_terms (sku);

CREATE TABLE replenishment_plan (
    plan_id UUID NOT NULL,
    planned_for DATE NOT NULL,
    plan_number INTEGER NOT NULL,
    policy_hash VARCHAR NOT NULL,
    series_count INTEGER NOT NULL,
    proposal_count INTEGER NOT NULL,
    without_supplier_count INTEGER NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_replenishment_plan PRIMARY KEY (plan_id),
    CONSTRAINT uq_replenishment_plan_planned_for_plan_number UNIQUE (planned_for, plan_number)
);

CREATE INDEX ix_replenishment_plan_recorded_xid ON replenishment_plan (recorded_xid);

CREATE TABLE forecast_model (
    plan_id UUID NOT NULL,
    demand_class VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    series_count INTEGER NOT NULL,
    rmsse FLOAT,
    pinball_loss FLOAT,
    is_chosen BOOLEAN NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_forecast_model PRIMARY KEY (plan_id, demand_class, model)
);

CREATE INDEX ix_forecast_model_recorded_xid ON forecast_model (recorded_xid);

CREATE TABLE forecast_error (
    region VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    demand_class VARCHAR NOT NULL,
    daily_deviation FLOAT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_forecast_error PRIMARY KEY (region, sku)
);

CREATE TABLE replenishment_level (
    sku VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    plan_id UUID NOT NULL,
    supplier_id VARCHAR,
    demand_class VARCHAR,
    model VARCHAR,
    daily_demand FLOAT NOT NULL,
    daily_deviation FLOAT NOT NULL,
    lead_time_days FLOAT NOT NULL,
    lead_time_deviation_days FLOAT NOT NULL,
    safety_stock_quantity BIGINT NOT NULL,
    reorder_point_quantity BIGINT NOT NULL,
    target_quantity BIGINT NOT NULL,
    position_quantity BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_replenishment_level PRIMARY KEY (sku, node_id)
);

CREATE TABLE replenishment_proposal (
    proposal_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    requisition_id UUID,
    sku VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    supplier_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    problem_code VARCHAR,
    spike_id UUID,
    demand_class VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    daily_demand FLOAT NOT NULL,
    daily_deviation FLOAT NOT NULL,
    lead_time_days FLOAT NOT NULL,
    lead_time_deviation_days FLOAT NOT NULL,
    safety_stock_quantity BIGINT NOT NULL,
    reorder_point_quantity BIGINT NOT NULL,
    target_quantity BIGINT NOT NULL,
    on_hand_quantity BIGINT NOT NULL,
    reserved_quantity BIGINT NOT NULL,
    backordered_quantity BIGINT NOT NULL,
    on_order_quantity BIGINT NOT NULL,
    requested_quantity BIGINT NOT NULL,
    needed_quantity BIGINT NOT NULL,
    order_quantity BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    amount NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_replenishment_proposal PRIMARY KEY (proposal_id),
    CONSTRAINT ck_replenishment_proposal_outcome CHECK (outcome in ('proposed', 'not_orderable', 'over_budget')),
    CONSTRAINT ck_replenishment_proposal_requisition CHECK ((outcome = 'proposed') = (requisition_id is not null))
);

CREATE INDEX ix_replenishment_proposal_recorded_xid ON replenishment_proposal (recorded_xid);

CREATE INDEX ix_replenishment_proposal_requisition_id ON replenishment_proposal (requisition_id);

CREATE TABLE transfer_proposal (
    transfer_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    sku VARCHAR NOT NULL,
    from_node_id VARCHAR NOT NULL,
    to_node_id VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_transfer_proposal PRIMARY KEY (transfer_id),
    CONSTRAINT ck_transfer_proposal_quantity CHECK (quantity > 0)
);

CREATE INDEX ix_transfer_proposal_recorded_xid ON transfer_proposal (recorded_xid);

CREATE TABLE requisition_decided (
    requisition_id UUID NOT NULL,
    decision VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    total_amount NUMERIC(19, 4) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_requisition_decided PRIMARY KEY (requisition_id),
    CONSTRAINT ck_requisition_decided_decision CHECK (decision in ('approved', 'denied'))
);

CREATE INDEX ix_requisition_decided_recorded_xid ON requisition_decided (recorded_xid);

CREATE TABLE purchase_order_acknowledged (
    acknowledgement_id UUID NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    document_number VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    promised_at TIMESTAMP WITH TIME ZONE,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_purchase_order_acknowledged PRIMARY KEY (acknowledgement_id, purchase_order_line_id),
    CONSTRAINT ck_purchase_order_acknowledged_status CHECK (status in ('accepted', 'changed', 'rejected'))
);

CREATE INDEX ix_purchase_order_acknowledged_order ON purchase_order_acknowledged (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_purchase_order_acknowledged_recorded_xid ON purchase_order_acknowledged (recorded_xid);

CREATE TABLE goods_despatched (
    despatch_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    supplier_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    expected_at TIMESTAMP WITH TIME ZONE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_goods_despatched PRIMARY KEY (despatch_id, line_number),
    CONSTRAINT ck_goods_despatched_quantity CHECK (quantity > 0)
);

CREATE INDEX ix_goods_despatched_order ON goods_despatched (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_goods_despatched_recorded_xid ON goods_despatched (recorded_xid);

CREATE TABLE receiving_slot (
    despatch_id UUID NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    supplier_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    dock_number INTEGER NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unit_count BIGINT NOT NULL,
    line_count INTEGER NOT NULL,
    labour_minutes INTEGER NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_receiving_slot PRIMARY KEY (despatch_id),
    CONSTRAINT ck_receiving_slot_times CHECK (starts_at < ends_at),
    CONSTRAINT uq_receiving_slot_node_id_dock_number_starts_at UNIQUE (node_id, dock_number, starts_at)
);

CREATE INDEX ix_receiving_slot_recorded_xid ON receiving_slot (recorded_xid);

CREATE TABLE demand_spike (
    spike_id UUID NOT NULL,
    region VARCHAR NOT NULL,
    product_class VARCHAR NOT NULL,
    onset_at TIMESTAMP WITH TIME ZONE NOT NULL,
    detected_at TIMESTAMP WITH TIME ZONE NOT NULL,
    orders_seen INTEGER NOT NULL,
    lines_seen INTEGER NOT NULL,
    usual_share FLOAT NOT NULL,
    seen_share FLOAT NOT NULL,
    evidence FLOAT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_demand_spike PRIMARY KEY (spike_id)
);

CREATE INDEX ix_demand_spike_recorded_xid ON demand_spike (recorded_xid);

create trigger refuse_change before update or delete or truncate on supplier_check
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on replenishment_plan
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on forecast_model
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on replenishment_proposal
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on transfer_proposal
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on requisition_decided
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on purchase_order_acknowledged
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on goods_despatched
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on receiving_slot
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on demand_spike
for each statement execute function refuse_change();
