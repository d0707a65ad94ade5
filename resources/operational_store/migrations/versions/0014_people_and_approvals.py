"""Who may decide what, what waits for a decision, and a sealed record of who did what.

Nothing that is stored changes.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

_CHANGES = """
create table person (
    person_id varchar not null,
    roles varchar[] not null,
    queues varchar[] not null,
    token_hash varchar,
    is_active boolean default true not null,
    absent_from timestamp with time zone,
    absent_until timestamp with time zone,
    deputy varchar,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_person primary key (person_id),
    constraint uq_person_token_hash unique (token_hash),
    constraint ck_person_absence check (absent_from < absent_until),
    constraint ck_person_is_not_their_own_deputy check (deputy <> person_id)
);

create table audit_entry (
    sequence bigint not null,
    actor varchar not null,
    action varchar not null,
    subject varchar not null,
    outcome varchar not null,
    detail text not null,
    previous_hash varchar not null,
    entry_hash varchar not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_audit_entry primary key (sequence),
    constraint ck_audit_entry_outcome check (outcome in ('done', 'refused'))
);
create index ix_audit_entry_recorded_xid on audit_entry (recorded_xid);

create table approval_request (
    approval_id uuid not null,
    subject_type varchar not null,
    subject_key varchar not null,
    request_number integer not null,
    status varchar default 'pending' not null,
    summary text not null,
    source varchar not null,
    event text not null,
    denial text,
    content_hash varchar not null,
    amount numeric(19, 4) not null,
    currency_code varchar not null,
    region varchar not null,
    brand varchar not null,
    requested_by varchar not null,
    involved varchar[] not null,
    tiers text not null,
    tier integer default 1 not null,
    policy_hash varchar not null,
    requested_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    end_reason text,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_approval_request primary key (approval_id),
    constraint uq_approval_request_subject_type_subject_key_request_number
    unique (subject_type, subject_key, request_number),
    constraint ck_approval_request_status
    check (status in ('pending', 'approved', 'denied', 'expired', 'void')),
    constraint ck_approval_request_ended check ((status = 'pending') = (ended_at is null)),
    constraint ck_approval_request_amount check (amount >= 0)
);
create unique index ix_approval_request_pending on approval_request (subject_type, subject_key)
where status = 'pending';
create index ix_approval_request_expires_at on approval_request (expires_at)
where status = 'pending';

create table approval_decision (
    approval_id uuid not null,
    decision_number integer not null,
    tier integer not null,
    decision varchar not null,
    person_id varchar not null,
    on_behalf_of varchar[] not null,
    content_hash varchar not null,
    reason text not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_approval_decision primary key (approval_id, decision_number),
    constraint uq_approval_decision_approval_id_person_id unique (approval_id, person_id),
    constraint ck_approval_decision_decision check (decision in ('approved', 'denied'))
);
create index ix_approval_decision_recorded_xid on approval_decision (recorded_xid);

create table approval_delegation (
    delegation_id uuid not null,
    delegator varchar not null,
    delegate varchar not null,
    subject_type varchar not null,
    up_to_amount numeric(19, 4) not null,
    valid_from timestamp with time zone not null,
    valid_until timestamp with time zone not null,
    reason text not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_approval_delegation primary key (delegation_id),
    constraint ck_approval_delegation_dates check (valid_from < valid_until),
    constraint ck_approval_delegation_is_to_another check (delegator <> delegate)
);
create index ix_approval_delegation_recorded_xid on approval_delegation (recorded_xid);

alter table stock_correction
    drop constraint ck_stock_correction_status,
    drop constraint ck_stock_correction_booked_by_a_movement,
    add constraint ck_stock_correction_status
    check (status in ('booked', 'proposed', 'rejected', 'reversed')),
    add constraint ck_stock_correction_booked_by_a_movement
    check ((status in ('proposed', 'rejected')) = (reference_id is null));

create trigger refuse_change before update or delete or truncate on audit_entry
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on approval_decision
for each statement execute function refuse_change();
create trigger refuse_change before update or delete or truncate on approval_delegation
for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Add the tables."""
    op.execute(_CHANGES)
