"""What stock control may change about buffers and what channels are told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import policy_reader
from assets.ports import PolicyBook

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
    """Node safety, channel buffers, how sure supply is, and what must never be missing."""

    node_safety_quantity_each_by_node: dict[str, Count]
    channels: dict[str, ChannelBuffer]
    availability_lines_per_message: Annotated[int, Meta(ge=1)]
    inbound_confidence_basis_points_by_status: InboundConfidence
    inbound_believed_hours_overdue: Count
    key_skus: frozenset[str] = frozenset()

    def node_safety(self, node: str) -> int:
        """Units (each) of a node that no channel sees."""
        by_node = self.node_safety_quantity_each_by_node
        return by_node.get(node, by_node.get("*", 0))


#: The typed policy of the stock ledger, from its values.
inventory_policy = policy_reader("inventory", InventoryPolicy)


def house_policy(policies: PolicyBook) -> InventoryPolicy:
    """The base values, which no overlay changes."""
    return inventory_policy(policies.resolve("inventory", "", ""))
