"""Cases know what they are about, whose they are, by when, and how often they came back.

Cases of before keep their owner; they are routed when this version first looks.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

_CHANGES = """
alter table exception_case
    alter column owner drop not null,
    add column region varchar default '' not null,
    add column brand varchar default '' not null,
    add column channel varchar default '' not null,
    add column node_id varchar,
    add column order_id uuid,
    add column value_at_risk numeric(19, 4),
    add column currency_code varchar,
    add column promised_date date,
    add column brought_by varchar default '' not null,
    add column cycle integer default 1 not null,
    add column cycle_started_at timestamp with time zone,
    add column severity varchar,
    add column assigned_to varchar,
    add column handling_minutes integer,
    add column delay_cost_per_hour numeric(19, 4),
    add column service_level varchar,
    add column calendar varchar,
    add column budget_seconds bigint,
    add column due_at timestamp with time zone,
    add column paused_at timestamp with time zone,
    add column pause_reason text,
    add column next_rung integer default 0 not null,
    add column next_rung_at timestamp with time zone,
    add column routed_at timestamp with time zone,
    add column policy_hash varchar;
update exception_case set cycle_started_at = opened_at, brought_by = owner;
alter table exception_case
    alter column cycle_started_at set not null,
    add constraint ck_exception_case_severity
    check (severity in ('low', 'medium', 'high', 'critical')),
    add constraint ck_exception_case_routed
    check (routed_at is null
        or (owner is not null and due_at is not null and severity is not null)),
    add constraint ck_exception_case_value
    check ((value_at_risk is null) = (currency_code is null));
create index ix_exception_case_unrouted on exception_case (case_id) where routed_at is null;
create index ix_exception_case_next_rung_at on exception_case (next_rung_at)
where status = 'open' and paused_at is null and next_rung_at is not null;

create table service_level_movement (
    case_id uuid not null,
    cycle integer not null,
    movement_number integer not null,
    kind varchar not null,
    calendar varchar not null,
    budget_seconds bigint not null,
    consumed_seconds bigint not null,
    due_at timestamp with time zone,
    reason text,
    actor varchar not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_service_level_movement primary key (case_id, cycle, movement_number),
    constraint ck_service_level_movement_kind
    check (kind in ('started', 'paused', 'resumed', 'moved')),
    constraint ck_service_level_movement_consumed check (consumed_seconds >= 0)
);
create index ix_service_level_movement_recorded_xid on service_level_movement (recorded_xid);

create table case_escalated (
    case_id uuid not null,
    cycle integer not null,
    rung integer not null,
    percent_of_budget integer not null,
    told varchar[] not null,
    assigned_to varchar,
    is_breach boolean not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_case_escalated primary key (case_id, cycle, rung)
);
create index ix_case_escalated_recorded_xid on case_escalated (recorded_xid);

create trigger refuse_change before update or delete or truncate on service_level_movement
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on case_escalated
for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Add columns to the cases that are there, and the two ledgers of their service level."""
    op.execute(_CHANGES)
