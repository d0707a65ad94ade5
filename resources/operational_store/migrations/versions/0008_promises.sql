CREATE TABLE inbound_announced (
    announcement_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    announced_quantity BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    expected_at TIMESTAMP WITH TIME ZONE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_inbound_announced PRIMARY KEY (announcement_id, line_number),
    CONSTRAINT ck_inbound_announced_status CHECK (status in ('planned', 'confirmed', 'in_transit', 'cancelled')),
    CONSTRAINT ck_inbound_announced_quantity CHECK (announced_quantity > 0)
);

CREATE INDEX ix_inbound_announced_document_number ON inbound_announced (document_number);

CREATE INDEX ix_inbound_announced_recorded_xid ON inbound_announced (recorded_xid);

CREATE INDEX ix_inbound_announced_sku ON inbound_announced (sku);

CREATE TABLE inbound_received (
    reference_id UUID NOT NULL,
    reference_line INTEGER NOT NULL,
    document_number VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    received_quantity BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_inbound_received PRIMARY KEY (reference_id, reference_line),
    CONSTRAINT ck_inbound_received_quantity CHECK (received_quantity > 0)
);

CREATE INDEX ix_inbound_received_document_number ON inbound_received (document_number);

CREATE INDEX ix_inbound_received_recorded_xid ON inbound_received (recorded_xid);

CREATE TABLE supply_pool (
    sku VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    open_quantity BIGINT NOT NULL,
    cap_quantity BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_supply_pool PRIMARY KEY (sku, pool),
    CONSTRAINT ck_supply_pool_open_is_not_negative CHECK (open_quantity >= 0),
    CONSTRAINT ck_supply_pool_not_more_than_its_cap CHECK (open_quantity <= cap_quantity),
    CONSTRAINT ck_supply_pool_pool CHECK (pool in ('backorder', 'preorder'))
);

CREATE TABLE pooled_line (
    order_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    sku VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    unit_price NUMERIC(19, 4) NOT NULL,
    available_from TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_pooled_line PRIMARY KEY (order_id, line_number)
);

CREATE INDEX ix_pooled_line_sku ON pooled_line (sku);

CREATE TABLE backorder_movement (
    order_id UUID NOT NULL,
    line_number INTEGER NOT NULL,
    sku VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    is_start BOOLEAN NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_backorder_movement PRIMARY KEY (order_id, line_number, is_start),
    CONSTRAINT ck_backorder_movement_kind CHECK (kind in ('opened', 'supplied', 'lapsed', 'cancelled')),
    CONSTRAINT ck_backorder_movement_sign CHECK (is_start = (kind = 'opened') and is_start = (quantity > 0)),
    CONSTRAINT ck_backorder_movement_pool CHECK (pool in ('backorder', 'preorder'))
);

CREATE INDEX ix_backorder_movement_recorded_xid ON backorder_movement (recorded_xid);

CREATE TABLE availability_outlook (
    channel VARCHAR NOT NULL,
    sku VARCHAR NOT NULL,
    expected_at TIMESTAMP WITH TIME ZONE NOT NULL,
    available_quantity BIGINT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_availability_outlook PRIMARY KEY (channel, sku, expected_at)
);

CREATE INDEX ix_availability_outlook_sku ON availability_outlook (sku);

COMMENT ON TABLE availability_outlook IS 'What each channel was last told that it may sell later, if supply comes as announced';

CREATE TABLE order_promise (
    order_id UUID NOT NULL,
    promise_number SMALLINT NOT NULL,
    promised_date DATE NOT NULL,
    cause_code VARCHAR NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_order_promise PRIMARY KEY (order_id, promise_number),
    CONSTRAINT ck_order_promise_number CHECK (promise_number > 0)
);

CREATE INDEX ix_order_promise_recorded_xid ON order_promise (recorded_xid);

create trigger refuse_change before update or delete or truncate on inbound_announced
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on inbound_received
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on backorder_movement
for each statement execute function refuse_change();

create trigger refuse_change before update or delete or truncate on order_promise
for each statement execute function refuse_change();

alter table order_line
    add column backordered_quantity bigint default 0 not null,
    drop constraint ck_order_line_every_unit_is_accounted,
    add constraint ck_order_line_every_unit_is_accounted check (
        reserved_quantity + unfilled_quantity + backordered_quantity = ordered_quantity
    );

alter table product add column available_from timestamp with time zone;

alter table order_state
    add column promised_date date,
    add column promise_number smallint default 0 not null;

update order_state as held
set
    promise_number = 1,
    promised_date = case
        when held.status in (
            'unfilled', 'declined', 'rejected', 'cancelled', 'expired', 'completed', 'delivered',
            'unclaimed'
        ) then null
        else placed.promised_date
    end
from order_placed as placed
where placed.order_id = held.order_id;

create index ix_order_state_promised_date on order_state (promised_date)
where promised_date is not null;

insert into order_promise (
    order_id, promise_number, promised_date, cause_code, occurred_at, effective_at
)
select order_id, 1, promised_date, 'placed', occurred_at, effective_at
from order_placed;
