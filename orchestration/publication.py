"""From facts to what business people read: judge, export, build aside, judge again, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assets.quality_gate import Verdict
from orchestration.home import Home
from resources.analytics_store.reports import BuildReport, Publication
from resources.analytics_store.store import AnalyticsStore
from resources.lake.lake import Lake
from resources.lake.tallies import ExportTally
from resources.mart_gate import MartGate
from resources.operational_store.store import OperationalStore
from resources.window_gate import WindowGate, WindowVerdict, accounts_of

Phase = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Published:
    """What was judged, exported, built and published.

    Attributes:
        verdicts: What the gate said, by mart.
        manifest_path: dbt's own words on what was built.
    """

    windows: Sequence[WindowVerdict]
    exported: ExportTally
    built: BuildReport
    publication: Publication
    verdicts: Mapping[str, Verdict]
    manifest_path: Path


@contextmanager
def _untimed(_: str) -> Iterator[None]:
    yield


def publish_marts(home: Home, store: OperationalStore, phase: Phase = _untimed) -> Published:
    """Bring the published marts up to what the operational store has committed.

    Args:
        home: Where lake and warehouse lie.
        store: Its operational store.
        phase: Context manager by name, for whoever measures.
    """
    with phase("window_gate"):
        accounts = accounts_of(store.policies.documents)
        windows = WindowGate(store, accounts).close_all()
    lake = Lake(home.lake)
    with phase("lake"):
        exported = lake.export(store.engine)
    warehouse = AnalyticsStore(home.warehouse, lake)
    with phase("marts"):
        built = warehouse.build()
    with phase("mart_gate"):
        gate = MartGate()
        publication = warehouse.publish(gate)
        gate.keep(store, publication.number)
    return Published(windows, exported, built, publication, gate.verdicts, warehouse.manifest_path)
