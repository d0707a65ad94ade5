"""P7: what was let in, turned away and set aside adds up to what came."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

P7 = Invariant(
    "P7",
    "Nothing is lost: received = applied + pending + waiting + quarantined + duplicates",
    """
    select
        exists (select from door_tally)
        or exists (select from event_inbox)
        or exists (select from quarantined_event)
    """,
    {
        "the door's count does not add up": """
            select
                source, event_type,
                sum(received)::bigint as received,
                sum(accepted)::bigint as accepted,
                sum(duplicates)::bigint as duplicates,
                sum(quarantined)::bigint as quarantined
            from door_tally
            group by source, event_type
            having sum(received) <> sum(accepted) + sum(duplicates) + sum(quarantined)
            order by source, event_type
        """,
        "what was accepted is not in the inbox": """
            with accepted as (
                select source, event_type, sum(accepted)::bigint as accepted
                from door_tally
                group by source, event_type
            ),

            stored as (
                select
                    source, event_type,
                    count(*) filter (where status = 'applied') as applied,
                    count(*) filter (where status = 'pending') as pending,
                    count(*) filter (where status = 'waiting') as waiting,
                    count(*) filter (where status = 'quarantined') as quarantined
                from event_inbox
                group by source, event_type
            )

            select
                source, event_type,
                coalesce(accepted, 0) as accepted,
                coalesce(applied, 0) as applied,
                coalesce(pending, 0) as pending,
                coalesce(waiting, 0) as waiting,
                coalesce(quarantined, 0) as quarantined
            from accepted
            full join stored using (source, event_type)
            where coalesce(accepted, 0) <> coalesce(applied + pending + waiting + quarantined, 0)
            order by source, event_type
        """,
        "waits without a reason and a release": """
            select source, event_id, event_type
            from event_inbox
            where
                status = 'waiting'
                and (
                    coalesce(waiting_reason, '') = ''
                    or coalesce(release_condition, '') = ''
                    or waiting_since is null
                )
            order by source, event_id
        """,
        "was set aside without a quarantine row": """
            select inbox.source, inbox.event_id, inbox.event_type
            from event_inbox as inbox
            where
                inbox.status = 'quarantined'
                and not exists (
                    select
                    from quarantined_event as kept
                    where kept.source = inbox.source and kept.event_id = inbox.event_id
                )
            order by inbox.source, inbox.event_id
        """,
        # The same bad body delivered again is counted again and kept once.
        "was refused at the door without a quarantine row": """
            with refused as (
                select source, event_type, recorded_xid, quarantined
                from door_tally
                where quarantined > 0
            ),

            first_kept as (
                select
                    source, event_type, min(recorded_xid::text::bigint) as recorded_xid,
                    count(*) as kept
                from quarantined_event
                group by source, event_type
            )

            select
                refused.source, refused.event_type,
                sum(refused.quarantined)::bigint as refused,
                coalesce(max(first_kept.kept), 0) as kept
            from refused
            left join first_kept
                on refused.source = first_kept.source
                    and refused.event_type = first_kept.event_type
                    and first_kept.recorded_xid <= refused.recorded_xid::text::bigint
            where first_kept.source is null
            group by refused.source, refused.event_type
            order by refused.source, refused.event_type
        """,
        "is in quarantine and was not counted": """
            with kept as (
                select kept.source, kept.event_type, count(*) as kept
                from quarantined_event as kept
                where
                    kept.reason_code = 'id_conflict'
                    or not exists (
                        select
                        from event_inbox as inbox
                        where inbox.source = kept.source and inbox.event_id = kept.event_id
                    )
                group by kept.source, kept.event_type
            ),

            counted as (
                select source, event_type, sum(quarantined)::bigint as refused
                from door_tally
                group by source, event_type
            )

            select kept.source, kept.event_type, kept.kept, coalesce(counted.refused, 0) as refused
            from kept
            left join counted
                on kept.source = counted.source and kept.event_type = counted.event_type
            where kept.kept > coalesce(counted.refused, 0)
            order by kept.source, kept.event_type
        """,
    },
)
