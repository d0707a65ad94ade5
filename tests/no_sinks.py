"""A home in which nobody can be told anything."""

from __future__ import annotations

from pathlib import Path

from resources.notification_sinks import SinkBook


def no_sinks() -> SinkBook:
    """A book without a service, whose files lie nowhere."""
    return SinkBook(Path("/nonexistent"), {})
