"""P5: whatever needs a person is somebody's, has a due time, and is not forgotten."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

# The home's time, with what its sensors need to look: routing and rungs are looked at every 5 to
# 10 seconds, and a machine may be busy.
_LATELY = """
    coalesce(
        (select effective_at from home_clock where mode = 'simulated'), now() - interval '2 minutes'
    )
"""

P5 = Invariant(
    "P5",
    "Liveness: each open case has one owner, a due time and a next rung, each rung is taken once"
    " and none is overdue without one",
    "select exists (select from exception_case)",
    {
        "a case is nobody's": f"""
            select case_id, case_type, business_key from exception_case
            where status = 'open' and routed_at is null and cycle_started_at < {_LATELY}
        """,
        "a case has no due time": """
            select case_id, case_type, business_key from exception_case
            where status = 'open' and routed_at is not null and (owner is null or due_at is null)
        """,
        "a rung is due and was not taken": f"""
            select case_id, case_type, business_key, next_rung_at from exception_case
            where status = 'open' and paused_at is null and next_rung_at < {_LATELY}
        """,
        "it is overdue and nobody heard of it": f"""
            select c.case_id, c.case_type, c.business_key, c.due_at from exception_case c
            where c.status = 'open' and c.paused_at is null and c.due_at < {_LATELY}
                and not exists (
                    select from case_escalated e
                    where e.case_id = c.case_id and e.cycle = c.cycle and e.is_breach
                )
        """,
        "rungs were not taken in the order of their times": """
            select case_id, cycle, rung from (
                select case_id, cycle, rung, occurred_at, lag(occurred_at) over (
                    partition by case_id, cycle order by rung
                ) as before
                from case_escalated
            ) as climbed
            where before > occurred_at
        """,
        "a rung was taken of which somebody was not told": """
            select e.case_id, e.cycle, e.rung from case_escalated e
            cross join lateral unnest(e.told) as recipient
            where not exists (
                select from notification n
                where n.subject = e.case_id::text and n.recipient = recipient.recipient
                    and n.occasion = 'case_escalated' and n.occurred_at = e.occurred_at
            )
        """,
        "a playbook's action is later than its next one": """
            select case_id, cycle, action_number from (
                select case_id, cycle, action_number, occurred_at, lag(occurred_at) over (
                    partition by case_id, cycle order by action_number
                ) as before
                from playbook_action
            ) as acted
            where before > occurred_at
        """,
    },
)
