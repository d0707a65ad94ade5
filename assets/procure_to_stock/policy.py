"""How far an invoice may be off from order and receipt, and how much more than ordered may come."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import Amounts, amount_in, policy_reader

BasisPoints = Annotated[int, Meta(ge=0, le=1_000_000)]
Days = Annotated[int, Meta(ge=0, le=3_650)]


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a key may be off: within all that is set, so the stricter wins. Zero means zero.

    Attributes:
        amount_by_currency: An amount of money; ``None`` for no such limit.
        basis_points: Hundredths of a percent of what it should be; ``None`` for no such limit.
    """

    amount_by_currency: Amounts | None = None
    basis_points: BasisPoints | None = None

    def __post_init__(self) -> None:
        if self.amount_by_currency is not None and "*" not in self.amount_by_currency:
            raise ValueError("amount_by_currency has no amount for *")

    def amount(self, currency: str) -> int | None:
        """The absolute limit in a currency (ten-thousandths), where there is one."""
        if self.amount_by_currency is None:
            return None
        return amount_in(currency, self.amount_by_currency)


class Tolerances(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys by which an invoice line is matched; see `assets.procure_to_stock.rules.matching`.

    Attributes:
        price_above: Charged above the order's price, over all invoices of the order's line.
        estimated_price_above: The same where the order's price is an estimate; ``None`` for no
            other limit than that.
        price_below: Charged below it; what is beyond is noted and paid.
        quantity: Worth of units charged beyond what was received and not rejected.
        quantity_before_receipt: The same of an invoice that comes before anything was received;
            ``None`` for no other limit than that.
        date_value_days_by_currency: Amount × days that an invoice comes before its goods are due;
            ``None`` where the date does not matter.
        line_amount_by_currency: A line above it is looked at by a person whatever it matches.
        amount_without_order_by_currency: A line that no order stands behind is paid up to it.
        freight: Freight charged above what the order planned, over all its invoices.
        total_by_currency: What the total may differ from the sum of its parts.
        blanket_value_by_currency: How far all invoices of a blanket order may exceed its limit.
        blanket_days: How long after the end of a blanket order something of it may be charged.
        exchange_rate_basis_points: How far the rate of an invoice's day may be from the order's.
    """

    price_above: Limit
    price_below: Limit
    quantity: Limit
    date_value_days_by_currency: Amounts | None
    line_amount_by_currency: Amounts | None
    amount_without_order_by_currency: Amounts
    freight: Limit
    total_by_currency: Amounts
    # Invoices are judged by the policy of their day, and those of before say nothing of these.
    estimated_price_above: Limit | None = None
    quantity_before_receipt: Limit | None = None
    blanket_value_by_currency: Amounts = msgspec.field(default_factory=lambda: {"*": "0"})
    blanket_days: Days = 0
    exchange_rate_basis_points: BasisPoints = 1_000_000

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            amounts = getattr(self, name)
            if isinstance(amounts, dict) and "*" not in amounts:
                raise ValueError(f"{name} has no amount for *")


class ProcurePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What purchasing and accounts payable decide.

    Attributes:
        over_receipt_basis_points: How much more than ordered is received without anybody's word.
        under_receipt_basis_points: How much less than ordered ends a line all the same; of what is
            missing beyond it, the rest is back-ordered.
        clearing_proposed_after_days: An order's line that has been open for so long is proposed to
            be cleared: nothing more is expected of it.
        duplicate_window_days: Invoices of one supplier group over the same amount and order within
            it may be one invoice sent twice.
        supplier_name_alike_percent: Who applies under a name so like another's may be the same.
    """

    tolerances: Tolerances
    over_receipt_basis_points: BasisPoints
    under_receipt_basis_points: BasisPoints
    clearing_proposed_after_days: Days
    duplicate_window_days: Days
    supplier_name_alike_percent: Annotated[int, Meta(ge=50, le=100)]


#: The typed policy of this flow, from its values.
procure_policy = policy_reader("procure_to_stock", ProcurePolicy)
