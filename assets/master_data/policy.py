"""What pricing may change about how strictly channels are held to the approved prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import policy_reader


class PricingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a channel may still show the price before a new one, and how wrong its clock be.

    Attributes:
        clock_tolerance_seconds: What a channel shows may be of so much later than it was told.
    """

    parity_grace_minutes: Annotated[int, Meta(ge=0)]
    clock_tolerance_seconds: Annotated[int, Meta(ge=0)]

    @property
    def parity_grace(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(minutes=self.parity_grace_minutes)

    @property
    def clock_tolerance(self) -> timedelta:
        """How far ahead of when it was told a price may be shown."""
        return timedelta(seconds=self.clock_tolerance_seconds)


#: The typed policy of prices, from its values.
pricing_policy = policy_reader("pricing", PricingPolicy)
