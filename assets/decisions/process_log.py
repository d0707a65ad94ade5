"""Process events with their objects and qualified relations, in the shape of OCEL 2.0.

Source of the shape: A. Berti et al., OCEL (Object-Centric Event Log) 2.0 Specification, 2023.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from assets.commerce.identifiers import identify_text
from assets.facts import FactRows
from assets.ports import UnitOfWork

PROCESS_EVENT = ("process_event_id", "activity", "order_id", "objects", "occurred_at")


class ProcessLog:
    """Collects what happened; each happening has one id, made of its activity and its key."""

    def __init__(self) -> None:
        self._rows = FactRows({"process_event": PROCESS_EVENT})

    def add(
        self,
        activity: str,
        key: str,
        occurred_at: datetime,
        objects: list[tuple[str, str, str]],
        order_id: str | None = None,
    ) -> None:
        """Add one event. ``objects`` are (object type, object id, qualifier)."""
        related = [
            {"type": kind, "id": identity, "qualifier": qualifier}
            for kind, identity, qualifier in objects
        ]
        self._rows["process_event"].append(
            (
                identify_text("process_event", activity, key),
                activity,
                order_id,
                msgspec.json.encode(related).decode(),
                occurred_at,
            )
        )

    def flush(self, unit_of_work: UnitOfWork) -> None:
        """Append everything by one statement."""
        self._rows.flush(unit_of_work)
