CREATE TABLE supplier (
    supplier_id VARCHAR NOT NULL,
    supplier_name VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    country_code VARCHAR(2),
    tax_id VARCHAR,
    bank_account VARCHAR,
    confirmed_bank_account VARCHAR,
    bank_status VARCHAR NOT NULL,
    group_id VARCHAR NOT NULL,
    is_active BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier PRIMARY KEY (supplier_id),
    CONSTRAINT ck_supplier_bank_status CHECK (bank_status in ('confirmed', 'unconfirmed', 'denied'))
);

CREATE INDEX ix_supplier_group_id ON supplier (group_id);

CREATE TABLE purchase_order_placed (
    purchase_order_id VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    supplier_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    legal_entity VARCHAR NOT NULL,
    brand VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    status VARCHAR NOT NULL,
    approved_by VARCHAR NOT NULL,
    is_receipt_expected BOOLEAN NOT NULL,
    line_count INTEGER NOT NULL,
    goods_amount NUMERIC(19, 4) NOT NULL,
    freight_amount NUMERIC(19, 4) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_purchase_order_placed PRIMARY KEY (purchase_order_id, version),
    CONSTRAINT ck_purchase_order_placed_status CHECK (status in ('open', 'closed'))
);

CREATE INDEX ix_purchase_order_placed_recorded_xid ON purchase_order_placed (recorded_xid);

CREATE TABLE purchase_order_terms (
    purchase_order_id VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    ordered_quantity BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_purchase_order_terms PRIMARY KEY (purchase_order_id, version, purchase_order_line_id)
);

CREATE INDEX ix_purchase_order_terms_recorded_xid ON purchase_order_terms (recorded_xid);

CREATE TABLE purchase_order_line (
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    supplier_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    legal_entity VARCHAR NOT NULL,
    brand VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    ordered_quantity BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    is_receipt_expected BOOLEAN NOT NULL,
    is_closed BOOLEAN NOT NULL,
    delivered_quantity BIGINT NOT NULL,
    rejected_quantity BIGINT NOT NULL,
    invoiced_quantity BIGINT NOT NULL,
    invoiced_amount NUMERIC(19, 4) NOT NULL,
    credited_quantity BIGINT NOT NULL,
    cleared_quantity BIGINT NOT NULL,
    planned_freight_amount NUMERIC(19, 4) NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_purchase_order_line PRIMARY KEY (purchase_order_id, purchase_order_line_id),
    CONSTRAINT ck_purchase_order_line_rejected CHECK (rejected_quantity between 0 and delivered_quantity),
    CONSTRAINT ck_purchase_order_line_invoiced CHECK (invoiced_quantity >= 0 and credited_quantity >= 0)
);

CREATE TABLE goods_received (
    receipt_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    delivered_quantity BIGINT NOT NULL,
    rejected_quantity BIGINT NOT NULL,
    rejection_reason VARCHAR,
    unit_price NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_goods_received PRIMARY KEY (receipt_id, line_number),
    CONSTRAINT ck_goods_received_rejected CHECK (rejected_quantity between 0 and delivered_quantity)
);

CREATE INDEX ix_goods_received_order ON goods_received (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_goods_received_recorded_xid ON goods_received (recorded_xid);

CREATE TABLE supplier_invoice_received (
    invoice_id UUID NOT NULL,
    invoice_number VARCHAR NOT NULL,
    normalised_number VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    supplier_id VARCHAR NOT NULL,
    group_id VARCHAR NOT NULL,
    purchase_order_id VARCHAR,
    legal_entity VARCHAR NOT NULL,
    brand VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    goods_amount NUMERIC(19, 4) NOT NULL,
    freight_amount NUMERIC(19, 4) NOT NULL,
    tax_amount NUMERIC(19, 4) NOT NULL,
    total_amount NUMERIC(19, 4) NOT NULL,
    policy_hash VARCHAR NOT NULL,
    duplicate_of UUID,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_invoice_received PRIMARY KEY (invoice_id),
    CONSTRAINT ck_supplier_invoice_received_kind CHECK (kind in ('invoice', 'credit_note'))
);

CREATE INDEX ix_supplier_invoice_received_amount ON supplier_invoice_received (group_id, total_amount);

CREATE INDEX ix_supplier_invoice_received_recorded_xid ON supplier_invoice_received (recorded_xid);

CREATE UNIQUE INDEX uq_supplier_invoice_received_posted ON supplier_invoice_received (group_id, kind, normalised_number) WHERE duplicate_of is null;

CREATE TABLE supplier_invoice_line (
    invoice_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    purchase_order_id VARCHAR,
    purchase_order_line_id VARCHAR,
    quantity BIGINT NOT NULL,
    quantity_before BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    order_unit_price NUMERIC(19, 4) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_invoice_line PRIMARY KEY (invoice_id, line_number)
);

CREATE INDEX ix_supplier_invoice_line_order ON supplier_invoice_line (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_supplier_invoice_line_recorded_xid ON supplier_invoice_line (recorded_xid);

CREATE TABLE invoice_match (
    invoice_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    reason_code VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    status VARCHAR NOT NULL,
    quantity_difference BIGINT NOT NULL,
    value_difference NUMERIC(19, 4) NOT NULL,
    purchase_order_id VARCHAR,
    purchase_order_line_id VARCHAR,
    decided_by VARCHAR,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_invoice_match PRIMARY KEY (invoice_id, line_number, reason_code, revision),
    CONSTRAINT ck_invoice_match_status CHECK (status in ('held', 'noted', 'cured', 'released')),
    CONSTRAINT ck_invoice_match_released_by CHECK ((status = 'released') = (decided_by is not null))
);

CREATE INDEX ix_invoice_match_order ON invoice_match (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_invoice_match_recorded_xid ON invoice_match (recorded_xid);

CREATE TABLE clearing_entry (
    clearing_id UUID NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    decided_by VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_clearing_entry PRIMARY KEY (clearing_id),
    CONSTRAINT ck_clearing_entry_quantity CHECK (quantity <> 0)
);

CREATE INDEX ix_clearing_entry_order ON clearing_entry (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_clearing_entry_recorded_xid ON clearing_entry (recorded_xid);

CREATE TABLE invoice_match_review (
    invoice_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    reason_code VARCHAR NOT NULL,
    quantity_difference BIGINT NOT NULL,
    value_difference NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    policy_hash VARCHAR NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_invoice_match_review PRIMARY KEY (invoice_id, line_number, reason_code)
);

create trigger refuse_change before update or delete or truncate on purchase_order_placed
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on purchase_order_terms
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on goods_received
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on supplier_invoice_received
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on supplier_invoice_line
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on invoice_match
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on clearing_entry
for each statement execute function refuse_change();
