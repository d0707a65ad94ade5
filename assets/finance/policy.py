"""The chart of accounts, which finance may change without a programmer."""

from __future__ import annotations

import msgspec

from assets.decisions.typed_policy import policy_reader


class Accounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Account codes by what they are for."""

    payment_clearing: str
    accounts_receivable: str
    inventory: str
    goods_in_transit: str
    customer_deposits: str
    tax_payable: str
    refunds_payable: str
    goods_received_not_invoiced: str
    goods_invoice_clearing: str
    accounts_payable: str
    input_tax: str
    opening_balance: str
    goods_revenue: str
    charge_revenue: str
    cost_of_goods: str
    inventory_adjustment: str
    inventory_revaluation: str
    purchase_price_variance: str
    purchases_without_order: str
    freight_inward: str
    exchange_difference: str
    currency_exchange: str
    bad_debt: str
    authorised_payments: str
    authorised_payments_contra: str


class FinancePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the journal needs to know.

    Attributes:
        control_accounts: Names of accounts to which only their own flow may post.
    """

    accounts: Accounts
    control_accounts: frozenset[str]

    def __post_init__(self) -> None:
        strangers = sorted(self.control_accounts - set(Accounts.__struct_fields__))
        if strangers:
            raise ValueError(f"control_accounts names {strangers[0]}, which is no account")


#: The typed policy of the journal, from its values.
finance_policy = policy_reader("finance", FinancePolicy)
