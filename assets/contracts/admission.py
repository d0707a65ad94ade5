"""What may pass the door: one check of one body, pure. Files, pollers and webhooks all come here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """One CloudEvent as it arrived.

    Attributes:
        source: Code of the system that sent it, as authenticated by the caller.
        body: The structured-mode JSON of one CloudEvent.
        position: Where it stood: ``file.csv:12``, ``batch[3]``, ``poll erp``.
    """

    source: str
    body: bytes
    position: str


@dataclass(frozen=True)
class Refusal:
    """Something that never became an event, for quarantine."""

    source: str
    body: bytes
    position: str
    reason_code: str
    reason: str
