"""Orders that their customers collect, payments that are screened, money that goes back.

Nothing that is stored changes: what is added is empty, and what was allowed still is.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_TABLES = """
create table pickup (
    order_id uuid not null,
    node_id varchar,
    attempt smallint not null,
    promised_ready_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    due_at timestamp with time zone,
    ready_at timestamp with time zone,
    reminders_sent smallint not null,
    accepts_other_store boolean not null,
    accepts_shipping boolean not null,
    effective_at timestamp with time zone not null,
    constraint pk_pickup primary key (order_id)
) with (fillfactor = 70);
create index ix_pickup_due_at on pickup (due_at) where due_at is not null;

create table pickup_step (
    order_id uuid not null,
    attempt smallint not null,
    step varchar not null,
    step_number smallint not null,
    node_id varchar,
    promised_ready_at timestamp with time zone,
    reason_code varchar,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_pickup_step primary key (order_id, attempt, step, step_number),
    constraint ck_pickup_step_step check (
        step in ('promised', 'rejected', 'ready', 'reminded', 'collected', 'unclaimed',
        'shipped_instead')
    ),
    constraint ck_pickup_step_says_what_belongs_to_it check (
        (step = 'promised') = (promised_ready_at is not null)
        and (step = 'rejected') = (reason_code is not null)
    )
);
create index ix_pickup_step_recorded_xid on pickup_step (recorded_xid);

create table payment_screened (
    payment_screened_id uuid not null,
    order_id uuid not null,
    payment_reference varchar not null,
    outcome varchar not null,
    reason_code varchar,
    decided_by varchar,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_payment_screened primary key (payment_screened_id),
    constraint ck_payment_screened_outcome check (
        outcome in ('asked', 'cleared', 'held', 'rejected', 'released', 'cancelled')
    ),
    constraint ck_payment_screened_a_person_is_named check (
        (outcome in ('released', 'cancelled')) = (decided_by is not null)
    )
);
create index ix_payment_screened_recorded_xid on payment_screened (recorded_xid);

create trigger refuse_change before update or delete or truncate on pickup_step
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on payment_screened
for each statement execute function refuse_change();
"""

_CHANGES = """
create index ix_order_placed_customer_id on order_placed (customer_id);

alter table order_state
    add column refund_requested_amount numeric(19, 4) default 0 not null,
    add column refunded_amount numeric(19, 4) default 0 not null,
    add constraint ck_order_state_refunded_within_captured check (
        refunded_amount <= refund_requested_amount and refund_requested_amount <= captured_amount
    );

alter table fulfilment_order
    drop constraint ck_fulfilment_order_status,
    add constraint ck_fulfilment_order_status check (
        status in ('requested', 'accepted', 'ready', 'dispatched', 'delivered', 'rejected',
        'unclaimed')
    );

alter table payment_movement
    drop constraint ck_payment_movement_kind,
    add constraint ck_payment_movement_kind check (
        kind in ('authorised', 'declined', 'captured', 'voided', 'refund_requested', 'refunded',
        'refund_declined')
    );
"""


def upgrade() -> None:
    """Add the tables and columns, and allow the new states."""
    op.execute(_TABLES)
    op.execute(_CHANGES)
