"""Ledger events: corrections that finance books outside any flow."""

from __future__ import annotations

from assets.contracts.fields import Code, Currency, EventData, Key, Money, Text


class LedgerAdjusted(EventData, frozen=True, kw_only=True):
    """An amount moved between two accounts; a negative amount moves it back."""

    document_number: Key
    debit_account: Code
    credit_account: Code
    amount: Money
    currency: Currency
    note: Text = ""
