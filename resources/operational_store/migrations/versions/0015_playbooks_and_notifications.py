"""What is done first about a case, who was told of it, and since when a partner is away.

Nothing that is stored changes; open cases of before get no playbook until they open again.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

_CHANGES = """
alter table exception_case
    add column playbook varchar,
    add column next_action integer default 0 not null,
    add column next_action_at timestamp with time zone;
create index ix_exception_case_next_action_at on exception_case (playbook, next_action_at)
where status = 'open' and next_action_at is not null;

create table playbook_action (
    case_id uuid not null,
    cycle integer not null,
    action_number integer not null,
    playbook varchar not null,
    outcome varchar not null,
    cost numeric(19, 4) not null,
    run_id varchar not null,
    actor varchar not null,
    policy_hash varchar not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_playbook_action primary key (case_id, cycle, action_number),
    constraint ck_playbook_action_outcome
    check (outcome in ('done', 'nothing_to_do', 'over_cap', 'failed')),
    constraint ck_playbook_action_cost check (cost >= 0)
);
create index ix_playbook_action_recorded_xid on playbook_action (recorded_xid);
create index ix_playbook_action_occurred_at on playbook_action (playbook, occurred_at);

create table sale_hold (
    channel varchar not null,
    sku varchar not null,
    case_id uuid not null,
    cycle integer not null,
    held_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_sale_hold primary key (case_id, cycle)
);
create index ix_sale_hold_open on sale_hold (sku) where ended_at is null;

create table notification (
    message_id uuid not null,
    occasion varchar not null,
    subject varchar not null,
    recipient varchar not null,
    title text not null,
    body text not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_notification primary key (message_id),
    constraint ck_notification_occasion
    check (occasion in ('case_routed', 'case_escalated', 'consent_wanted', 'playbook_stopped'))
);
create index ix_notification_recorded_xid on notification (recorded_xid);

create table notification_delivery (
    message_id uuid not null,
    sink varchar not null,
    status varchar default 'pending' not null,
    attempts integer default 0 not null,
    next_attempt_at timestamp with time zone,
    delivered_at timestamp with time zone,
    last_error text,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_notification_delivery primary key (message_id, sink),
    constraint ck_notification_delivery_status check (status in ('pending', 'delivered', 'dead'))
);
create index ix_notification_delivery_pending on notification_delivery (sink, message_id)
where status = 'pending';

create index ix_quarantined_event_open on quarantined_event (source, event_type)
where status = 'open';

alter table partner_health add column away_since timestamp with time zone;

create trigger refuse_change before update or delete or truncate on playbook_action
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on notification
for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Add the columns, the tables and what keeps facts from being changed."""
    op.execute(_CHANGES)
