"""What a replay did, and where it is: counted at the door, and timed by phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from resources.gate_records import open_cases
from resources.operational_store.bulk import fetch
from resources.operational_store.store import OperationalStore


@dataclass
class Report:
    """What a replay did; the keys are stable.

    ``events_in = applied + quarantined + duplicates + waiting`` counts the events of this run,
    answers of partners included. ``orders``, ``order_lines`` and ``returns_waiting`` count what
    the files hold. ``waiting_in_home`` is what waits at the end, of earlier runs too;
    ``gate_cases`` are the cases of data gates that are open then. ``replenishment`` counts what was
    proposed at the end, and ``ways_of_ordering`` what the policy would have been worth on the
    demand beside a minimum and maximum; both are empty where nothing was planned.
    """

    events_in: int = 0
    applied: int = 0
    quarantined: int = 0
    duplicates: int = 0
    waiting: int = 0
    orders: int = 0
    order_lines: int = 0
    returns_waiting: int = 0
    waiting_in_home: int = 0
    rows: int = 0
    rows_per_second: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    sandbox_peak_mb: float = 0.0
    quantum_seconds: float = 0.0
    simulated_until: str = ""
    commands_delivered: int = 0
    cases_opened: int = 0
    files_refused: dict[str, str] = field(default_factory=dict)
    seconds_by_phase: dict[str, float] = field(default_factory=dict)
    gate_cases: list[str] = field(default_factory=list)
    marts_held: list[str] = field(default_factory=list)
    replenishment: dict[str, object] = field(default_factory=dict)
    ways_of_ordering: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """Where a running replay is, for whoever shows its progress."""

    phase: str
    simulated: datetime | None = None
    rows: int = 0


Watch = Callable[[Moment], None]


class Stopwatch:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the block's time to a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def gate_cases(store: OperationalStore) -> list[str]:
    """Cases of data gates that are open."""
    with store.transaction() as connection:
        return [f"{key}: {reason}" for key, reason in open_cases(connection).items()]


def counts(store: OperationalStore) -> dict[str, int]:
    """What the door has counted, and where the events that it let in are now."""
    with store.transaction() as connection:
        received, duplicates, quarantined = fetch(
            connection,
            "select coalesce(sum(received), 0)::bigint, coalesce(sum(duplicates), 0)::bigint,"
            " coalesce(sum(quarantined), 0)::bigint from door_tally",
        )[0]
        by_status = dict(
            fetch(connection, "select status, count(*) from event_inbox group by status")
        )
    return {
        "events_in": received,
        "duplicates": duplicates,
        "quarantined": quarantined + by_status.get("quarantined", 0),
        "applied": by_status.get("applied", 0),
        "waiting": by_status.get("waiting", 0) + by_status.get("pending", 0),
    }


def count_since(before: dict[str, int], store: OperationalStore, report: Report) -> None:
    """Put into a report what changed since."""
    after = counts(store)
    for key, value in after.items():
        setattr(report, key, value - before[key])
    report.waiting_in_home = after["waiting"]
