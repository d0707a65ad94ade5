"""How an invariant is stated and judged: statements that give back the rows which break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.commerce.calendar import utc_text

SHOWN_VIOLATIONS = 20

Violation = dict[str, Any]


@dataclass(frozen=True)
class InvariantResult:
    """The verdict on one invariant.

    Attributes:
        id: As it is known everywhere: ``S1``, ``M1``, ``P7``.
        title: What it says, in a few words.
        applies: Whether anything of that kind is stored.
        holds: Whether nothing breaks it.
        violations: The first twenty that do: what is wrong, and the keys of the row.
        violation_count: All that do.
    """

    id: str
    title: str
    applies: bool
    holds: bool
    violations: list[Violation]
    violation_count: int


@dataclass(frozen=True)
class Invariant:
    """What must hold, and what finds the rows that break it."""

    id: str
    title: str
    #: A statement whose one value says whether there is anything to look at.
    applies: str
    #: What is wrong → the statement that finds it; its rows may say it better, as ``wrong``.
    findings: Mapping[str, str] = field(default_factory=dict)
    #: What only Python can recompute.
    recomputed: Callable[[sa.Connection], Iterator[Violation]] | None = None


def judge(connection: sa.Connection, invariant: Invariant) -> InvariantResult:
    """Look for what breaks one invariant; all of it is counted, the first twenty are kept."""
    applies = bool(connection.execute(sa.text(invariant.applies)).scalar_one())
    shown: list[Violation] = []
    count = 0
    if applies:
        for wrong, finding in invariant.findings.items():
            found, rows = _rows(connection, finding)
            count += found
            shown += [{"wrong": wrong, **row} for row in rows]
        for violation in invariant.recomputed(connection) if invariant.recomputed else ():
            count += 1
            if len(shown) < SHOWN_VIOLATIONS:
                shown.append(violation)
    return InvariantResult(
        id=invariant.id,
        title=invariant.title,
        applies=applies,
        holds=count == 0,
        violations=[
            {name: _plain(value) for name, value in violation.items()}
            for violation in shown[:SHOWN_VIOLATIONS]
        ],
        violation_count=count,
    )


def _rows(connection: sa.Connection, finding: str) -> tuple[int, list[Violation]]:
    """How many rows a statement finds, and the first of them."""
    # Literals of JSON paths and casts have colons that are no parameters.
    result = connection.exec_driver_sql(
        f"select count(*) over () as violation_count, * from ({finding}) as violation"
        f" limit {SHOWN_VIOLATIONS}",
        execution_options={"no_parameters": True},
    )
    rows = [dict(row) for row in result.mappings()]
    counts = [int(row.pop("violation_count")) for row in rows]
    return (counts[0] if counts else 0), rows


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
