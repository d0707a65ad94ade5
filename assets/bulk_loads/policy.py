"""How much is a load, and how far its figures may be from those that it replaces."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]


class BulkLoadPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a poll a load, and what makes a load suspicious.

    Attributes:
        least_events: A poll of so many events is a load.
        least_master_data_events: So is one of so many events of master data.
        oldest_event_days: An event may have happened so long ago.
        jump_factor: A cost or price that changes by this factor jumps.
        jump_share_percent: So many of those that are told again may jump.
        least_known_for_jumps: Of fewer the share is not asked for.
    """

    least_events: Count
    least_master_data_events: Count
    oldest_event_days: Count
    jump_factor: Annotated[int, Meta(ge=2)]
    jump_share_percent: Annotated[int, Meta(ge=0, le=99)]
    least_known_for_jumps: Count

    @property
    def least(self) -> int:
        """Below this nothing is a load, whatever it is."""
        return min(self.least_events, self.least_master_data_events)

    def is_load(self, events: int, master_data_events: int) -> bool:
        """Whether a poll that brought so many events is judged before it is accepted."""
        return events >= self.least_events or master_data_events >= self.least_master_data_events
