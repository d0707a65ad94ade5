create sequence stock_ledger_sequence;

CREATE TABLE channel_availability (
    channel VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    published_quantity BIGINT NOT NULL,
    available_quantity BIGINT NOT NULL,
    policy_hash VARCHAR NOT NULL,
    ledger_watermark BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_channel_availability PRIMARY KEY (channel, sku),
    CONSTRAINT ck_channel_availability_not_more_than_available CHECK (published_quantity between 0 and available_quantity)
);

COMMENT ON TABLE channel_availability IS 'What each channel was last told it may sell';

CREATE TABLE command_outbox (
    outbox_sequence BIGSERIAL NOT NULL,
    command_id UUID NOT NULL,
    partner VARCHAR NOT NULL,
    command_type VARCHAR NOT NULL,
    business_key VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    payload JSON NOT NULL,
    status VARCHAR DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    last_error VARCHAR,
    owner VARCHAR NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_command_outbox PRIMARY KEY (outbox_sequence),
    CONSTRAINT ck_command_outbox_status CHECK (status in ('pending', 'delivered', 'dead')),
    CONSTRAINT uq_command_outbox_command_id UNIQUE (command_id)
);

CREATE INDEX ix_command_outbox_pending ON command_outbox (partner, outbox_sequence) WHERE status <> 'delivered';

CREATE TABLE customer (
    customer_id UUID NOT NULL,
    country_code VARCHAR(2),
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_customer PRIMARY KEY (customer_id)
);

CREATE TABLE customer_contact (
    customer_id UUID NOT NULL,
    customer_number VARCHAR NOT NULL,
    name VARCHAR,
    email VARCHAR,
    address VARCHAR,
    city VARCHAR,
    postcode VARCHAR,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_customer_contact PRIMARY KEY (customer_id)
);

COMMENT ON TABLE customer_contact IS 'The one table with personal data; erase a person here and they are gone';

CREATE TABLE deallocation (
    ledger_sequence BIGINT DEFAULT nextval('stock_ledger_sequence') NOT NULL,
    order_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    reason_code VARCHAR NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_deallocation PRIMARY KEY (order_id, line_number, node_id),
    CONSTRAINT ck_deallocation_quantity CHECK (quantity > 0)
);

CREATE INDEX ix_deallocation_recorded_xid ON deallocation (recorded_xid);

CREATE TABLE decision_batch (
    decision_batch_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    policy_hash VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,
    inputs BYTEA NOT NULL,
    outcome_hash BYTEA NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_decision_batch PRIMARY KEY (decision_batch_id)
);

CREATE INDEX ix_decision_batch_recorded_xid ON decision_batch (recorded_xid);

CREATE TABLE decision_record (
    decision_id UUID NOT NULL,
    decision_batch_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    business_key VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    reason_codes VARCHAR[] NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_decision_record PRIMARY KEY (decision_id)
);

CREATE INDEX ix_decision_record_recorded_xid ON decision_record (recorded_xid);

CREATE TABLE door_tally (
    tally_id BIGSERIAL NOT NULL,
    source VARCHAR NOT NULL,
    event_type VARCHAR NOT NULL,
    received INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_door_tally PRIMARY KEY (tally_id),
    CONSTRAINT ck_door_tally_nothing_is_lost CHECK (received = accepted + duplicates + quarantined)
);

CREATE TABLE event_identity (
    source VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    body_hash BYTEA NOT NULL,
    CONSTRAINT pk_event_identity PRIMARY KEY (source, event_id)
);

CREATE TABLE event_inbox (
    inbox_id BIGSERIAL NOT NULL,
    source VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    event_type VARCHAR NOT NULL,
    consumer VARCHAR NOT NULL,
    phase SMALLINT NOT NULL,
    subject VARCHAR NOT NULL,
    legal_entity VARCHAR NOT NULL,
    brand VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    traceparent VARCHAR,
    data JSON NOT NULL,
    status VARCHAR DEFAULT 'pending' NOT NULL,
    waiting_reason VARCHAR,
    release_condition VARCHAR,
    waiting_since TIMESTAMP WITH TIME ZONE,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_event_inbox PRIMARY KEY (inbox_id),
    CONSTRAINT uq_event_inbox_source_event_id UNIQUE (source, event_id),
    CONSTRAINT ck_event_inbox_status CHECK (status in ('pending', 'applied', 'waiting', 'quarantined')),
    CONSTRAINT ck_event_inbox_waiting_has_a_release CHECK ((status = 'waiting') = (release_condition is not null))
);

CREATE INDEX ix_event_inbox_pending ON event_inbox (consumer, phase, occurred_at) WHERE status = 'pending';

CREATE INDEX ix_event_inbox_release ON event_inbox (release_condition) WHERE status = 'waiting';

CREATE TABLE exception_case (
    case_id UUID NOT NULL,
    case_type VARCHAR NOT NULL,
    business_key VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    status VARCHAR DEFAULT 'open' NOT NULL,
    case_count INTEGER DEFAULT '1' NOT NULL,
    reason TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_exception_case PRIMARY KEY (case_id),
    CONSTRAINT uq_exception_case_case_type_business_key UNIQUE (case_type, business_key),
    CONSTRAINT ck_exception_case_status CHECK (status in ('open', 'closed'))
);

CREATE TABLE fulfilment_order (
    fulfilment_order_id UUID NOT NULL,
    order_id UUID NOT NULL,
    node_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    shipment_number VARCHAR,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_fulfilment_order PRIMARY KEY (fulfilment_order_id),
    CONSTRAINT ck_fulfilment_order_status CHECK (status in ('requested', 'accepted', 'dispatched', 'delivered', 'rejected'))
)
 WITH (fillfactor = 70);

CREATE INDEX ix_fulfilment_order_order_id ON fulfilment_order (order_id);

CREATE TABLE gate_pointer (
    gate VARCHAR NOT NULL,
    accepted VARCHAR NOT NULL,
    detail JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_gate_pointer PRIMARY KEY (gate)
);

COMMENT ON TABLE gate_pointer IS 'What each data gate has accepted; moved in the transaction that it accepts';

CREATE TABLE home_clock (
    "only" BOOLEAN DEFAULT true NOT NULL,
    mode VARCHAR NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_home_clock PRIMARY KEY ("only"),
    CONSTRAINT ck_home_clock_one_row CHECK ("only"),
    CONSTRAINT ck_home_clock_mode CHECK (mode in ('wall', 'simulated'))
);

CREATE TABLE journal_line (
    entry_id UUID NOT NULL,
    line_number SMALLINT NOT NULL,
    entry_kind VARCHAR NOT NULL,
    business_key VARCHAR NOT NULL,
    account_code VARCHAR NOT NULL,
    amount NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    legal_entity VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_journal_line PRIMARY KEY (entry_id, line_number),
    CONSTRAINT ck_journal_line_amount_is_not_zero CHECK (amount <> 0)
);

CREATE INDEX ix_journal_line_recorded_xid ON journal_line (recorded_xid);

CREATE TABLE lake_watermark (
    table_name VARCHAR NOT NULL,
    exported_below_xid xid8 NOT NULL,
    exported_rows BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_lake_watermark PRIMARY KEY (table_name)
);

CREATE TABLE node (
    node_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    zone VARCHAR NOT NULL,
    country_code VARCHAR(2) NOT NULL,
    is_active BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_node PRIMARY KEY (node_id)
);

CREATE TABLE order_charge (
    order_id UUID NOT NULL,
    charge_number INTEGER NOT NULL,
    charge_code VARCHAR NOT NULL,
    charge_amount NUMERIC(19, 4) NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_order_charge PRIMARY KEY (order_id, charge_number)
);

CREATE INDEX ix_order_charge_recorded_xid ON order_charge (recorded_xid);

CREATE TABLE order_line (
    order_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    sku VARCHAR NOT NULL,
    ordered_quantity BIGINT NOT NULL,
    reserved_quantity BIGINT NOT NULL,
    unfilled_quantity BIGINT NOT NULL,
    unfilled_reason_code VARCHAR,
    unit_price NUMERIC(19, 4) NOT NULL,
    line_amount NUMERIC(19, 4) NOT NULL,
    tax_amount NUMERIC(19, 4) NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_order_line PRIMARY KEY (order_id, line_number),
    CONSTRAINT ck_order_line_every_unit_is_accounted CHECK (reserved_quantity + unfilled_quantity = ordered_quantity),
    CONSTRAINT ck_order_line_unfilled_has_a_reason CHECK ((unfilled_quantity > 0) = (unfilled_reason_code is not null))
);

CREATE INDEX ix_order_line_recorded_xid ON order_line (recorded_xid);

CREATE TABLE order_placed (
    order_id UUID NOT NULL,
    order_number VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    legal_entity VARCHAR NOT NULL,
    brand VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    customer_id UUID,
    country_code VARCHAR(2) NOT NULL,
    service_level VARCHAR NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    line_count INTEGER NOT NULL,
    ordered_quantity BIGINT NOT NULL,
    goods_amount NUMERIC(19, 4) NOT NULL,
    charge_amount NUMERIC(19, 4) NOT NULL,
    total_amount NUMERIC(19, 4) NOT NULL,
    trading_date DATE NOT NULL,
    promised_date DATE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_order_placed PRIMARY KEY (order_id),
    CONSTRAINT uq_order_placed_channel_order_number UNIQUE (channel, order_number)
);

CREATE INDEX ix_order_placed_recorded_xid ON order_placed (recorded_xid);

CREATE TABLE order_state (
    order_id UUID NOT NULL,
    status VARCHAR NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    payment_reference VARCHAR,
    authorised_amount NUMERIC(19, 4) DEFAULT '0' NOT NULL,
    payable_amount NUMERIC(19, 4) NOT NULL,
    capture_requested_amount NUMERIC(19, 4) DEFAULT '0' NOT NULL,
    captured_amount NUMERIC(19, 4) DEFAULT '0' NOT NULL,
    open_fulfilment_orders INTEGER DEFAULT '0' NOT NULL,
    undelivered_fulfilment_orders INTEGER DEFAULT '0' NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_order_state PRIMARY KEY (order_id),
    CONSTRAINT ck_order_state_captured_within_authorised CHECK (captured_amount <= capture_requested_amount and capture_requested_amount <= authorised_amount)
)
 WITH (fillfactor = 70);

CREATE INDEX ix_order_state_expires_at ON order_state (expires_at) WHERE expires_at is not null;

CREATE TABLE partner_health (
    partner VARCHAR NOT NULL,
    breaker VARCHAR DEFAULT 'closed' NOT NULL,
    consecutive_failures INTEGER DEFAULT '0' NOT NULL,
    open_until TIMESTAMP WITH TIME ZONE,
    last_success_at TIMESTAMP WITH TIME ZONE,
    last_error VARCHAR,
    event_cursor VARCHAR,
    CONSTRAINT pk_partner_health PRIMARY KEY (partner),
    CONSTRAINT ck_partner_health_breaker CHECK (breaker in ('closed', 'open', 'half_open'))
);

CREATE TABLE payment_movement (
    payment_movement_id UUID NOT NULL,
    order_id UUID NOT NULL,
    payment_reference VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    amount NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_payment_movement PRIMARY KEY (payment_movement_id),
    CONSTRAINT ck_payment_movement_kind CHECK (kind in ('authorised', 'declined', 'captured', 'voided'))
);

CREATE INDEX ix_payment_movement_recorded_xid ON payment_movement (recorded_xid);

CREATE TABLE policy_version (
    policy_hash VARCHAR NOT NULL,
    policy VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    effective_from DATE NOT NULL,
    document JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_policy_version PRIMARY KEY (policy_hash)
);

CREATE TABLE price (
    sku VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_price PRIMARY KEY (sku, channel, occurred_at)
);

CREATE INDEX ix_price_recorded_xid ON price (recorded_xid);

CREATE TABLE process_event (
    process_event_id UUID NOT NULL,
    activity VARCHAR NOT NULL,
    order_id UUID,
    objects JSONB NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_process_event PRIMARY KEY (process_event_id)
);

CREATE INDEX ix_process_event_recorded_xid ON process_event (recorded_xid);

CREATE TABLE product (
    sku VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    standard_cost NUMERIC(19, 4) NOT NULL,
    currency_code VARCHAR(3) NOT NULL,
    tax_rate_basis_points INTEGER NOT NULL,
    gtin VARCHAR,
    is_synthetic BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_product PRIMARY KEY (sku)
);

CREATE TABLE quarantined_event (
    quarantine_id BIGSERIAL NOT NULL,
    source VARCHAR NOT NULL,
    event_id VARCHAR,
    event_type VARCHAR,
    reason_code VARCHAR NOT NULL,
    reason TEXT NOT NULL,
    position VARCHAR NOT NULL,
    body BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    status VARCHAR DEFAULT 'open' NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_quarantined_event PRIMARY KEY (quarantine_id),
    CONSTRAINT uq_quarantined_event_source_body_hash_reason_code_position UNIQUE (source, body_hash, reason_code, position),
    CONSTRAINT ck_quarantined_event_status CHECK (status in ('open', 'replayed'))
);

CREATE TABLE reservation_movement (
    ledger_sequence BIGINT DEFAULT nextval('stock_ledger_sequence') NOT NULL,
    order_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    is_start BOOLEAN NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_reservation_movement PRIMARY KEY (order_id, line_number, node_id, is_start),
    CONSTRAINT ck_reservation_movement_kind CHECK (kind in ('reserved', 'consumed', 'released', 'expired', 'moved_to_shortage')),
    CONSTRAINT ck_reservation_movement_sign CHECK (is_start = (kind = 'reserved') and is_start = (quantity > 0))
);

CREATE INDEX ix_reservation_movement_recorded_xid ON reservation_movement (recorded_xid);

CREATE TABLE shipment_delivered (
    shipment_id UUID NOT NULL,
    shipment_number VARCHAR NOT NULL,
    order_id UUID NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_shipment_delivered PRIMARY KEY (shipment_id)
);

CREATE INDEX ix_shipment_delivered_recorded_xid ON shipment_delivered (recorded_xid);

CREATE TABLE shipment_dispatched (
    shipment_id UUID NOT NULL,
    shipment_number VARCHAR NOT NULL,
    order_id UUID NOT NULL,
    fulfilment_order_id UUID NOT NULL,
    node_id VARCHAR NOT NULL,
    carrier VARCHAR NOT NULL,
    shipped_quantity BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_shipment_dispatched PRIMARY KEY (shipment_id),
    CONSTRAINT uq_shipment_dispatched_fulfilment_order_id UNIQUE (fulfilment_order_id)
);

CREATE INDEX ix_shipment_dispatched_recorded_xid ON shipment_dispatched (recorded_xid);

CREATE TABLE stock_movement (
    ledger_sequence BIGINT DEFAULT nextval('stock_ledger_sequence') NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    reason_code VARCHAR NOT NULL,
    reference_id UUID NOT NULL,
    reference_line INTEGER NOT NULL,
    order_id UUID,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_stock_movement PRIMARY KEY (ledger_sequence),
    CONSTRAINT uq_stock_movement_reference_id_reference_line UNIQUE (reference_id, reference_line),
    CONSTRAINT ck_stock_movement_kind CHECK (kind in ('received', 'counted', 'adjusted', 'shipped'))
);

CREATE INDEX ix_stock_movement_recorded_xid ON stock_movement (recorded_xid);

CREATE TABLE stock_position (
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    on_hand_quantity BIGINT DEFAULT '0' NOT NULL,
    reserved_quantity BIGINT DEFAULT '0' NOT NULL,
    allocated_quantity BIGINT DEFAULT '0' NOT NULL,
    is_unpublished BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_stock_position PRIMARY KEY (node_id, sku),
    CONSTRAINT ck_stock_position_reserved_is_not_negative CHECK (reserved_quantity >= 0),
    CONSTRAINT ck_stock_position_allocated_is_not_negative CHECK (allocated_quantity >= 0),
    CONSTRAINT ck_stock_position_no_oversell CHECK (reserved_quantity + allocated_quantity <= on_hand_quantity)
)
 WITH (fillfactor = 50);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused, correct it by a further row',
        tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

create function refuse_unbalanced_entries() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select entry_id, currency_code, sum(amount) as difference, count(*) as line_count
    into wrong
    from inserted_line
    group by entry_id, currency_code
    having sum(amount) <> 0 or count(*) < 2
    limit 1;
    if found then
        raise exception 'journal entry % does not balance: % % in % line(s) of this statement',
            wrong.entry_id, wrong.difference, wrong.currency_code, wrong.line_count
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;

create trigger refuse_unbalanced_entries after insert on journal_line
referencing new table as inserted_line
for each statement execute function refuse_unbalanced_entries();

create trigger refuse_change before update or delete or truncate on deallocation
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on decision_batch
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on decision_record
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on journal_line
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on order_charge
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on order_line
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on order_placed
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on payment_movement
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on price
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on process_event
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on reservation_movement
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on shipment_delivered
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on shipment_dispatched
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on stock_movement
for each statement execute function refuse_change();
