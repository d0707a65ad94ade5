"""What a suite says about a frame, and which rows are held for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from assets.quality_gate.suite import Severity

#: Column that `Verdict.held` adds: what each row was held for.
HELD_BECAUSE = "_held_because"


@dataclass(frozen=True)
class Failure:
    """One expectation that was not met.

    Attributes:
        expectation: Its name.
        reason: What a person is told.
        severity: Whether it holds rows.
        level: ``row`` and ``set`` as declared; ``table`` when no row can be named, because the
            whole is wrong or the rule itself broke down.
        rows: The rows that failed, numbered from 0; empty at level ``table``.
    """

    expectation: str
    reason: str
    severity: Severity
    level: Literal["row", "set", "table"]
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a suite says about a frame; accepted and held rows together are the frame.

    Attributes:
        suite: Name of the suite.
        owner: The team that the failures belong to.
        rows: How many rows were judged.
        expectations: How many expectations were evaluated.
        failures: Those that were not met.
        is_held: Row by row, whether it is held.
    """

    suite: str
    owner: str
    rows: int
    expectations: int
    failures: tuple[Failure, ...]
    is_held: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def passed(self) -> bool:
        """Whether nothing is held; warnings do not count."""
        return not any(failure.severity == "critical" for failure in self.failures)

    @property
    def held_rows(self) -> tuple[int, ...]:
        """Numbers of the rows that are held."""
        return tuple(int(row) for row in np.flatnonzero(self.is_held))

    def accepted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that may go on."""
        return frame.loc[~self._mask(frame)]

    def held(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that may not, and in ``_held_because`` the reasons."""
        kept = frame.loc[self._mask(frame)].copy()
        kept[HELD_BECAUSE] = [self.reason(row) for row in self.held_rows]
        return kept

    def reason(self, row: int) -> str:
        """Why a row is held, in words; empty for one that is not."""
        return self._reasons.get(row, self._of_the_table) if self.is_held[row] else ""

    @functools.cached_property
    def _of_the_table(self) -> str:
        of_the_table = [
            failure.reason
            for failure in self.failures
            if failure.level == "table" and failure.severity == "critical"
        ]
        # A row without a failure of its own is here for its key.
        return "; ".join(of_the_table) or "held together with a row of the same key"

    @functools.cached_property
    def _reasons(self) -> dict[int, str]:
        by_row: dict[int, list[str]] = {}
        for failure in self.failures:
            if failure.severity == "critical":
                for row in failure.rows:
                    by_row.setdefault(row, []).append(failure.reason)
        return {row: "; ".join(reasons) for row, reasons in by_row.items()}

    def _mask(self, frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if len(frame) != self.rows:
            raise ValueError(f"the verdict is about {self.rows} rows, not about {len(frame)}")
        return self.is_held
