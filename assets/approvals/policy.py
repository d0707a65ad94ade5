"""What needs whose consent, from which amount on, and for how long it is waited for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths
from assets.decisions.typed_policy import Amounts, Name, policy_reader

Positive = Annotated[int, Meta(ge=1)]


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who consents, up to which amount.

    Attributes:
        quorum: How many of them.
        up_to_amount_by_currency: The last amount for which no further tier is asked; ``None`` for
            the last tier, which has no limit.
    """

    role: Name
    quorum: Positive
    up_to_amount_by_currency: Amounts | None = None


def check_tiers(tiers: list[Tier]) -> None:
    """Refuse tiers that leave an amount to nobody, or to two.

    Raises:
        ValueError: With what is wrong.
    """
    if not tiers or tiers[-1].up_to_amount_by_currency is not None:
        raise ValueError("the last tier has no up_to_amount_by_currency, or amounts have a gap")
    before: dict[str, int] = {}
    for tier in tiers[:-1]:
        if tier.up_to_amount_by_currency is None or "*" not in tier.up_to_amount_by_currency:
            raise ValueError(
                f"the tier of {tier.role} needs up_to_amount_by_currency with an amount for *"
            )
        limits = {
            currency: to_ten_thousandths(amount)
            for currency, amount in tier.up_to_amount_by_currency.items()
        }
        for currency in limits.keys() | before.keys():
            limit = limits.get(currency, limits["*"])
            if limit <= before.get(currency, before.get("*", -1)):
                raise ValueError(f"the tiers overlap at {tier.role}: their amounts must ascend")
        before = limits


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other tiers where something else is known, such as a category or a supplier's risk."""

    when: dict[Name, list[str]]
    tiers: list[Tier]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)


class SubjectPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of one kind needs consent.

    Attributes:
        needed_from_amount_by_currency: Below it none is needed.
        expires_after_hours: Nobody's consent by then is a denial.
        variants: The first that holds is taken instead of ``tiers``.
    """

    needed_from_amount_by_currency: Amounts
    expires_after_hours: Positive
    tiers: list[Tier]
    variants: list[Variant] = []

    def __post_init__(self) -> None:
        if "*" not in self.needed_from_amount_by_currency:
            raise ValueError("needed_from_amount_by_currency has no amount for *")
        check_tiers(self.tiers)


class ApprovalsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What needs whose consent, by what it is about."""

    subjects: dict[Name, SubjectPolicy]


#: The typed policy of approvals, from its values.
approvals_policy = policy_reader("approvals", ApprovalsPolicy)
