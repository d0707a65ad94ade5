"""Bundles: what is in them, what was in them when they were ordered, and which left as a whole.

Nothing that is stored changes: no product was a bundle before.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0009"

_CHANGES = """
alter table product add column is_bundle boolean default false not null;

create table bundle_component (
    bundle_sku varchar not null,
    component_sku varchar not null,
    component_number integer not null,
    quantity bigint not null,
    is_unpublished boolean default true not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_bundle_component primary key (bundle_sku, component_sku),
    constraint ck_bundle_component_quantity check (quantity > 0),
    constraint ck_bundle_component_is_not_in_itself check (component_sku <> bundle_sku)
);
create index ix_bundle_component_component_sku on bundle_component (component_sku);
create index ix_bundle_component_is_unpublished on bundle_component (bundle_sku)
where is_unpublished;

create table order_line_component (
    order_id uuid not null,
    component_number integer not null,
    line_number integer not null,
    sku varchar not null,
    quantity_per_bundle bigint not null,
    unit_price numeric(19, 4) not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_order_line_component primary key (order_id, component_number),
    constraint uq_order_line_component_order_id_line_number_sku
    unique (order_id, line_number, sku),
    constraint ck_order_line_component_quantity_per_bundle check (quantity_per_bundle > 0)
);
create index ix_order_line_component_recorded_xid on order_line_component (recorded_xid);

create table bundle_handed_over (
    shipment_id uuid not null,
    line_number integer not null,
    order_id uuid not null,
    sku varchar not null,
    quantity bigint not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_bundle_handed_over primary key (shipment_id, line_number),
    constraint ck_bundle_handed_over_quantity check (quantity > 0)
);
create index ix_bundle_handed_over_recorded_xid on bundle_handed_over (recorded_xid);

create trigger refuse_change before update or delete or truncate on order_line_component
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on bundle_handed_over
for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Add the tables and the column."""
    op.execute(_CHANGES)
