"""What the order desk may change about sourcing: what counts, what it costs, when nodes ship."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from assets.commerce.money import UNSIGNED_MONEY_PATTERN, to_ten_thousandths

Count = Annotated[int, Meta(ge=0)]
Amount = Annotated[str, Meta(pattern=UNSIGNED_MONEY_PATTERN)]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What one unit or parcel may cost at most (ten-thousandths), so that sums stay within 64 bits.
LARGEST_AMOUNT = 10**9


class Lane(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way from a node to a destination; ``distance_km`` only breaks ties."""

    carrier: str
    transit_working_days: Count
    cost_per_parcel: Amount
    cost_per_unit: Amount
    distance_km: Count = 0

    @property
    def parcel_amount(self) -> int:
        """Of one parcel (ten-thousandths)."""
        return to_ten_thousandths(self.cost_per_parcel)

    @property
    def unit_amount(self) -> int:
        """Of one unit in it (ten-thousandths)."""
        return to_ten_thousandths(self.cost_per_unit)


class NodeTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a node works; what it does not say holds as its kind says, then ``"*"``.

    Attributes:
        cut_off_by_weekday: Local time of the last pickup of each day on which it ships.
        handling_hours: From the order to the pickup at the earliest.
        blackout_dates: Local days on which it does not ship.
        capacity_per_day: What it takes on in a local day; ``None`` is without limit.
        protected_quantity_each: Last units of a SKU that cost more than their transport.
        opportunity_basis_points: How much more, of the unit's price.
    """

    cut_off_by_weekday: dict[Weekday, ClockTime] | UnsetType = UNSET
    handling_hours: Count | UnsetType = UNSET
    blackout_dates: list[date] | UnsetType = UNSET
    capacity_per_day: Count | UnsetType | None = UNSET
    capacity_unit: Literal["orders", "units"] | UnsetType = UNSET
    protected_quantity_each: Count | UnsetType = UNSET
    opportunity_basis_points: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the weighted mode adds to the cost."""

    extra_shipment: Amount
    late_unit: Amount
    unmet_unit: Amount


class ExactLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to where an order is decided exactly; none of them is a time, so every machine agrees.

    Attributes:
        node_sets: Sets of nodes that are enumerated for one order.
        sku_node_pairs: Variables that the solver is given.
        solver_effort: The solver's own deterministic measure, about a second each.
    """

    node_sets: Count
    sku_node_pairs: Count
    solver_effort: Annotated[int, Meta(ge=1)]


class SourcingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything but the stock and the orders. Lanes go by node, destination and service level.

    A node that is not named has the lanes of its kind (warehouse, store, drop_ship), else those of
    ``"*"``. A destination is a country, else a region, else ``"*"``; the most specific one that has
    the service level (or ``"*"``) holds. Where there is no lane, the node does not serve.
    A bundle's components come from one node each time, or only together make up whole bundles.

    Attributes:
        longest_wait_for_pickup_days: A node whose next pickup is further from the order's day does
            not ship for it. A stored policy that does not say so is of the time when it was 45.
    """

    mode: Literal["lexicographic", "weighted"]
    maximum_splits: Count
    minimum_shipment_value: Amount
    may_ship_late: bool
    preference_step_cost: Amount
    weights: Weights
    exact_limits: ExactLimits
    nodes: dict[str, NodeTerms]
    lanes: dict[str, dict[str, dict[str, Lane]]]
    longest_wait_for_pickup_days: Annotated[int, Meta(ge=1, le=366)] = 45
    bundles_ship_together: bool = True

    def __post_init__(self) -> None:
        missing = [field for field in NodeTerms.__struct_fields__ if self._of_all(field) is UNSET]
        if missing:
            raise ValueError(f'sourcing.nodes: "*" does not say {", ".join(missing)}')
        amounts = [
            self.minimum_shipment_value,
            self.preference_step_cost,
            *msgspec.structs.astuple(self.weights),
        ]
        for by_destination in self.lanes.values():
            for by_service in by_destination.values():
                for lane in by_service.values():
                    amounts += [lane.cost_per_parcel, lane.cost_per_unit]
        if max(map(to_ten_thousandths, amounts)) > LARGEST_AMOUNT:
            raise ValueError("sourcing: an amount is above 100000")

    def _of_all(self, field: str) -> object:
        return getattr(self.nodes["*"], field) if "*" in self.nodes else UNSET

    def terms(self, node: str, kind: str) -> NodeTerms:
        """What holds for a node: its own terms, over those of its kind, over those of all."""
        result = self.nodes["*"]
        for name in (kind, node):
            own = self.nodes.get(name)
            if own is not None:
                said = msgspec.structs.asdict(own).items()
                changes = {field: value for field, value in said if value is not UNSET}
                result = msgspec.structs.replace(result, **changes)
        return result

    @property
    def limits_capacity(self) -> bool:
        """Whether any node has a capacity, so that it matters what it took on before."""
        return any(isinstance(terms.capacity_per_day, int) for terms in self.nodes.values())

    def lane(
        self, node: str, kind: str, country: str, region: str, service_level: str
    ) -> Lane | None:
        """The lane that an order from here to there takes, if the node serves it."""
        of_kind = self.lanes.get(kind, self.lanes.get("*", {}))
        by_destination = self.lanes.get(node, of_kind)
        for destination in (country, region, "*"):
            by_service = by_destination.get(destination, {})
            lane = by_service.get(service_level, by_service.get("*"))
            if lane is not None:
                return lane
        return None


def cut_off(text: str) -> time:
    """A clock time of a policy: ``"16:30"``."""
    return time.fromisoformat(text)
