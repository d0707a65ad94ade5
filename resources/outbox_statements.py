"""What the dispatcher says to the outbox: what waits, what is claimed, what became of it."""

from __future__ import annotations

import sqlalchemy as sa

from resources.operational_store.cases import WRITTEN_NOW

# The index of what waits keeps entries of delivered commands until the next vacuum. Only a plain
# index scan marks them, so that the next scan passes them by; and it needs no sort.
PLAINLY = sa.text(
    "select set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)"
)
# `status <> 'delivered'` says nothing new; it is the condition of the index that serves these.
WAITING = sa.text("""
    select partner, count(*) as commands
    from command_outbox
    where status = 'pending' and status <> 'delivered'
    group by partner
    order by partner
""")
HELD_BACK = sa.text("""
    select distinct business_key
    from command_outbox
    where partner = :partner and status <> 'delivered'
        and (status = 'dead' or next_attempt_at > :now)
""")
# A row that somebody else holds is seen but not taken, so that its key can be left alone.
CLAIM = sa.text("""
    with candidate as materialized (
        select outbox_sequence, command_id, command_type, business_key, correlation_id,
            effective_at, attempts, owner, payload::text as payload,
            last_error is not null as has_failed
        from command_outbox
        where partner = :partner and status = 'pending' and status <> 'delivered'
            and outbox_sequence > :after
            and business_key <> all(cast(:held_back as text[]))
        order by outbox_sequence
        limit :most
    ),
    held as (
        select outbox_sequence
        from command_outbox
        where outbox_sequence in (select outbox_sequence from candidate) and status = 'pending'
        for update skip locked
    )
    select candidate.*, outbox_sequence in (select outbox_sequence from held) as is_held
    from candidate
    order by outbox_sequence
""")
DELIVER = sa.text("""
    update command_outbox
    set status = 'delivered', delivered_at = :now, attempts = attempts + 1,
        next_attempt_at = null, last_error = null
    where outbox_sequence = any(:sequences)
""")
FAIL = sa.text("""
    update command_outbox
    set status = failed.status, attempts = attempts + 1, next_attempt_at = failed.next_attempt_at,
        last_error = failed.last_error
    from unnest(
        cast(:sequences as bigint[]), cast(:statuses as text[]),
        cast(:moments as timestamptz[]), cast(:errors as text[])
    ) as failed (outbox_sequence, status, next_attempt_at, last_error)
    where command_outbox.outbox_sequence = failed.outbox_sequence
""")
# Of a key whose dead command was tried again: nothing of it is dead any more.
CLOSE_CASES = sa.text(f"""
    update exception_case
    set status = 'closed', closed_at = :now, resolution = 'delivered when tried again',
        {WRITTEN_NOW}
    from unnest(cast(:keys as text[])) as delivered (business_key)
    where case_type = 'dead_letter' and status = 'open'
        and exception_case.business_key = :partner || '/' || delivered.business_key
        and not exists (
            select from command_outbox as other
            where other.partner = :partner and other.business_key = delivered.business_key
                and other.status = 'dead' and other.status <> 'delivered'
        )
""")
LEFT = sa.text("""
    select count(*), count(*) filter (
        where business_key = any(cast(:held_back as text[]))
            and (next_attempt_at is null or next_attempt_at <= :now)
    )
    from command_outbox
    where partner = :partner and status = 'pending' and status <> 'delivered'
""")
RETRY_NOW = sa.text("""
    update command_outbox
    set attempts = 0, next_attempt_at = null
    where status = 'pending' and status <> 'delivered' and attempts > 0
        and partner = any(cast(:partners as text[]))
""")
CLOSE_BREAKERS = sa.text("""
    update partner_health
    set breaker = 'closed', consecutive_failures = 0, open_until = null
    where breaker <> 'closed' and partner = any(cast(:partners as text[]))
""")
