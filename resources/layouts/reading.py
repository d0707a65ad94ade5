"""What every file layout gives back: verdicts about files, and windows of events in time order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from assets.contracts.admission import Refusal, Submission


@dataclass(frozen=True)
class FileVerdict:
    """Whether one file was taken; a refused one has its reason and nothing of it is used."""

    path: Path
    rows: int
    refused_because: str | None = None


@dataclass(frozen=True)
class CatalogueItem:
    """A SKU on the first day on which it is seen, for the sandbox ERP to register.

    ``list_price`` is decimal text; ``first_seen_at`` is the start of that local day, in UTC;
    ``product_class`` is what it is watched with.
    """

    sku: str
    description: str
    list_price: str
    currency: str
    first_seen_at: datetime
    product_class: str | None = None


@dataclass(frozen=True)
class Window:
    """Everything that happened in (previous until, until], in order of (time, source, id).

    ``rows`` counts the input rows behind the window, so that throughput is per input row.
    """

    until: datetime
    rows: int
    submissions: list[Submission]
    catalogue: list[CatalogueItem] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class Reading(Protocol):
    """One pass over a folder or file of one layout."""

    files: list[FileVerdict]
    zone: str
    starts_at: datetime
    needs_sandbox_supply: bool
    orders: int
    order_lines: int
    returns: int
    #: What the sandbox must be told about the retailer behind these files.
    sandbox_settings: Mapping[str, object]

    def windows(self, quantum: timedelta) -> Iterator[Window]:
        """Windows aligned to local midnight in ``zone``, empty ones left out."""
        ...


class Layout(Protocol):
    """A named file layout."""

    name: str

    def read(self, path: Path, since: date | None = None, until: date | None = None) -> Reading:
        """Judge the files below ``path`` and prepare their events.

        Raises:
            BadInput: If the path does not exist or not one file can be used.
        """
        ...
