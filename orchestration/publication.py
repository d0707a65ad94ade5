"""From facts to what business people read: export, build aside, judge, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from orchestration.home import Home
from resources.analytics_store import AnalyticsStore, BuildReport, Publication
from resources.lake import Lake

Phase = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Published:
    """What was exported, built and published."""

    exported_rows: int
    built: BuildReport
    publication: Publication


@contextmanager
def _untimed(_: str) -> Iterator[None]:
    yield


def publish_marts(home: Home, engine: sa.Engine, phase: Phase = _untimed) -> Published:
    """Bring the published marts up to what the operational store has committed.

    Args:
        home: Where lake and warehouse lie.
        engine: The operational store.
        phase: Context manager by name, for whoever measures.
    """
    from resources.mart_gate import judge_marts

    lake = Lake(home.lake)
    with phase("lake"):
        exported = lake.export(engine)
    warehouse = AnalyticsStore(home.warehouse, lake)
    with phase("marts"):
        built = warehouse.build()
    with phase("mart_gate"):
        publication = warehouse.publish(judge_marts)
    return Published(exported.rows, built, publication)
