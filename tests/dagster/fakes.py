"""A store that only counts: what sensors and assets need of a home, without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeTally:
    applied: int = 0
    waiting: int = 0
    quarantined: int = 0
    cases: int = 0
    commands: int = 0
    batches: int = 0
    rows: Counter[str] = field(default_factory=Counter)


@dataclass
class FakeSent:
    delivered: int = 0
    retried: int = 0
    dead: int = 0
    blocked: int = 0
    remaining: int = 0


@dataclass
class FakeFetched:
    partner: str
    received: int = 0
    accepted: int = 0
    unavailable: str | None = None


@dataclass
class FakeLaw:
    id: str
    title: str = "as it should be"
    applies: bool = True
    holds: bool = True
    violations: list[dict[str, Any]] = field(default_factory=list)
    violation_count: int = 0


@dataclass
class FakeRemoval:
    what: str
    count: int


class FakeListener:
    def __init__(self, on_wait: Callable[[], None]) -> None:
        self._on_wait = on_wait
        self.waits: list[float] = []

    def heard(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self._on_wait()
        return False


@dataclass
class FakeStore:
    """What happens is a script: each look or dispatch takes the next entry."""

    simulated: bool = False
    drains: list[dict[str, FakeTally]] = field(default_factory=list)
    dispatches: list[FakeSent] = field(default_factory=list)
    fetched: list[FakeFetched] = field(default_factory=list)
    staged_loads: list[str] = field(default_factory=list)
    breaker_states: dict[str, str] = field(default_factory=dict)
    broken_laws: dict[str, FakeLaw] = field(default_factory=dict)
    drained: list[str] = field(default_factory=list)
    cases: list[tuple[str, str, str, str]] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None
    unexported: bool = True
    unplanned_spike: bool = False
    orders: bool = True
    fails_with: Exception | None = None

    def time_is_simulated(self) -> bool:
        return self.simulated

    def has_orders(self) -> bool:
        if self.fails_with is not None:
            raise self.fails_with
        return self.orders

    def has_unplanned_spike(self) -> bool:
        if self.fails_with is not None:
            raise self.fails_with
        return self.unplanned_spike

    @contextmanager
    def listening(self, channel: str) -> Iterator[FakeListener]:
        self.channels.append(channel)
        yield FakeListener(self.on_wait)

    def drain_waiting(self) -> Iterator[tuple[str, FakeTally]]:
        if self.drains:
            yield from self.drains.pop(0).items()
        elif self.fails_with is not None:
            raise self.fails_with

    def drain(self, consumer: str) -> FakeTally:
        if self.fails_with is not None:
            raise self.fails_with
        self.drained.append(consumer)
        return FakeTally(applied=3, batches=1)

    def dispatch(self) -> FakeSent:
        return self.dispatches.pop(0) if self.dispatches else FakeSent()

    def poll_partners(self) -> list[FakeFetched]:
        return self.fetched

    def loads_awaiting_gate(self) -> list[str]:
        return self.staged_loads

    def report_partners(self) -> int:
        return 0

    def report_lag(self) -> int:
        return 0

    def report_policies(self) -> None:
        pass

    def report_quarantine(self) -> int:
        return 0

    def breakers(self) -> dict[str, str]:
        return self.breaker_states

    def report_overdue(self) -> int:
        return 1

    def report_silence(self) -> int:
        return 4

    def expire_reservations(self) -> int:
        return 2

    def keep_promises(self) -> int:
        return 3

    def reconcile(self) -> int:
        return 4

    def publish_availability(self) -> int:
        return 7

    run_days: int = 60
    removals: list[FakeRemoval] = field(default_factory=list)

    def remove_old(self) -> list[FakeRemoval]:
        if self.fails_with is not None:
            raise self.fails_with
        return self.removals

    def row_counts(self, tables: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(tables, 11)

    def check_law(self, law: str) -> FakeLaw:
        return self.broken_laws.get(law, FakeLaw(law))

    unrouted: int = 0
    rungs_due: int = 0

    def route_cases(self) -> int:
        routed, self.unrouted = self.unrouted, 0
        return routed

    def escalate(self) -> int:
        taken, self.rungs_due = self.rungs_due, 0
        return taken

    def expire_approvals(self) -> int:
        return 2

    def case_figures(self) -> dict[str, int]:
        return {"cases_open": len(self.cases), "cases_overdue": 0, "cases_closed": 5}

    def open_case(self, case_type: str, business_key: str, reason: str) -> None:
        self.cases.append((case_type, business_key, reason))

    def has_unexported_facts(self) -> bool:
        if self.fails_with is not None:
            raise self.fails_with
        return self.unexported
