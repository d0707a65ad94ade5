"""Journal entries of one unit of work, collected and appended by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assets.commerce.identifiers import identify_text
from assets.facts import FactRows
from assets.finance.policy import Accounts, FinancePolicy, finance_policy
from assets.ports import PolicyBook, Scope, UnitOfWork

JOURNAL_LINE = (
    "entry_id",
    "line_number",
    "entry_kind",
    "business_key",
    "account_code",
    "amount",
    "currency_code",
    "legal_entity",
    "occurred_at",
)


class Journal:
    """Collects balanced entries; debit positive, credit negative, ten-thousandths."""

    def __init__(self, policies: PolicyBook) -> None:
        self._policies = policies
        self._of_scope: dict[tuple[str, str], FinancePolicy] = {}
        self._rows = FactRows({"journal_line": JOURNAL_LINE})

    def policy(self, scope: Scope) -> FinancePolicy:
        """What finance says for a region and brand."""
        key = (scope.region, scope.brand)
        if key not in self._of_scope:
            self._of_scope[key] = finance_policy(self._policies.resolve("finance", *key))
        return self._of_scope[key]

    def accounts(self, scope: Scope) -> Accounts:
        """The chart of accounts of a region and brand."""
        return self.policy(scope).accounts

    def post(
        self,
        scope: Scope,
        kind: str,
        business_key: str,
        currency_code: str,
        occurred_at: datetime,
        legs: Sequence[tuple[str, int]],
    ) -> None:
        """Add one entry; legs of zero are left out, an entry without legs is none.

        Raises:
            ValueError: If the legs do not balance; that is a defect of the caller.
        """
        if sum(amount for _, amount in legs):
            raise ValueError(f"entry {kind} of {business_key} does not balance")
        kept = [leg for leg in legs if leg[1]]
        entry_id = identify_text("journal_entry", kind, business_key)
        rows = self._rows["journal_line"]
        for number, (account, amount) in enumerate(kept, start=1):
            rows.append(
                (
                    entry_id,
                    number,
                    kind,
                    business_key,
                    account,
                    amount,
                    currency_code,
                    scope.legal_entity,
                    occurred_at,
                )
            )

    def flush(self, unit_of_work: UnitOfWork) -> None:
        """Append everything by one statement, which the balance trigger judges."""
        self._rows.flush(unit_of_work)
