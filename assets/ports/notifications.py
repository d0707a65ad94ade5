"""What people are to be told: of what, whom, and with which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Occasion(StrEnum):
    """Why somebody is told something."""

    CASE_ROUTED = "case_routed"
    CASE_ESCALATED = "case_escalated"
    CONSENT_WANTED = "consent_wanted"
    PLAYBOOK_STOPPED = "playbook_stopped"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that one queue, role or person is to hear once.

    Attributes:
        subject: Id of the case or request that it is about.
        occurrence: Tells it from what else is said of the same subject on such an occasion.
        recipient: A queue, a role or a person of the directory.
        words: What a template may say of it; never anybody's name or address.
        occurred_at: When there was something to tell.
    """

    occasion: Occasion
    subject: str
    occurrence: str
    recipient: str
    words: Mapping[str, str]
    region: str
    brand: str
    occurred_at: datetime
