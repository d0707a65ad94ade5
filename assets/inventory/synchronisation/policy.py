"""What stock control may change about comparing our stock with other systems'."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.commerce.money import UNSIGNED_MONEY_PATTERN, to_ten_thousandths
from assets.decisions.typed_policy import policy_reader

Count = Annotated[int, Meta(ge=0)]


class SynchronisationPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When what another system believes is compared, and what becomes of a difference.

    Attributes:
        told_by_us: Systems that hear of despatches and corrections from us.
        authority: Systems whose word moves our position, strongest first.
        booked_up_to_amount_by_currency: Value at standard cost up to which a correction is booked
            by itself; in a currency that is not named every one waits for a person.
    """

    settling_minutes: Count
    oldest_snapshot_hours: Annotated[int, Meta(ge=1)]
    clock_tolerance_seconds: Count
    mass_drop_at_least_one_in: Annotated[int, Meta(ge=1)]
    mass_drop_least_skus: Annotated[int, Meta(ge=1)]
    lost_after_hours: Count
    evidence_days: Annotated[int, Meta(ge=1)]
    told_by_us: list[str]
    authority: list[str]
    authority_hours: Count
    booked_up_to_amount_by_currency: dict[str, Annotated[str, Meta(pattern=UNSIGNED_MONEY_PATTERN)]]

    def booked_up_to(self, currency: str) -> int:
        """Ten-thousandths up to which a correction is booked; below zero where none is."""
        amount = self.booked_up_to_amount_by_currency.get(currency)
        return -1 if amount is None else to_ten_thousandths(amount)

    @property
    def settling(self) -> timedelta:
        """How long a snapshot lies until what happened by its time is known."""
        return timedelta(minutes=self.settling_minutes)

    @property
    def lost_after(self) -> timedelta:
        """When what has not come is not late any more."""
        return timedelta(hours=self.lost_after_hours)


#: The typed policy of comparing stock with other systems, from its values.
synchronisation_policy = policy_reader("inventory_synchronisation", SynchronisationPolicy)
