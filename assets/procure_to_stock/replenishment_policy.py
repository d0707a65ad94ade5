"""When and how much is ordered: service target, forecast, what a supplier is assumed to need."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import Amounts, policy_reader
from assets.procure_to_stock.policy import BasisPoints, Days
from assets.procure_to_stock.rules.planning_parameters import Backtest, Watch

Share = Annotated[int, Meta(ge=5_000, le=9_999, description="Basis points")]
Count = Annotated[int, Meta(ge=1, le=100_000)]


class ServiceTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stock is held for.

    Attributes:
        kind: ``cycle_service`` is the part of replenishment cycles without a shortage,
            ``fill_rate`` the part of units served from stock: one number means very different
            stock by the two.
        basis_points: How much of it.
    """

    kind: Literal["cycle_service", "fill_rate"]
    basis_points: Share

    @property
    def share(self) -> float:
        """The target as a part of one."""
        return self.basis_points / 10_000


class Forecasting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How demand is cleaned and forecast.

    Attributes:
        history_days: How far back demand is looked at.
        bulk_multiple: A line of so many times a SKU's usual largest line is one customer's.
        looks_back_days: What a day that could not show its demand is filled from.
        backtest_windows: Stretches of the past that models are tried on.
        horizon_days: Of each.
        sample_series: SKUs of a class that every model is tried on.
        models_kept_days: After so many days the models are chosen anew.
    """

    history_days: Annotated[int, Meta(ge=28, le=3_650)]
    bulk_multiple: Annotated[int, Meta(ge=2, le=1_000)]
    looks_back_days: Annotated[int, Meta(ge=7, le=365)]
    backtest_windows: Annotated[int, Meta(ge=2, le=26)]
    horizon_days: Annotated[int, Meta(ge=1, le=91)]
    sample_series: Count
    models_kept_days: Annotated[int, Meta(ge=1, le=365)]


class LeadTimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long suppliers take, where their own receipts do not tell yet.

    Attributes:
        learnt_from_receipts: So many receipts of a supplier's orders, and they are believed rather
            than the terms.
        assumed_deviation_basis_points: Of the agreed days, until then.
    """

    learnt_from_receipts: Count
    assumed_deviation_basis_points: BasisPoints


class Spikes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a region's demand for a class is taken for a spike.

    Attributes:
        rise_basis_points: The rise that is looked for; threefold is 30,000.
        evidence: Hundredths of the sum of log-likelihood ratios at which it is believed.
        least_daily_lines_hundredths: A class with fewer lines a day is not watched.
        least_days: Of a region's orders before anything is usual.
        quiet_days: After an alarm a class is not told of again for so long.
        usual_days: What so many days before a day show is usual.
        new_days: A SKU that was first asked for less long ago is no spike of its class.
    """

    rise_basis_points: Annotated[int, Meta(ge=11_000, le=1_000_000)]
    evidence: Annotated[int, Meta(ge=100, le=100_000)]
    least_daily_lines_hundredths: Annotated[int, Meta(ge=1, le=1_000_000)]
    least_days: Annotated[int, Meta(ge=1, le=365)]
    quiet_days: Annotated[int, Meta(ge=1, le=365)]
    usual_days: Annotated[int, Meta(ge=1, le=365)]
    new_days: Annotated[int, Meta(ge=0, le=365)]

    @property
    def watch(self) -> Watch:
        """What is looked for."""
        return Watch(
            rise=self.rise_basis_points / 10_000,
            evidence=self.evidence / 100,
            least_daily_lines=self.least_daily_lines_hundredths / 100,
            least_days=self.least_days,
            quiet_days=self.quiet_days,
            usual_days=self.usual_days,
            new_days=self.new_days,
        )


class StandingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What late and short deliveries have for consequences.

    Attributes:
        looks_back_days: Lines that were due since then are looked at.
        least_lines: With fewer, nobody is judged.
        warn_below_basis_points: Part of lines whole and in time below which a proposal says so.
        prevent_below_basis_points: And below which nothing more is ordered.
    """

    looks_back_days: Annotated[int, Meta(ge=7, le=3_650)]
    least_lines: Count
    warn_below_basis_points: Annotated[int, Meta(ge=0, le=10_000)]
    prevent_below_basis_points: Annotated[int, Meta(ge=0, le=10_000)]

    def __post_init__(self) -> None:
        if self.prevent_below_basis_points > self.warn_below_basis_points:
            raise ValueError("a supplier is prevented before it is warned of")


class Receiving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Docks of a node and the work at them.

    Attributes:
        docks: Of each node.
        people_per_dock: Who unload one delivery together.
        opens_hour: Local hour.
        closes_hour: Local hour.
        slot_minutes: Docks are given out in such pieces.
        minutes_per_delivery: Work of each, whatever is in it.
        minutes_per_line: Of each line: to find, check and label it.
        units_per_hour: What one person counts and puts away.
        plans_ahead_days: A delivery that has no dock within so many days is somebody's case.
    """

    docks: Annotated[int, Meta(ge=1, le=500)]
    people_per_dock: Annotated[int, Meta(ge=1, le=50)]
    opens_hour: Annotated[int, Meta(ge=0, le=22)]
    closes_hour: Annotated[int, Meta(ge=1, le=23)]
    slot_minutes: Annotated[int, Meta(ge=15, le=480)]
    minutes_per_delivery: Annotated[int, Meta(ge=0, le=480)]
    minutes_per_line: Annotated[int, Meta(ge=0, le=480)]
    units_per_hour: Annotated[int, Meta(ge=1, le=100_000)]
    plans_ahead_days: Annotated[int, Meta(ge=1, le=365)]

    def __post_init__(self) -> None:
        if (self.closes_hour - self.opens_hour) * 60 < self.slot_minutes:
            raise ValueError("docks are not open for one slot")


class ReplenishmentPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What purchasing decides before it orders.

    Attributes:
        target: What stock is held for.
        review_days: Orders are made every so many days, so stock has to last until the next.
        order_covers_days: An order brings stock up to the reorder point and so many days' demand.
        pallet_surplus_basis_points: Whole pallets are taken where they are no more than so much
            above what is needed.
        budget_by_currency: Of one plan; ``None`` for no budget.
        served_by_days: A region's demand falls to the places that served it in so many days.
        announcement_believed_days: What was announced without an order is believed no more when it
            is so late.
        transfer_days: What is to be moved counts as under way for so long, unless it is announced.
    """

    target: ServiceTarget
    review_days: Annotated[int, Meta(ge=1, le=91)]
    order_covers_days: Days
    pallet_surplus_basis_points: BasisPoints
    budget_by_currency: Amounts | None
    served_by_days: Annotated[int, Meta(ge=7, le=730)]
    announcement_believed_days: Days
    transfer_days: Days
    forecasting: Forecasting
    lead_times: LeadTimes
    standing: StandingPolicy
    spikes: Spikes
    receiving: Receiving

    @property
    def backtest(self) -> Backtest:
        """How models are tried under this policy."""
        said = self.forecasting
        return Backtest(
            windows=said.backtest_windows,
            horizon_days=said.horizon_days,
            sample_series=said.sample_series,
            service_level=self.target.share,
            bulk_multiple=said.bulk_multiple,
            looks_back_days=said.looks_back_days,
        )


#: The typed policy of replenishment, from its values.
replenishment_policy = policy_reader("replenishment", ReplenishmentPolicy)
