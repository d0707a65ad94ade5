"""What stock and prices of other systems must agree on with ours: parts of S2 and S4, and M11."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

#: Part of S2: no unit of drift is without a reason, and none moves a position without a trace.
DRIFT_FINDINGS = {
    "drift is not coded to the unit": """
        with last as (
            select snapshot_id, sku, max(revision) as revision
            from inventory_drift_reason
            group by snapshot_id, sku
        ),

        coded as (
            select drift.snapshot_id, drift.sku, sum(drift.quantity)::bigint as coded_quantity
            from inventory_drift_reason as drift
            inner join last
                on drift.snapshot_id = last.snapshot_id
                    and drift.sku = last.sku
                    and drift.revision = last.revision
            group by drift.snapshot_id, drift.sku
        )

        select
            coalesce(taken.snapshot_id, coded.snapshot_id) as snapshot_id,
            coalesce(taken.sku, coded.sku) as sku,
            taken.drift_quantity,
            coalesce(coded.coded_quantity, 0) as coded_quantity
        from inventory_snapshot as taken
        full join coded on taken.snapshot_id = coded.snapshot_id and taken.sku = coded.sku
        where taken.drift_quantity is distinct from coalesce(coded.coded_quantity, 0)
        order by 1, 2
    """,
    "a correction is not what moved": """
        with corrected as (
            select
                reference_id, node_id, sku, sum(quantity)::bigint as corrected_quantity
            from stock_correction
            where reference_id is not null
            group by reference_id, node_id, sku
        ),

        moved as (
            select reference_id, node_id, sku, sum(quantity)::bigint as moved_quantity
            from stock_movement
            where reason_code = 'reconciliation' and kind = 'adjusted'
            group by reference_id, node_id, sku
        )

        select
            node_id, sku, reference_id,
            coalesce(corrected_quantity, 0) as corrected_quantity,
            coalesce(moved_quantity, 0) as moved_quantity
        from corrected
        full join moved using (reference_id, node_id, sku)
        where coalesce(corrected_quantity, 0) <> coalesce(moved_quantity, 0)
        order by node_id, sku, reference_id
    """,
}

#: Part of S4: what a channel holds is the last that it was told, and only what was told is heard.
PUBLICATION_FINDINGS = {
    "a channel holds another level than it was last told": """
        with last as (
            select channel, sku, max(recorded_xid::text::bigint) as recorded_xid
            from availability_published
            group by channel, sku
        )

        select
            held.channel, held.sku, held.published_quantity as held_quantity,
            told.published_quantity as told_quantity
        from last
        inner join availability_published as told
            on last.channel = told.channel
                and last.sku = told.sku
                and last.recorded_xid = told.recorded_xid::text::bigint
        inner join channel_availability as held
            on last.channel = held.channel and last.sku = held.sku
        where held.published_quantity <> told.published_quantity
        order by held.channel, held.sku
    """,
    "a channel acknowledged what it was never told": """
        select heard.channel, heard.publication_id
        from availability_acknowledged as heard
        where
            not exists (
                select
                from availability_published as told
                where
                    told.publication_id = heard.publication_id and told.channel = heard.channel
            )
        order by heard.channel, heard.publication_id
    """,
}

_LAST_SHOWN = """
    with shown as (
        select distinct on (channel, sku)
            channel, sku, unit_price, currency_code, occurred_at, graced_from
        from price_shown
        order by channel, sku, occurred_at desc, document_id
    ),

    version as (
        select
            channel, sku, unit_price, currency_code, occurred_at as valid_from,
            lead(occurred_at) over (
                partition by channel, sku
                order by occurred_at
            ) as valid_until
        from price
    ),

    judged as (
        select
            shown.channel, shown.sku, shown.unit_price, shown.currency_code, shown.occurred_at,
            exists (
                select
                from version
                where
                    version.channel = shown.channel
                    and version.sku = shown.sku
                    and version.unit_price = shown.unit_price
                    and version.currency_code = shown.currency_code
                    and version.valid_from <= shown.occurred_at
                    and coalesce(version.valid_until > shown.graced_from, true)
            ) as is_approved
        from shown
    )

    select
        judged.channel, judged.sku, judged.unit_price, judged.currency_code, judged.occurred_at
    from judged
    left join exception_case
        on exception_case.case_type = 'price_parity'
            and exception_case.business_key = judged.channel || '/' || judged.sku
            and exception_case.status = 'open'
    where {wrong}
    order by judged.channel, judged.sku
"""

M11 = Invariant(
    "M11",
    "A channel shows the approved price of its time, or a case about it is open",
    "select exists (select from price_shown)",
    {
        "another price than the approved one, and nobody was asked": _LAST_SHOWN.format(
            wrong="not judged.is_approved and exception_case.case_id is null"
        ),
        "a case is open about a price that is right": _LAST_SHOWN.format(
            wrong="judged.is_approved and exception_case.case_id is not null"
        ),
    },
)
