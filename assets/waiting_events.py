"""What is asked of people, as the event that waits for their consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from assets.ports import Scope


def waiting_event(
    event_type: str,
    subject: str,
    whose: Mapping[str, Any],
    data: msgspec.Struct | Mapping[str, Any],
) -> dict[str, Any]:
    """An event without its id and time, as `assets.ports.ApprovalRequest` takes it.

    Args:
        event_type: Of its contract.
        subject: The business key.
        whose: A row with ``legal_entity``, ``brand``, ``region``, ``channel`` and
            ``correlation_id``: whose business it is.
        data: As its contract has it.
    """
    return {
        "type": event_type,
        "subject": subject,
        "legalentity": whose["legal_entity"],
        "brand": whose["brand"],
        "region": whose["region"],
        "channel": whose["channel"],
        "correlationid": whose["correlation_id"],
        "data": msgspec.to_builtins(data),
    }


def as_row(scope: Scope, correlation_id: str | None = None) -> dict[str, str]:
    """Whose business an event or order is, as such a row; ``correlation_id`` stands for its own."""
    return {
        "legal_entity": scope.legal_entity,
        "brand": scope.brand,
        "region": scope.region,
        "channel": scope.channel,
        "correlation_id": correlation_id or scope.correlation_id,
    }
