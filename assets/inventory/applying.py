"""Hands each event of the inventory consumer to whoever applies it."""

from __future__ import annotations

from assets.contracts.inventory import CorrectionDecided
from assets.inventory import service
from assets.inventory.synchronisation.deciding import apply_decisions
from assets.ports import InboxEvent, UnitOfWork

CONSUMER = "inventory"


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Apply physical facts first: a decision is about what is known by then."""
    decisions = [event for event in events if isinstance(event.data, CorrectionDecided)]
    facts = [event for event in events if not isinstance(event.data, CorrectionDecided)]
    if facts:
        service.handle(facts, unit_of_work)
    if decisions:
        apply_decisions(decisions, unit_of_work)
