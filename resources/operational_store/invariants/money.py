"""M1, M2, M4: the journal balances, stock is worth what it says, refunds stay within captures."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

M1 = Invariant(
    "M1",
    "Every journal entry balances per currency, has two legs or more, and stays as it is",
    "select exists (select from journal_line)",
    {
        "does not balance": """
            select entry_id, currency_code, sum(amount) as difference_amount
            from journal_line
            group by entry_id, currency_code
            having sum(amount) <> 0
            order by entry_id, currency_code
        """,
        "has fewer than two legs": """
            select entry_id, count(*) as leg_count
            from journal_line
            group by entry_id
            having count(*) < 2
            order by entry_id
        """,
        "lost or gained a leg after it was posted": """
            select entry_id, count(*) as leg_count, max(line_number) as last_line_number
            from journal_line
            group by entry_id
            having
                count(*) <> max(line_number)
                or min(line_number) <> 1
                or min(recorded_xid::text::bigint) <> max(recorded_xid::text::bigint)
            order by entry_id
        """,
        "the journal is open to change": """
            select wanted.trigger_name
            from (
                values ('refuse_change'), ('refuse_unbalanced_entries')
            ) as wanted (trigger_name)
            left join pg_trigger as found
                on wanted.trigger_name = found.tgname
                    and found.tgrelid = 'journal_line'::regclass
                    and found.tgenabled in ('O', 'A')
            where found.oid is null
            order by wanted.trigger_name
        """,
    },
)

# Finance may have renamed the account since the first entry; all its names are the one account.
M2 = Invariant(
    "M2",
    "The inventory account = Σ on hand × standard cost, per currency",
    "select exists (select from stock_movement) and exists (select from journal_line)",
    {
        "the ledger and the stock are worth different amounts": """
            with account as (
                select distinct
                    jsonb_path_query(document, '$.**.accounts.inventory') #>> '{}' as account_code
                from policy_version
                where policy = 'finance'
            ),

            booked as (
                select currency_code, sum(amount) as amount
                from journal_line
                where
                    account_code in (select account_code from account)
                    or (account_code = '1400' and not exists (select from account))
                group by currency_code
            ),

            counted as (
                select
                    product.currency_code,
                    sum(held.on_hand_quantity * product.standard_cost) as amount
                from stock_position as held
                inner join product on held.sku = product.sku
                group by product.currency_code
            )

            select
                currency_code,
                coalesce(booked.amount, 0) as ledger_amount,
                coalesce(counted.amount, 0) as stock_amount
            from booked
            full join counted using (currency_code)
            where coalesce(booked.amount, 0) <> coalesce(counted.amount, 0)
            order by currency_code
        """,
        "stock of a product that is not known has no value": """
            select held.node_id, held.sku, held.on_hand_quantity
            from stock_position as held
            left join product on held.sku = product.sku
            where held.on_hand_quantity <> 0 and product.sku is null
            order by held.node_id, held.sku
        """,
    },
)

# What was asked for counts as soon as it is, whether or not the provider has paid it yet.
M4 = Invariant(
    "M4",
    "Refunds asked for and paid ≤ captured, per payment, and what is owed is in its account",
    "select exists (select from payment_movement where kind in ('captured', 'refund_requested'))",
    {
        "more was asked back or paid back than was captured": """
            with payment as (
                select
                    order_id, payment_reference,
                    coalesce(sum(amount) filter (where kind = 'captured'), 0) as captured_amount,
                    coalesce(sum(amount) filter (where kind = 'refund_requested'), 0)
                        as requested_amount,
                    coalesce(sum(amount) filter (where kind = 'refunded'), 0) as refunded_amount
                from payment_movement
                group by order_id, payment_reference
            )

            select order_id, payment_reference, captured_amount, requested_amount, refunded_amount
            from payment
            where requested_amount > captured_amount or refunded_amount > requested_amount
            order by order_id, payment_reference
        """,
        "an order's refunds are not those of its payments": """
            with payment as (
                select
                    order_id,
                    coalesce(sum(amount) filter (where kind = 'refund_requested'), 0)
                        as requested_amount,
                    coalesce(sum(amount) filter (where kind = 'refunded'), 0) as refunded_amount
                from payment_movement
                group by order_id
            )

            select
                state.order_id, state.refund_requested_amount, state.refunded_amount,
                coalesce(payment.requested_amount, 0) as requested_amount,
                coalesce(payment.refunded_amount, 0) as paid_amount
            from order_state as state
            left join payment on state.order_id = payment.order_id
            where
                state.refund_requested_amount <> coalesce(payment.requested_amount, 0)
                or state.refunded_amount <> coalesce(payment.refunded_amount, 0)
            order by state.order_id
        """,
        "the refunds payable account is not what is still owed": """
            with account as (
                select distinct
                    jsonb_path_query(document, '$.**.accounts.refunds_payable') #>> '{}'
                        as account_code
                from policy_version
                where policy = 'finance'
            ),

            booked as (
                select currency_code, -sum(amount) as amount
                from journal_line
                where account_code in (select account_code from account)
                group by currency_code
            ),

            owed as (
                select
                    currency_code,
                    sum(case kind when 'refund_requested' then amount else -amount end) as amount
                from payment_movement
                where kind in ('refund_requested', 'refunded')
                group by currency_code
            )

            select
                currency_code,
                coalesce(booked.amount, 0) as ledger_amount,
                coalesce(owed.amount, 0) as owed_amount
            from booked
            full join owed using (currency_code)
            where coalesce(booked.amount, 0) <> coalesce(owed.amount, 0)
            order by currency_code
        """,
    },
)
