"""What the order desk may change about backorders and preorders without a programmer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import policy_reader

Count = Annotated[int, Meta(ge=0)]
BACKORDER, PREORDER = "backorder", "preorder"


class BackorderPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Caps of the pools and who may wait how long; ``"*"`` stands for whatever is not named."""

    backorder_cap_quantity_each_by_channel: dict[str, Count]
    preorder_cap_quantity_each_by_channel: dict[str, Count]
    longest_wait_days: Annotated[int, Meta(ge=1)]
    put_away_hours: Count
    may_be_overtaken_days: Count

    def cap(self, pool: str, channel: str) -> int:
        """Units (each) of one SKU up to which a channel's lines are taken into a pool."""
        by_channel = (
            self.preorder_cap_quantity_each_by_channel
            if pool == PREORDER
            else self.backorder_cap_quantity_each_by_channel
        )
        return by_channel.get(channel, by_channel.get("*", 0))

    @property
    def longest_wait(self) -> timedelta:
        """After which supply is too late to be promised, and a line gives up."""
        return timedelta(days=self.longest_wait_days)

    @property
    def put_away(self) -> timedelta:
        """From the dock to the shelf."""
        return timedelta(hours=self.put_away_hours)

    @property
    def may_be_overtaken(self) -> timedelta:
        """For how long a line that is too large for what came lets others pass."""
        return timedelta(days=self.may_be_overtaken_days)


#: The typed policy of backorders and preorders, from its values.
backorder_policy = policy_reader("backorder", BackorderPolicy)
