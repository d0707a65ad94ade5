"""S5, M6, M7, M8: receipts within tolerance, clearing explained, matches kept, invoices once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import pandas as pd
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument
from assets.procure_to_stock.policy import Tolerances, procure_policy
from assets.procure_to_stock.rules.matching import Reason, match
from resources.operational_store.invariants.judging import Invariant, Violation
from resources.operational_store.purchasing import LAST_REVISIONS


def _booked(name: str) -> str:
    """What was booked by currency under all codes that an account of the chart has ever had."""
    return f"""
        select currency_code, sum(amount) as amount
        from journal_line
        where account_code in (
            select jsonb_path_query(document, '$.**.accounts.{name}') #>> '{{}}'
            from policy_version where policy = 'finance'
        )
        group by currency_code
    """


S5 = Invariant(
    "S5",
    "Received ≤ ordered × (1 + tolerance), or somebody was asked; rejected ≤ delivered",
    "select exists (select from goods_received)",
    {
        "more came than was ordered and nobody was asked": """
            with policy as (
                select max((value #>> '{}')::bigint) as most
                from policy_version,
                    jsonb_path_query(document, '$.**.over_receipt_basis_points') as value
                where policy = 'procure_to_stock'
            )

            select line.purchase_order_id, line.purchase_order_line_id, line.ordered_quantity,
                line.delivered_quantity
            from purchase_order_line as line
            cross join policy
            left join exception_case as asked
                on asked.case_type = 'over_receipt'
                    and asked.business_key
                    = line.purchase_order_id || '/' || line.purchase_order_line_id
            where
                line.delivered_quantity
                > line.ordered_quantity + line.ordered_quantity * policy.most / 10000
                and asked.case_id is null
            order by line.purchase_order_id, line.purchase_order_line_id
        """,
        "a line has other receipts than its documents": """
            with said as (
                select purchase_order_id, purchase_order_line_id, delivered_quantity,
                    rejected_quantity, held_quantity, 0 as put_away_quantity
                from goods_received
                union all
                select purchase_order_id, purchase_order_line_id, 0, rejected_quantity,
                    -passed_quantity - rejected_quantity, 0
                from goods_inspected
                union all
                select purchase_order_id, purchase_order_line_id, 0, 0, 0, quantity
                from goods_put_away
            ), document as (
                select purchase_order_id, purchase_order_line_id,
                    sum(delivered_quantity) as delivered_quantity,
                    sum(rejected_quantity) as rejected_quantity,
                    sum(held_quantity) as held_quantity,
                    sum(put_away_quantity) as put_away_quantity
                from said
                group by purchase_order_id, purchase_order_line_id
            )

            select line.purchase_order_id, line.purchase_order_line_id, line.delivered_quantity,
                document.delivered_quantity as documented_quantity
            from purchase_order_line as line
            full join document using (purchase_order_id, purchase_order_line_id)
            where
                coalesce(line.delivered_quantity, 0) <> coalesce(document.delivered_quantity, 0)
                or coalesce(line.rejected_quantity, 0) <> coalesce(document.rejected_quantity, 0)
                or coalesce(line.held_quantity, 0) <> coalesce(document.held_quantity, 0)
                or coalesce(line.put_away_quantity, 0) <> coalesce(document.put_away_quantity, 0)
            order by 1, 2
        """,
        "what was accepted is not in stock": """
            with moved as (
                select reference_id as receipt_id, sum(quantity) as quantity
                from stock_movement where kind = 'received'
                group by reference_id
            ), accepted as (
                select receipt_id, sum(delivered_quantity - rejected_quantity - held_quantity)
                        as quantity
                from goods_received
                group by receipt_id
                union all
                select inspection_id, sum(passed_quantity)
                from goods_inspected
                group by inspection_id
            )

            select accepted.receipt_id, accepted.quantity, moved.quantity as moved_quantity
            from accepted
            left join moved using (receipt_id)
            where accepted.quantity <> coalesce(moved.quantity, 0)
            order by accepted.receipt_id
        """,
    },
)

_INVOICED = """
    select line.purchase_order_id, line.purchase_order_line_id,
        sum(line.quantity) filter (where invoice.kind = 'invoice') as invoiced_quantity,
        sum(line.quantity) filter (where invoice.kind = 'credit_note') as credited_quantity
    from supplier_invoice_line as line
    inner join supplier_invoice_received as invoice using (invoice_id)
    where line.purchase_order_line_id is not null
    group by line.purchase_order_id, line.purchase_order_line_id
"""

M6 = Invariant(
    "M6",
    "Clearing = Σ (invoiced − credited − accepted + cleared) × order price; payable = Σ posted",
    "select exists (select from goods_received) or exists (select from supplier_invoice_received)",
    {
        "the clearing account is not what is open": f"""
            with booked as ({_booked("goods_invoice_clearing")}), opened as (
                select currency_code,
                    sum(
                        (
                            invoiced_quantity - credited_quantity
                            - accepted_quantity + cleared_quantity
                        ) * unit_price
                    ) as amount
                from purchase_order_line
                group by currency_code
            )

            select currency_code, coalesce(booked.amount, 0) as ledger_amount,
                coalesce(opened.amount, 0) as open_amount
            from booked
            full join opened using (currency_code)
            where coalesce(booked.amount, 0) <> coalesce(opened.amount, 0)
            order by currency_code
        """,
        "a line is charged otherwise than by its invoices": f"""
            select line.purchase_order_id, line.purchase_order_line_id, line.invoiced_quantity,
                line.credited_quantity
            from purchase_order_line as line
            full join ({_INVOICED}) as charged using (purchase_order_id, purchase_order_line_id)
            where
                coalesce(line.invoiced_quantity, 0) <> coalesce(charged.invoiced_quantity, 0)
                or coalesce(line.credited_quantity, 0) <> coalesce(charged.credited_quantity, 0)
            order by 1, 2
        """,
        "a line is cleared otherwise than by its entries": """
            with entry as (
                select purchase_order_id, purchase_order_line_id, sum(quantity) as quantity
                from clearing_entry
                group by purchase_order_id, purchase_order_line_id
            )

            select line.purchase_order_id, line.purchase_order_line_id, line.cleared_quantity
            from purchase_order_line as line
            full join entry using (purchase_order_id, purchase_order_line_id)
            where coalesce(line.cleared_quantity, 0) <> coalesce(entry.quantity, 0)
            order by 1, 2
        """,
        "the exchange difference is not what the two rates say": f"""
            with booked as ({_booked("exchange_difference")}), said as (
                select behind.currency_code,
                    sum(
                        case invoice.kind when 'invoice' then 1 else -1 end
                        * (
                            round(line.quantity * line.unit_price * invoice.exchange_rate, 4)
                            - line.order_amount
                        )
                    ) as amount
                from supplier_invoice_line as line
                inner join supplier_invoice_received as invoice using (invoice_id)
                inner join purchase_order_line as behind
                    on line.purchase_order_id = behind.purchase_order_id
                        and line.purchase_order_line_id = behind.purchase_order_line_id
                where invoice.currency_code <> behind.currency_code
                group by behind.currency_code
            )

            select currency_code, coalesce(booked.amount, 0) as ledger_amount,
                coalesce(said.amount, 0) as said_amount
            from booked
            full join said using (currency_code)
            where coalesce(booked.amount, 0) <> coalesce(said.amount, 0)
            order by currency_code
        """,
        "what is payable is not what was posted": f"""
            with booked as ({_booked("accounts_payable")}), posted as (
                select currency_code,
                    sum(case kind when 'invoice' then -total_amount else total_amount end) as amount
                from supplier_invoice_received
                where duplicate_of is null
                group by currency_code
            )

            select currency_code, coalesce(booked.amount, 0) as ledger_amount,
                coalesce(posted.amount, 0) as posted_amount
            from booked
            full join posted using (currency_code)
            where coalesce(booked.amount, 0) <> coalesce(posted.amount, 0)
            order by currency_code
        """,
    },
)

_MATCHED = """
    select line.invoice_id, line.line_number, line.purchase_order_id,
        line.purchase_order_id || '/' || line.purchase_order_line_id as order_line,
        line.quantity, (line.order_amount * 10000)::bigint as amount,
        (line.order_unit_price * 10000)::bigint as order_unit_price,
        line.is_price_estimated, line.is_before_receipt,
        case when behind.is_receipt_expected
            then behind.accepted_quantity
            else behind.ordered_quantity end + behind.credited_quantity as payable_quantity,
        invoice.policy_hash, behind.currency_code, behind.region, behind.brand
    from supplier_invoice_line as line
    inner join supplier_invoice_received as invoice using (invoice_id)
    inner join purchase_order_line as behind
        on line.purchase_order_id = behind.purchase_order_id
            and line.purchase_order_line_id = behind.purchase_order_line_id
    where invoice.kind = 'invoice'
    order by line.purchase_order_id, line.purchase_order_line_id, line.quantity_before
"""
#: What is said anew of each line; the other reasons rest on the day of the invoice.
_LASTING = (Reason.PRICE_ABOVE, Reason.QUANTITY)


def _unheld(connection: sa.Connection) -> Iterator[Violation]:
    """Lines that the rule, on what is stored now, would hold and that nothing ever held."""
    lines = pd.DataFrame(connection.execute(sa.text(_MATCHED)).mappings().all())
    if lines.empty:
        return
    documents = {
        row.policy_hash: row.document
        for row in connection.execute(
            sa.text(
                "select policy_hash, document from policy_version where policy = 'procure_to_stock'"
            )
        )
    }
    known = {
        (str(row.invoice_id), row.line_number, row.reason_code): row.status
        for row in connection.execute(sa.text(LAST_REVISIONS))
    }
    scopes = ["policy_hash", "region", "brand", "currency_code"]
    for key, of_scope in lines.groupby(scopes, sort=True):
        policy_hash, region, brand, currency = map(str, key)
        values = msgspec.convert(documents[policy_hash], PolicyDocument).resolve(region, brand)
        yield from _unheld_of(of_scope, procure_policy(values).tolerances, currency, known)


def _unheld_of(
    lines: pd.DataFrame,
    tolerances: Tolerances,
    currency: str,
    known: Mapping[tuple[str, int, str], str],
) -> Iterator[Violation]:
    lines = lines.assign(quantity_before=0, amount_before=0, days_early=0)
    found = match(lines, tolerances, currency)
    found = found[found["reason_code"].isin(list(_LASTING))]
    named = lines.iloc[found["line"].to_numpy()]
    for invoice_id, line_number, reason in zip(
        named["invoice_id"], named["line_number"], found["reason_code"], strict=True
    ):
        if known.get((str(invoice_id), line_number, reason)) not in ("held", "released"):
            yield {
                "wrong": f"nothing holds what is off by {reason}",
                "invoice_id": str(invoice_id),
                "line_number": line_number,
            }


M7 = Invariant(
    "M7",
    "A line that nothing holds is within every limit, or was released by somebody",
    "select exists (select from supplier_invoice_line)",
    {
        "released without consent or by nobody": """
            select invoice_id, line_number, reason_code
            from invoice_match
            where status = 'released' and decided_by is null
            order by invoice_id, line_number
        """,
        "a revision is missing": """
            select invoice_id, line_number, reason_code, count(*) as revision_count,
                max(revision) as last_revision
            from invoice_match
            group by invoice_id, line_number, reason_code
            having count(*) <> max(revision)
            order by invoice_id, line_number
        """,
    },
    _unheld,
)

M8 = Invariant(
    "M8",
    "One economic invoice is posted once, whatever it is called and whoever of the group sent it",
    "select exists (select from supplier_invoice_received)",
    {
        "posted twice": """
            select group_id, kind, normalised_number, count(*) as posting_count
            from supplier_invoice_received
            where duplicate_of is null
            group by group_id, kind, normalised_number
            having count(*) > 1
            order by group_id, kind, normalised_number
        """,
        "a copy has lines that were posted": """
            select copy.invoice_id, copy.duplicate_of
            from supplier_invoice_received as copy
            inner join supplier_invoice_line as line using (invoice_id)
            where copy.duplicate_of is not null
            order by copy.invoice_id
        """,
        "posted and not owed, or owed and not posted": """
            select invoice.invoice_id, count(distinct entry.entry_id) as entry_count
            from supplier_invoice_received as invoice
            left join journal_line as entry
                on entry.business_key = invoice.invoice_id::text
                    and entry.entry_kind = 'supplier_' || invoice.kind
            where invoice.total_amount <> 0 or invoice.duplicate_of is not null
            group by invoice.invoice_id, invoice.duplicate_of
            having count(distinct entry.entry_id) <> (invoice.duplicate_of is null)::int
            order by invoice.invoice_id
        """,
    },
)
