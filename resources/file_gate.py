"""The gate in front of files: rows that may not pass are refused before the first window is made.

What a row must be is said by the suite of its layout; what becomes of a refused row (its whole
invoice goes to quarantine) is the layout's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa

from assets.quality_gate import Suite, Verdict, judge

#: The reading counts records as a person does: the header is row 1.
ROW_NUMBER = "row_number"


class GatedReading(Protocol):
    """What a reading offers so that a gate can look before anything is accepted."""

    def frames(self) -> Iterator[tuple[Path, pa.Table]]:
        """Each accepted file's raw rows, numbered in ``row_number``."""
        ...

    def exclude_file(self, path: Path, because: str) -> None:
        """Take one file out, whole."""
        ...

    def refuse_rows(self, path: Path, reasons: Mapping[int, str]) -> None:
        """Refuse rows by row number."""
        ...


@dataclass(frozen=True)
class FileJudgement:
    """What the gate said about one file."""

    path: Path
    verdict: Verdict


def judge_files(
    reading: GatedReading, suite: Suite, rows: Callable[[pa.Table], pd.DataFrame]
) -> list[FileJudgement]:
    """Judge every accepted file; refuse the rows that fail, or the file where no row can be named.

    Raises:
        BadInput: If the reading has no file left.
    """
    judgements: list[FileJudgement] = []
    refused: list[tuple[Path, dict[int, str]]] = []
    excluded: list[tuple[Path, str]] = []
    for path, table in reading.frames():
        verdict = judge(rows(table), suite)
        judgements.append(FileJudgement(path, verdict))
        of_the_file = [
            failure.reason
            for failure in verdict.failures
            if failure.level == "table" and failure.severity == "critical"
        ]
        if of_the_file:
            excluded.append((path, "; ".join(of_the_file)))
        elif verdict.held_rows:
            numbers = table[ROW_NUMBER].take(pa.array(verdict.held_rows)).to_pylist()
            reasons = [verdict.reason(row) for row in verdict.held_rows]
            refused.append((path, dict(zip(numbers, reasons, strict=True))))
    # Only now: the reading sorts everything again after each of these.
    for path, reasons_by_row in refused:
        reading.refuse_rows(path, reasons_by_row)
    for path, because in excluded:
        reading.exclude_file(path, because)
    return judgements
