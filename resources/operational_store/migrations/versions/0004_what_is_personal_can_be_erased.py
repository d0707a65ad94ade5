"""What is personal in events lies where it can be erased; bodies can go while their rows stay.

Personal fields of events that are not applied yet, and bodies that the door refused, leave
`event_inbox` and `quarantined_event` for tables of their own. The bodies of what a flow set aside
go without a copy: the event itself is in the inbox.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

# What was personal on the day of this migration, by event type: where it is, what of that stays.
_ORDERS = ("retail.order.placed.v1", "data -> 'ship_to'", "{country}")
_CUSTOMERS = ("retail.customer.registered.v1", "data", "{customer_number,country}")

_STATEMENTS = """
alter table event_inbox
    add column has_personal_data boolean default false not null,
    add column body_removed_at timestamptz;
alter table command_outbox add column removed_payload_md5 varchar;
alter table exception_case add column resolution text;

create table event_personal_data (
    source varchar not null,
    event_id varchar not null,
    customer_number varchar,
    fields json not null,
    recorded_at timestamptz default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_event_personal_data primary key (source, event_id)
);
comment on table event_personal_data is
    'What is personal in events that are not applied yet; joined back when they are';

create table quarantined_body (
    source varchar not null,
    body_hash bytea not null,
    body bytea not null,
    recorded_at timestamptz default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_quarantined_body primary key (source, body_hash)
);
comment on table quarantined_body is
    'Bodies that the door refused, as they came: nobody knows what is personal in them';
comment on table customer_contact is
    'Who a customer is; beside events that are not applied, the only personal data';

insert into quarantined_body (source, body_hash, body, recorded_at)
select distinct on (source, body_hash) source, body_hash, body, recorded_at
from quarantined_event as kept
where
    reason_code = 'id_conflict'
    or not exists (
        select
        from event_inbox as inbox
        where inbox.source = kept.source and inbox.event_id = kept.event_id
    )
order by source, body_hash, recorded_at;
alter table quarantined_event drop column body;
"""

_MOVE = """
with personal as (
    select inbox_id, source, event_id, data ->> 'customer_number' as customer_number,
        (({place})::jsonb - '{stays}'::text[])::json as fields
    from event_inbox
    where event_type = '{event_type}' and status <> 'applied'
        and (({place})::jsonb - '{stays}'::text[]) <> '{{}}'
),

moved as (
    insert into event_personal_data (source, event_id, customer_number, fields)
    select source, event_id, customer_number, {wrapped}
    from personal
)

update event_inbox
set has_personal_data = true, data = ({bare})::json
from personal
where event_inbox.inbox_id = personal.inbox_id
"""


def upgrade() -> None:
    """Move what may be personal; nothing of it is lost on the way."""
    for statement in _STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
    event_type, place, stays = _ORDERS
    op.execute(
        _MOVE.format(
            event_type=event_type,
            place=place,
            stays=stays,
            wrapped="json_build_object('ship_to', fields)",
            bare="jsonb_set(data::jsonb, '{ship_to}', (data::jsonb -> 'ship_to')"
            " - array(select json_object_keys(personal.fields)))",
        )
    )
    event_type, place, stays = _CUSTOMERS
    op.execute(
        _MOVE.format(
            event_type=event_type,
            place=place,
            stays=stays,
            wrapped="fields",
            bare="data::jsonb - array(select json_object_keys(personal.fields))",
        )
    )
