alter table stock_position add column unpublished_since timestamp with time zone;

create index ix_stock_position_sku on stock_position (sku);

create index ix_stock_movement_occurred_at on stock_movement using brin (occurred_at);

CREATE TABLE availability_published (
    publication_id UUID NOT NULL,
    channel VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    published_quantity BIGINT NOT NULL,
    available_quantity BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_availability_published PRIMARY KEY (publication_id, sku),
    CONSTRAINT ck_availability_published_not_more_than_available CHECK (published_quantity between 0 and available_quantity)
);

CREATE INDEX ix_availability_published_recorded_xid ON availability_published (recorded_xid);

CREATE TABLE availability_acknowledged (
    publication_id UUID NOT NULL,
    channel VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_availability_acknowledged PRIMARY KEY (publication_id)
);

CREATE INDEX ix_availability_acknowledged_recorded_xid ON availability_acknowledged (recorded_xid);

CREATE TABLE inventory_snapshot (
    snapshot_id UUID NOT NULL,
    system VARCHAR NOT NULL,
    node_id VARCHAR,
    channel VARCHAR,
    document_number VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    unit_of_measure VARCHAR NOT NULL,
    units_per_case INTEGER,
    stated_quantity BIGINT NOT NULL,
    held_quantity BIGINT NOT NULL,
    drift_quantity BIGINT NOT NULL,
    ledger_watermark BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_inventory_snapshot PRIMARY KEY (snapshot_id, sku),
    CONSTRAINT ck_inventory_snapshot_drift CHECK (drift_quantity = stated_quantity - held_quantity),
    CONSTRAINT ck_inventory_snapshot_place CHECK ((node_id is null) <> (channel is null))
);

CREATE INDEX ix_inventory_snapshot_occurred_at ON inventory_snapshot (occurred_at);

CREATE INDEX ix_inventory_snapshot_recorded_xid ON inventory_snapshot (recorded_xid);

CREATE TABLE inventory_drift_reason (
    snapshot_id UUID NOT NULL,
    sku VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    reason_code VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    amount NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_inventory_drift_reason PRIMARY KEY (snapshot_id, sku, revision, reason_code),
    CONSTRAINT ck_inventory_drift_reason_quantity CHECK (quantity <> 0),
    CONSTRAINT ck_inventory_drift_reason_reason_code CHECK (reason_code in ('unit_of_measure', 'duplicate', 'out_of_order', 'lost', 'late', 'oversell', 'miscount'))
);

CREATE INDEX ix_inventory_drift_reason_recorded_xid ON inventory_drift_reason (recorded_xid);

CREATE TABLE stock_correction (
    snapshot_id UUID NOT NULL,
    sku VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    node_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    amount NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    reference_id UUID,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_stock_correction PRIMARY KEY (snapshot_id, sku, revision),
    CONSTRAINT ck_stock_correction_status CHECK (status in ('booked', 'proposed', 'reversed')),
    CONSTRAINT ck_stock_correction_booked_by_a_movement CHECK ((status = 'proposed') = (reference_id is null))
);

CREATE INDEX ix_stock_correction_recorded_xid ON stock_correction (recorded_xid);

CREATE TABLE price_shown (
    document_id UUID NOT NULL,
    channel VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    graced_from TIMESTAMP WITH TIME ZONE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_price_shown PRIMARY KEY (document_id, sku)
);

CREATE INDEX ix_price_shown_channel_sku_occurred_at ON price_shown (channel, sku, occurred_at);

CREATE INDEX ix_price_shown_recorded_xid ON price_shown (recorded_xid);

create trigger refuse_change before update or delete or truncate on availability_published
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on availability_acknowledged
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on inventory_snapshot
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on inventory_drift_reason
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on stock_correction
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on price_shown
for each statement execute function refuse_change();
