"""What the policy makes of a channel, region and brand; whoever reads policies needs no pandas."""

from __future__ import annotations

from dataclasses import dataclass

from assets.order_to_fulfillment.sourcing.policy import SourcingPolicy


@dataclass(frozen=True)
class Profile:
    """The policy of one channel, region and brand.

    Attributes:
        policy: Sourcing as this scope wants it.
        region: Of the orders; a lane may go by it.
        zone: Where promises are made: a promised day ends there.
        ranking: Nodes in the order in which this channel would have them; the others follow.
        kept_back: Units (each) that a node keeps from orders; ``"*"`` is every other node.
    """

    policy: SourcingPolicy
    region: str
    zone: str
    ranking: tuple[str, ...]
    kept_back: dict[str, int]

    def rank(self, node: str) -> int:
        """How many nodes this channel would rather have."""
        return self.ranking.index(node) if node in self.ranking else len(self.ranking)

    def kept(self, node: str) -> int:
        """Units (each) that a node keeps from orders."""
        return self.kept_back.get(node, self.kept_back.get("*", 0))
