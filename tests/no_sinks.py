"""A home in which nobody can be told anything."""

from __future__ import annotations

from pathlib import Path

from resources.notification_sinks import SinkBook


def NO_SINKS() -> SinkBook:  # noqa: N802 - it stands where a constant would
    """A book without a service, whose files lie nowhere."""
    return SinkBook(Path("/nonexistent"), {})
