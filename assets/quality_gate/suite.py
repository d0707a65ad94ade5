"""What must be true of one table: expectations, and suites of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

#: Column that numbers the rows of a judged frame from 0; reserved for the gate.
ROW = "_row"

Rule = Callable[[pd.DataFrame], "pd.Series[bool]"]
Severity = Literal["critical", "warning"]
Level = Literal["row", "set"]


@dataclass(frozen=True, eq=False)
class Expectation:
    """One sentence that must be true of a table.

    Attributes:
        name: What is expected, in snake case; unique in its suite.
        type: The Great Expectations type that evaluates it.
        columns: What it looks at. A row in which one of them is missing passes.
        reason: What a person is told about a row that fails.
        kwargs: Further arguments of the type.
        rule: For what no type says: a vectorised function from rows to booleans. It sees only
            rows in which ``columns`` are present, and its outcome becomes a column that the type
            evaluates. One that is about a whole group says so by ``level``.
        level: Whether a row fails by itself, or a set of rows together, none guiltier than another.
        severity: Critical holds the rows; a warning is only reported.
        blocks_by: Key columns: every row with the key of a failing row is held with it.
    """

    name: str
    type: str
    columns: tuple[str, ...]
    reason: str
    kwargs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    rule: Rule | None = None
    level: Level = "row"
    severity: Severity = "critical"
    blocks_by: tuple[str, ...] = ()


def missing_value(column: str, blocks_by: Sequence[str] = ()) -> Expectation:
    """What a required column means; suites add these themselves."""
    return Expectation(
        name=f"{column}_is_present",
        type="expect_column_values_to_not_be_null",
        columns=(column,),
        reason=f"{column} is missing",
        blocks_by=tuple(blocks_by),
    )


@dataclass(frozen=True, eq=False)
class Suite:
    """What must be true of one table, and whose business it is.

    Attributes:
        name: Shown wherever a verdict is.
        owner: The team that a failure goes to.
        required: Columns in which no value may be missing.
        optional: Columns in which a value may be missing.
        said: Expectations beside those of the required columns.
        blocks_by: Key columns of every expectation that names none.
    """

    name: str
    owner: str
    required: tuple[str, ...]
    said: tuple[Expectation, ...]
    optional: tuple[str, ...] = ()
    blocks_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.columns)
        if len(known) < len(self.columns) or ROW in known:
            raise ValueError(f"suite {self.name}: a column is declared twice or reserved")
        for expectation in self.said:
            unknown = {*expectation.columns, *self.key_of(expectation)} - known
            if unknown:
                raise ValueError(f"suite {self.name}: {expectation.name} uses {sorted(unknown)}")
        names = [expectation.name for expectation in self.expectations]
        if len(set(names)) < len(names):
            raise ValueError(f"suite {self.name}: two expectations have one name")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the suite may look at."""
        return (*self.required, *self.optional)

    @functools.cached_property
    def expectations(self) -> tuple[Expectation, ...]:
        """Everything that is expected, the presence of required values first."""
        return (*(missing_value(column) for column in self.required), *self.said)

    def key_of(self, expectation: Expectation) -> tuple[str, ...]:
        """The columns by which a failure of this expectation spreads."""
        return expectation.blocks_by or self.blocks_by
