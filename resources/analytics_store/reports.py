"""What builds, gates and publications say of themselves and of the marts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Held:
    """A mart that must not be shown as it was built, and why."""

    mart: str
    reason: str


Gate = Callable[[duckdb.DuckDBPyConnection], Sequence[Held]]


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one model or test of a build.

    Attributes:
        unique_id: dbt's own id.
        name: Its name.
        kind: ``model``, ``test``, ``unit_test`` …
        status: ``success``, ``pass``, ``fail``, ``error``, ``warn`` or ``skipped``.
        message: What dbt says about it.
        failures: Rows that a test found.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    message: str = ""
    failures: int = 0


@dataclass(frozen=True)
class BuildReport:
    """What one build did.

    Attributes:
        success: Whether every model was built and every test passed.
        full_refresh: Whether everything was built anew.
        held: Marts that this build leaves wrong or unfinished; publishing keeps their former
            version.
        seconds: Wall time.
    """

    success: bool
    full_refresh: bool
    nodes: tuple[NodeOutcome, ...]
    held: tuple[Held, ...]
    seconds: float

    @property
    def failed(self) -> tuple[NodeOutcome, ...]:
        """Models and tests that went wrong themselves."""
        return tuple(node for node in self.nodes if node.status in {"error", "fail"})


@dataclass(frozen=True)
class MartDescription:
    """What the project says of a mart.

    Attributes:
        summary: The columns that say most, for a reader with little room.
    """

    description: str
    owner: str
    summary: tuple[str, ...]


@dataclass(frozen=True)
class MartInfo:
    """What a reader should know of a published mart.

    Attributes:
        summary: The columns that say most, for a reader with little room.
        as_of_at: The newest effective time of the facts it rests on.
        held_reason: Why this is an older version than the rest, if it is.
    """

    name: str
    description: str
    owner: str
    row_count: int
    as_of_at: datetime | None
    published_at: datetime
    held_reason: str | None
    summary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publication:
    """What was published.

    Attributes:
        rows: Rows by table of every layer that it has, as readers see them.
    """

    number: int
    path: Path
    marts: tuple[MartInfo, ...]
    held: tuple[Held, ...] = field(default=())
    rows: Mapping[str, int] = field(default_factory=dict)
