"""Dagster's view of a home: resources that open it when they are first used, once a process."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from pydantic import Field

from orchestration.environment import Environment
from orchestration.home import Home, open_home

if TYPE_CHECKING:
    from assets.procure_to_stock.planning import Planned
    from assets.quality_gate import Verdict
    from resources.analytics_store.reports import BuildReport, Publication
    from resources.analytics_store.store import AnalyticsStore
    from resources.demand_spikes import Detected
    from resources.lake.lake import Lake
    from resources.lake.tallies import ExportTally
    from resources.load_gate import LoadGate, LoadVerdict
    from resources.store_access import StoreAccess
    from resources.window_gate import WindowGate, WindowVerdict

HOME = "The home folder; by default what the environment says."


@functools.cache
def opened(home: str) -> Home:
    """The home of a resource's configuration, opened once a process."""
    environment = Environment.read()
    if home:
        environment = replace(environment, home=Path(home).absolute())
    return open_home(environment)


@functools.cache
def access(home: str) -> StoreAccess:
    """The operational store of a home: its connections are shared by all ticks of a process."""
    from resources.store_access import StoreAccess

    here = opened(home)

    return StoreAccess(here.database_url, here.policies, here.partner_book, here.sink_book)


class OperationalStoreResource(dg.ConfigurableResource["StoreAccess"]):
    """The operational store of a home; whoever asks for it is given a `StoreAccess`."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> StoreAccess:
        """Open it, or give what this process has open already."""
        del context
        return access(self.home)


class LakeExport(Protocol):
    """What brings facts into the lake."""

    def export(self) -> ExportTally:
        """Export what is committed and not in the lake yet."""
        ...


@dataclass(frozen=True)
class WarehouseAccess:
    """Lake and warehouse of a home, with the operational store that they are fed from."""

    lake: Lake
    analytics: AnalyticsStore
    store: StoreAccess

    def export(self) -> ExportTally:
        """Export what is committed and not in the lake yet."""
        return self.lake.export(self.store.store.engine)

    def plan(self) -> Planned:
        """Forecast, propose and ask, on what is published and stored."""
        from resources.replenishment_planning import plan_replenishment

        return plan_replenishment(self.store.in_time(), self.analytics)

    def detect_spikes(self) -> Detected:
        """Look for classes of products that a region asks for more than usual."""
        from resources.demand_spikes import detect_spikes

        return detect_spikes(self.store.in_time())

    def build(self) -> BuildReport:
        """Bring the warehouse up to the lake, aside from readers."""
        return self.analytics.build()

    def publish(self) -> tuple[Publication, Mapping[str, Verdict]]:
        """Judge what was built, show it to readers, and keep what was said."""
        from resources.mart_gate import MartGate

        gate = MartGate()
        publication = self.analytics.publish(gate)
        gate.keep(self.store.store, publication.number)
        return publication, gate.verdicts


@functools.cache
def warehouse_access(home: str) -> WarehouseAccess:
    """The warehouse of a home, once a process: dbt stays warm."""
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake

    here = opened(home)
    lake = Lake(here.lake)
    return WarehouseAccess(lake, AnalyticsStore(here.warehouse, lake), access(home))


class WarehouseResource(dg.ConfigurableResource["WarehouseAccess"]):
    """Lake and warehouse of a home."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> WarehouseAccess:
        """Open them, or give what this process has open already."""
        del context
        return warehouse_access(self.home)


@dataclass(frozen=True)
class WindowAccess:
    """The gate on the facts of a home, and the cases that it has opened."""

    gate: WindowGate
    store: StoreAccess

    def close_windows(self, table: str) -> Sequence[WindowVerdict]:
        """Judge what is new in a table."""
        return self.gate.close(table)

    def open_gate_cases(self, table: str) -> Mapping[str, str]:
        """Reasons of the gate's open cases about a table, by expectation."""
        from resources.gate_records import open_cases

        with self.store.store.transaction() as connection:
            return open_cases(connection, table)


class WindowsResource(dg.ConfigurableResource["WindowAccess"]):
    """The gate on the facts of a home."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> WindowAccess:
        """Open the store, or use what this process has open already."""
        from resources.window_gate import WindowGate, accounts_of

        del context
        store = access(self.home)
        accounts = accounts_of(store.store.policies.documents)
        return WindowAccess(WindowGate(store.store, accounts), store)


@dataclass(frozen=True)
class LoadAccess:
    """The gate on the bulk loads of a home, and the cases that it has opened."""

    gate: LoadGate
    store: StoreAccess

    def judge_loads(self) -> Sequence[LoadVerdict]:
        """Judge every load that waits for it."""
        return self.gate.judge_awaiting()

    def open_gate_cases(self, suite: str) -> Mapping[str, str]:
        """Reasons of the gate's open cases of one suite, by partner and expectation."""
        from resources.gate_records import open_cases

        with self.store.store.transaction() as connection:
            return open_cases(connection, suite)


class LoadsResource(dg.ConfigurableResource["LoadAccess"]):
    """The gate on the bulk loads of a home."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> LoadAccess:
        """Open the store, or use what this process has open already."""
        from resources.load_gate import LoadGate

        del context
        store = access(self.home)
        policy = store.store.policies.operations.bulk_loads
        return LoadAccess(LoadGate(store.store, policy), store)
