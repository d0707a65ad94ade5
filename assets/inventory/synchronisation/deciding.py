"""What becomes of a correction that people were asked about: booked, or left as it is.

The decision is an event. It is about so many units of a SKU: where a later snapshot has proposed
others by then, or a movement that came late has explained them, there is nothing left to decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.facts import FactRows
from assets.inventory.ledger import BELIEFS
from assets.inventory.service import flush, open_books
from assets.inventory.synchronisation.correction import document_of, post, steps
from assets.inventory.synchronisation.policy import synchronisation_policy
from assets.ports import CaseType, InboxEvent, Proposal, UnitOfWork


def apply_decisions(events: Sequence[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Book what was approved and mark what was denied; either closes its case."""
    places = [(event.data.system, event.data.node_id, event.data.sku) for event in events]
    newest = unit_of_work.synchronisation.proposals(places)
    proposals = {(one.system, one.node_id, one.sku): one for one in newest}
    rows = FactRows(BELIEFS)
    for event, place in zip(events, places, strict=True):
        proposal = proposals.pop(place, None)
        wrong = _what_is_wrong(event, proposal)
        if proposal is None or wrong is not None:
            unit_of_work.inbox.quarantine(event, "correction_not_proposed", str(wrong))
            continue
        if event.data.decision == "approved":
            _book(event, proposal, rows, unit_of_work)
        else:
            _reject(event, proposal, rows)
        said = f"{event.data.decision} by {event.data.decided_by}"
        unit_of_work.close_cases(CaseType.STOCK_CORRECTION, ["/".join(place)], said)
    rows.flush(unit_of_work)


def _what_is_wrong(event: InboxEvent, proposal: Proposal | None) -> str | None:
    """Why a decision has nothing to decide about."""
    if proposal is None:
        return "no correction of this SKU was proposed, or it was decided before"
    if proposal.status != "proposed":
        return f"the correction is {proposal.status} already"
    if proposal.quantity != event.data.quantity:
        return f"{proposal.quantity:+d} units are proposed by now, not {event.data.quantity:+d}"
    return None


def _book(event: InboxEvent, proposal: Proposal, rows: FactRows, unit_of_work: UnitOfWork) -> None:
    """Book at the instant of the snapshot, as a small correction would have been."""
    values = unit_of_work.policies.resolve("inventory_synchronisation", event.region, event.brand)
    books = open_books([proposal.sku], proposal.as_of, unit_of_work)
    revision = proposal.revision + 1
    document = document_of(
        event,
        proposal.node_id,
        f"{proposal.snapshot_id}/{proposal.sku}/{revision}",
        proposal.as_of,
        {proposal.sku: proposal.quantity},
    )
    booked = post(document, proposal.system, synchronisation_policy(values), books)
    rows["stock_correction"] += steps(
        proposal.snapshot_id, revision, "booked", document, booked, books
    )
    flush(books)


def _reject(event: InboxEvent, proposal: Proposal, rows: FactRows) -> None:
    rows["stock_correction"].append(
        (
            proposal.snapshot_id,
            proposal.sku,
            proposal.revision + 1,
            proposal.node_id,
            "rejected",
            proposal.quantity,
            proposal.amount,
            proposal.currency_code,
            None,
            event.occurred_at,
        )
    )
