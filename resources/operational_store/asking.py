"""What people at a terminal want, as an event that may wait for consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def waiting_event(
    event_type: str, subject: str, about: Mapping[str, Any], data: msgspec.Struct
) -> dict[str, Any]:
    """An event without its id and time, as `assets.ports.ApprovalRequest` takes it.

    Args:
        event_type: Of its contract.
        subject: The business key.
        about: A row with ``legal_entity``, ``brand``, ``region``, ``channel`` and
            ``correlation_id``: whose business it is.
        data: As its contract has it.
    """
    return {
        "type": event_type,
        "subject": subject,
        "legalentity": about["legal_entity"],
        "brand": about["brand"],
        "region": about["region"],
        "channel": about["channel"],
        "correlationid": about["correlation_id"],
        "data": msgspec.to_builtins(data),
    }
