alter table supplier add column order_channel VARCHAR DEFAULT 'erp' NOT NULL;

alter table supplier
add constraint ck_supplier_order_channel check (order_channel in ('erp', 'portal', 'x12'));

alter table purchase_order_line
add column held_quantity BIGINT DEFAULT 0 NOT NULL,
add column put_away_quantity BIGINT DEFAULT 0 NOT NULL,
add column backordered_quantity BIGINT DEFAULT 0 NOT NULL;

alter table purchase_order_line
add column accepted_quantity BIGINT GENERATED ALWAYS AS
    (delivered_quantity - rejected_quantity - held_quantity) STORED NOT NULL;

alter table purchase_order_line
add constraint ck_purchase_order_line_held
check (held_quantity >= 0 and accepted_quantity >= put_away_quantity);

alter table goods_received
add column held_quantity BIGINT DEFAULT 0 NOT NULL,
add column backordered_quantity BIGINT DEFAULT 0 NOT NULL;

alter table goods_received
add constraint ck_goods_received_held
check (held_quantity between 0 and delivered_quantity - rejected_quantity);

CREATE TABLE goods_inspected (
    inspection_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    passed_quantity BIGINT NOT NULL,
    rejected_quantity BIGINT NOT NULL,
    rejection_reason VARCHAR,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_goods_inspected PRIMARY KEY (inspection_id, line_number),
    CONSTRAINT ck_goods_inspected_inspected CHECK (passed_quantity >= 0 and rejected_quantity >= 0)
);

CREATE INDEX ix_goods_inspected_order ON goods_inspected (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_goods_inspected_recorded_xid ON goods_inspected (recorded_xid);

CREATE TABLE goods_put_away (
    put_away_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    purchase_order_id VARCHAR NOT NULL,
    purchase_order_line_id VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    location_code VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_goods_put_away PRIMARY KEY (put_away_id, line_number),
    CONSTRAINT ck_goods_put_away_quantity CHECK (quantity > 0)
);

CREATE INDEX ix_goods_put_away_order ON goods_put_away (purchase_order_id, purchase_order_line_id);

CREATE INDEX ix_goods_put_away_recorded_xid ON goods_put_away (recorded_xid);

CREATE TABLE supplier_standing (
    supplier_id VARCHAR NOT NULL,
    plan_id UUID NOT NULL,
    standing VARCHAR NOT NULL,
    due_line_count BIGINT NOT NULL,
    good_line_count BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_supplier_standing PRIMARY KEY (supplier_id, plan_id),
    CONSTRAINT ck_supplier_standing_standing CHECK (standing in ('good', 'warn', 'prevent'))
);

CREATE INDEX ix_supplier_standing_recorded_xid ON supplier_standing (recorded_xid);

create trigger refuse_change before update or delete or truncate on goods_inspected
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on goods_put_away
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on supplier_standing
for each statement execute function refuse_change();
