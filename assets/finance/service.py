"""Books the corrections that finance sends."""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths
from assets.finance.journal import Journal
from assets.finance.policy import Accounts
from assets.ports import InboxEvent, UnitOfWork

CONSUMER = "finance"
KIND = "ledger_adjustment"


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Post one entry per document; accounts unknown or controlled by a flow are refused."""
    journal = Journal(unit_of_work.policies)
    entries = [
        str(identify("journal_entry", KIND, f"{event.source}/{event.data.document_number}"))
        for event in events
    ]
    booked = unit_of_work.known("journal_line", "entry_id", entries)
    for event, entry in zip(events, entries, strict=True):
        data = event.data
        if entry in booked:
            unit_of_work.inbox.quarantine(
                event, "document_already_booked", f"{data.document_number} was booked before"
            )
            continue
        policy = journal.policy(event)
        unknown = [
            name
            for name in (data.debit_account, data.credit_account)
            if name not in Accounts.__struct_fields__
        ]
        if unknown:
            unit_of_work.inbox.quarantine(
                event, "unknown_account", f"the chart of accounts has no {unknown[0]}"
            )
            continue
        controlled = policy.control_accounts & {data.debit_account, data.credit_account}
        if controlled:
            unit_of_work.inbox.quarantine(
                event, "control_account", f"{min(controlled)} is posted to by its own flow only"
            )
            continue
        booked.add(entry)
        amount = to_ten_thousandths(data.amount)
        journal.post(
            event,
            KIND,
            f"{event.source}/{data.document_number}",
            data.currency,
            event.occurred_at,
            [
                (getattr(policy.accounts, data.debit_account), amount),
                (getattr(policy.accounts, data.credit_account), -amount),
            ],
        )
    journal.flush(unit_of_work)
