"""P3 and P4: who consented was free to, and to what waits."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from assets.approvals.rules import content_hash
from assets.ports import ApprovalRequest
from resources.operational_store.invariants.judging import Invariant, Violation

_ANY = "select exists (select from approval_request)"

P3 = Invariant(
    "P3",
    "Separation of duties: nobody decides what they asked for, edited or gain by, nor in the"
    " place of one who did",
    _ANY,
    {
        "who decided had a hand in it": """
            select d.approval_id, d.person_id
            from approval_decision d
            join approval_request r on r.approval_id = d.approval_id
            where d.person_id = r.requested_by or d.person_id = any(r.involved)
        """,
        "who decided stood in for one who had a hand in it": """
            select d.approval_id, d.person_id, d.on_behalf_of
            from approval_decision d
            join approval_request r on r.approval_id = d.approval_id
            where r.requested_by = any(d.on_behalf_of) or d.on_behalf_of && r.involved
        """,
        "one person's word was counted twice": """
            select d.approval_id, voice
            from approval_decision d
            cross join lateral unnest(d.person_id || d.on_behalf_of) as voice
            group by d.approval_id, voice
            having count(*) > 1
        """,
        "it was approved without the quorum of its last tier": """
            select r.approval_id, r.tier
            from approval_request r
            where r.status = 'approved' and (
                select count(*) from approval_decision d
                where d.approval_id = r.approval_id and d.tier = r.tier
                    and d.decision = 'approved'
            ) < (r.tiers::json -> (r.tier - 1) ->> 'quorum')::int
        """,
    },
)


def _bound_otherwise(connection: sa.Connection) -> Iterator[Violation]:
    rows = connection.execute(
        sa.text(
            "select approval_id, subject_type, subject_key, summary, source, event, denial,"
            " (amount * 10000)::bigint as amount, currency_code, region, brand, requested_by,"
            " content_hash from approval_request order by approval_id"
        ),
        execution_options={"stream_results": True, "yield_per": 1_000},
    )
    for row in rows:
        held = ApprovalRequest(
            row.subject_type,
            row.subject_key,
            row.summary,
            row.source,
            msgspec.json.decode(row.event),
            row.amount,
            row.currency_code,
            row.region,
            row.brand,
            row.requested_by,
            None if row.denial is None else msgspec.json.decode(row.denial),
        )
        if content_hash(held) != row.content_hash:
            yield {
                "wrong": "what waits is not what its hash was made of",
                "approval_id": str(row.approval_id),
            }


P4 = Invariant(
    "P4",
    "Content binding: what was consented to is what waits, and what is ordered, to the letter",
    f"{_ANY} or exists (select from requisition_decided)",
    {
        "something was ordered that nobody consented to": """
            select ordered.requisition_id, ordered.ordered_by
            from (
                select business_key as requisition_id, command_id::text as ordered_by
                from command_outbox
                where command_type = 'purchase_order.create'
                union all
                select requisition_id::text, purchase_order_id
                from purchase_order_placed
                where requisition_id is not null
            ) as ordered
            left join requisition_decided as decided
                on decided.requisition_id::text = ordered.requisition_id
                    and decided.decision = 'approved'
            where decided.requisition_id is null
            order by ordered.requisition_id, ordered.ordered_by
        """,
        "a requisition was decided about another amount than it is worth": """
            with worth as (
                select requisition_id, sum(order_quantity * unit_price) as amount
                from replenishment_proposal
                where requisition_id is not null
                group by requisition_id
            )

            select decided.requisition_id, decided.total_amount, worth.amount
            from requisition_decided as decided
            left join worth using (requisition_id)
            where worth.amount is distinct from decided.total_amount
            order by decided.requisition_id
        """,
        "a requisition was decided otherwise than people decided": """
            select decided.requisition_id, decided.decision, asked.status
            from requisition_decided as decided
            inner join approval_request as asked
                on asked.subject_type = 'requisition'
                    and asked.subject_key = decided.requisition_id::text
            where (decided.decision = 'approved') <> (asked.status = 'approved')
            order by decided.requisition_id
        """,
        "a consent is about another content than its request": """
            select d.approval_id, d.person_id
            from approval_decision d
            join approval_request r on r.approval_id = d.approval_id
            where d.content_hash <> r.content_hash
        """,
    },
    _bound_otherwise,
)
