"""What the order desk may change about this flow without a programmer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import policy_reader
from assets.order_to_fulfillment.sourcing.policy import SourcingPolicy
from assets.order_to_fulfillment.sourcing.profile import Profile

Count = Annotated[int, Meta(ge=0)]


class OrderPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sourcing, reservation and promise; ``"*"`` stands for whatever is not named."""

    trading_zone: str
    node_ranking_by_channel: dict[str, list[str]]
    shipped_by: dict[str, str]
    brokering_safety_quantity_each_by_node: dict[str, Count]
    reservation_minutes: Count
    retried_decline_reasons: frozenset[str]
    promise_working_days_by_region: dict[str, Count]
    express_working_days: Count
    most_new_promises: Count
    late_parcel_working_days_by_region: dict[str, Count]
    most_nodes_asked: Annotated[int, Meta(ge=1)]
    charge_tax_rate_basis_points: Count
    predecessor_timeout_hours: Count
    countries_without_postcodes: frozenset[str]
    carrier_silence_working_days_by_region: dict[str, Count]
    sourcing: SourcingPolicy

    def profile(self, channel: str, region: str) -> Profile:
        """What sourcing makes of the orders of one channel and region."""
        ranking = self.node_ranking_by_channel
        return Profile(
            policy=self.sourcing,
            region=region,
            zone=self.trading_zone,
            ranking=tuple(ranking.get(channel, ranking.get("*", []))),
            kept_back=self.brokering_safety_quantity_each_by_node,
        )

    def __post_init__(self) -> None:
        if "*" not in self.shipped_by:
            raise ValueError("shipped_by does not say who ships from nodes that it does not name")

    def ships_from(self, node: str, kind: str) -> str:
        """The partner who is told to ship from a node."""
        of_kind = self.shipped_by.get(kind, self.shipped_by["*"])
        return self.shipped_by.get(node, of_kind)

    def promise_days(self, region: str, service_level: str) -> int:
        """Working days from the trading day to the promised day."""
        if service_level == "express":
            return self.express_working_days
        return _of_region(self.promise_working_days_by_region, region)

    def late_parcel_days(self, region: str) -> int:
        """Working days from today in which a parcel that is late should come."""
        return _of_region(self.late_parcel_working_days_by_region, region)

    def silence_days(self, region: str) -> int:
        """Working days after the despatch day in which a carrier has to deliver or answer."""
        return _of_region(self.carrier_silence_working_days_by_region, region)


def _of_region(by_region: Mapping[str, int], region: str) -> int:
    return by_region.get(region, by_region.get("*", 0))


#: The typed policy of this flow, from its values.
order_policy = policy_reader("order_to_fulfillment", OrderPolicy)
