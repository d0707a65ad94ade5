"""What stock control may change about buffers and what channels are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.commerce.money import UNSIGNED_MONEY_PATTERN, to_ten_thousandths
from assets.decisions.typed_policy import policy_reader

Count = Annotated[int, Meta(ge=0)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]


class ChannelBuffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one channel is told; the threshold and the node safety are different buffers.

    ``legal_entity``, ``brand`` and ``region`` say whose channel it is: in that scope its buffers
    are looked up. They are read from the base values only, since an overlay is chosen by them.
    """

    threshold_quantity_each: Count
    ceiling_quantity_each: Count
    excluded_nodes: list[str] = []
    legal_entity: str = "house"
    brand: str = "house"
    region: str = "all"


class InboundConfidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of announced units may be promised, by how far they have come."""

    planned: BasisPoints
    confirmed: BasisPoints
    in_transit: BasisPoints


class InventoryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Node safety, channel buffers, and how sure announced supply is."""

    node_safety_quantity_each_by_node: dict[str, Count]
    channels: dict[str, ChannelBuffer]
    availability_lines_per_message: Annotated[int, Meta(ge=1)]
    inbound_confidence_basis_points_by_status: InboundConfidence
    inbound_believed_hours_overdue: Count

    def node_safety(self, node: str) -> int:
        """Units (each) of a node that no channel sees."""
        by_node = self.node_safety_quantity_each_by_node
        return by_node.get(node, by_node.get("*", 0))


#: The typed policy of the stock ledger, from its values.
inventory_policy = policy_reader("inventory", InventoryPolicy)


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
