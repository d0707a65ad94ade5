"""Holds what other systems believe of our stock against the ledger, at the time they say it of.

A snapshot is compared when what happened by its time is known, and never overwrites a position.
Drift is coded unit by unit; what of it our own books should follow is in `correction`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pandas as pd

from assets.commerce.identifiers import identify_text
from assets.contracts.inventory import InventorySnapshotTaken
from assets.facts import FactRows
from assets.inventory.ledger import BELIEFS
from assets.inventory.publication import house_channels
from assets.inventory.service import Books, flush, open_books
from assets.inventory.synchronisation.comparison import Comparison, place_of, snapshot_id
from assets.inventory.synchronisation.correction import correct, revise
from assets.inventory.synchronisation.drift_cases import tell_people
from assets.inventory.synchronisation.evidence import evidence
from assets.inventory.synchronisation.policy import SynchronisationPolicy, synchronisation_policy
from assets.inventory.synchronisation.rules import code_drift, compare, is_mass_drop
from assets.ports import Case, CaseType, InboxEvent, PolicyBook, UnitOfWork

CONSUMER = "inventory_synchronisation"


def settled_until(policies: PolicyBook, now: datetime) -> datetime:
    """Snapshots of up to this instant may be compared: what happened by then is known."""
    values = policies.resolve("inventory_synchronisation", "", "")
    return now - synchronisation_policy(values).settling


def in_batches(waiting: Iterable[tuple[int, datetime, str]], at_most: int) -> list[list[int]]:
    """Snapshots in the order in which they are compared, cut so that no cut can be noticed.

    Oldest first, and those of one place and instant stay together, since none of them is corrected
    before all are compared: so it makes no difference where the others are cut.

    Args:
        waiting: (inbox id, as of, node or channel) of each.
        at_most: How many go into one batch, unless more than that are of one place and instant.

    Returns:
        Inbox ids by batch.
    """
    groups: dict[tuple[datetime, str], list[int]] = defaultdict(list)
    for inbox_id, as_of, place in waiting:
        groups[as_of, place].append(inbox_id)
    batches: list[list[int]] = []
    for key in sorted(groups):
        if not batches or len(batches[-1]) + len(groups[key]) > at_most:
            batches.append([])
        batches[-1] += groups[key]
    return batches


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Compare snapshots, code their drift, and correct what needs no person.

    One from the future, too old, overtaken by a newer one or compared before is refused with its
    reason; one that takes away too much is held whole until a person releases it.
    """
    policies = {
        (event.region, event.brand): _policy(event, unit_of_work.policies) for event in events
    }
    ordered = sorted(events, key=lambda event: _rank(event, policies[event.region, event.brand]))
    accepted = _accepted(ordered, policies, unit_of_work)
    if not accepted:
        return
    latest = {event.data.node_id: event for event in accepted if event.data.node_id}
    revise(latest, policies, unit_of_work)
    rounds = _by_instant(accepted)
    if len(rounds) > 1:
        # All at once, so that two who want some of the same do not wait for each other.
        every = {line.sku for event in accepted for line in event.data.lines}
        unit_of_work.stock.lock_positions(every)
    for told in rounds:
        _reconcile(told, policies, unit_of_work)


def _by_instant(events: Sequence[InboxEvent]) -> list[list[InboxEvent]]:
    """Snapshots by the instant that they are of, oldest first.

    What one snapshot corrects, one of later agrees with: it is compared when that is booked, as if
    it had been told alone. So is one that says again what another of its instant and system says;
    the parts of one do not overlap and stay together.
    """
    rounds: dict[tuple[datetime, int], list[InboxEvent]] = defaultdict(list)
    said: dict[tuple[datetime, str, str], list[set[str]]] = defaultdict(list)
    for event in events:
        data = event.data
        as_of, skus = data.as_of.astimezone(UTC), {line.sku for line in data.lines}
        former = said[as_of, data.system, place_of(data)]
        number = max((n + 1 for n, told in enumerate(former) if told & skus), default=0)
        if number == len(former):
            former.append(set())
        former[number] |= skus
        rounds[as_of, number].append(event)
    return [rounds[key] for key in sorted(rounds)]


def _reconcile(
    events: Sequence[InboxEvent],
    policies: dict[tuple[str, str], SynchronisationPolicy],
    unit_of_work: UnitOfWork,
) -> None:
    """Compare snapshots of one instant and correct what they show."""
    skus = {line.sku for event in events for line in event.data.lines}
    books = open_books(skus, events[0].data.as_of, unit_of_work)
    # What stands in the ledgers now is in the positions, which are locked.
    watermark = unit_of_work.synchronisation.watermark()
    comparisons = []
    for event in events:
        comparison = _compare(event, policies[event.region, event.brand], watermark, books)
        if _is_held(comparison, unit_of_work):
            continue
        comparisons.append(comparison)
    _record(comparisons, books)
    # All are compared before the first is corrected: they speak of the same shelves.
    corrected = correct(comparisons, books)
    tell_people(comparisons, corrected, unit_of_work)
    flush(books)


def _policy(event: InboxEvent, policies: PolicyBook) -> SynchronisationPolicy:
    values = policies.resolve("inventory_synchronisation", event.region, event.brand)
    return synchronisation_policy(values)


def _rank(event: InboxEvent, policy: SynchronisationPolicy) -> tuple[datetime, int]:
    """Older first; of one instant the system whose word weighs most."""
    system = event.data.system
    weight = policy.authority.index(system) if system in policy.authority else len(policy.authority)
    return event.data.as_of, weight


def _accepted(
    events: Sequence[InboxEvent],
    policies: dict[tuple[str, str], SynchronisationPolicy],
    unit_of_work: UnitOfWork,
) -> list[InboxEvent]:
    """Those that can be compared; the others are refused, or wait for their node."""
    nodes = unit_of_work.master_data.nodes()
    channels = house_channels(unit_of_work.policies)
    newest = unit_of_work.synchronisation.newest(
        {(event.data.system, place_of(event.data)) for event in events}
    )
    known = unit_of_work.known(
        "inventory_snapshot", "snapshot_id", [snapshot_id(event) for event in events]
    )
    accepted = []
    for event in events:
        data, policy = event.data, policies[event.region, event.brand]
        refusal = _refusal(event, policy, unit_of_work.effective_at, newest)
        if snapshot_id(event) in known:
            refusal = ("document_already_compared", f"{data.document_number} was compared before")
        elif data.channel is not None and data.channel not in channels:
            refusal = ("unknown_channel", f"nobody sells through {data.channel}")
        if refusal is not None:
            unit_of_work.inbox.quarantine(event, *refusal)
        elif data.node_id is not None and data.node_id not in nodes:
            unit_of_work.inbox.park(event, "unknown_node", f"node:{data.node_id}")
        else:
            known.add(snapshot_id(event))
            accepted.append(event)
    return accepted


def _refusal(
    event: InboxEvent,
    policy: SynchronisationPolicy,
    now: datetime,
    newest: dict[tuple[str, str], datetime],
) -> tuple[str, str] | None:
    data = event.data
    as_of = data.as_of.astimezone(UTC)
    at = as_of.isoformat(timespec="seconds")
    tolerance = timedelta(seconds=policy.clock_tolerance_seconds)
    if as_of > min(now, event.occurred_at) + tolerance:
        return "snapshot_from_the_future", f"it is of {at}, which is later than it was taken"
    if as_of < now - timedelta(hours=policy.oldest_snapshot_hours):
        hours = policy.oldest_snapshot_hours
        return "snapshot_too_old", f"it is of {at}, more than {hours} hours ago"
    last = newest.get((data.system, place_of(data)))
    if last is not None and as_of < last:
        overtaker = last.isoformat(timespec="seconds")
        return "snapshot_overtaken", f"it is of {at}, and one of {overtaker} was compared"
    return None


def _compare(
    event: InboxEvent, policy: SynchronisationPolicy, watermark: int, books: Books
) -> Comparison:
    data = event.data
    as_of = data.as_of.astimezone(UTC)
    known = [line for line in data.lines if _is_compared(line.sku, data, books)]
    skus = [line.sku for line in known]
    held, promised = _ours(data, skus, as_of, books)
    lines = pd.DataFrame(
        {
            "sku": pd.Series(skus, dtype="object"),
            "stated_quantity": pd.Series([line.quantity for line in known], dtype="int64"),
            "is_case": pd.Series([x.unit_of_measure == "case" for x in known], dtype="bool"),
            "units_per_case": pd.Series([x.units_per_case or 0 for x in known], dtype="int64"),
            "held_quantity": pd.Series(held, dtype="int64"),
            "promised_quantity": pd.Series(promised, dtype="int64"),
        }
    )
    compared = compare(lines)
    drifting = compared.loc[compared["drift_quantity"] != 0, "sku"].tolist()
    since = as_of - timedelta(days=policy.evidence_days)
    place: Literal["node", "channel"] = "node" if data.node_id else "channel"
    facts: list[tuple[str, str, int, datetime]] = []
    if drifting:
        sources = books.unit_of_work.synchronisation
        facts = (
            sources.facts_of_node(data.system, data.node_id, drifting, since, as_of)
            if data.node_id
            else sources.facts_of_channel(data.channel, drifting, since, as_of)
        )
    coded = code_drift(compared, evidence(facts, data.system, as_of, policy), place)
    return Comparison(event, compared, coded, watermark, policy)


def _is_compared(sku: str, data: InventorySnapshotTaken, books: Books) -> bool:
    """A SKU that we know; at a node no bundle: what is said of one is what could be made of it."""
    terms = books.products.get(sku)
    return terms is not None and (data.node_id is None or not terms.is_bundle)


def _ours(
    data: InventorySnapshotTaken, skus: list[str], as_of: datetime, books: Books
) -> tuple[list[int], list[int]]:
    """(held at the snapshot's time, promised now) of each SKU.

    What is on hand less what moved since is the sum of what moved until then.
    """
    unit_of_work = books.unit_of_work
    if data.node_id is None:
        levels = unit_of_work.synchronisation.levels(data.channel or "", skus, as_of)
        return [levels.get(sku, 0) for sku in skus], [0] * len(skus)
    keys = [(data.node_id, sku) for sku in skus]
    moved = unit_of_work.stock.moved_since(keys, as_of)
    positions = [books.positions.get(key, [0, 0, 0]) for key in keys]
    held = [position[0] - moved.get(key, 0) for key, position in zip(keys, positions, strict=True)]
    return held, [position[1] + position[2] for position in positions]


def _is_held(comparison: Comparison, unit_of_work: UnitOfWork) -> bool:
    """Hold a snapshot that looks like a broken feed whole, unless a person has released it."""
    if not is_mass_drop(comparison.compared, comparison.policy):
        return False
    data = comparison.data
    key = f"{data.system}/{comparison.where}/{data.document_number}"
    if unit_of_work.synchronisation.released(CaseType.SNAPSHOT_MASS_DROP, [key]):
        return False
    compared = comparison.compared
    held = compared["held_quantity"] > 0
    zeroed = int((held & (compared["stated_quantity_each"] <= 0)).sum())
    reason = f"{zeroed} of {int(held.sum())} SKUs in stock are said to be gone"
    case = Case(CaseType.SNAPSHOT_MASS_DROP, key, reason, comparison.about())
    unit_of_work.open_cases([case])
    condition = f"case:{identify_text('case', case.case_type, case.business_key)}"
    unit_of_work.inbox.park(comparison.event, "mass_drop", condition)
    return True


def _record(comparisons: Sequence[Comparison], books: Books) -> None:
    """Keep every line that was compared, and its drift by reason."""
    rows = FactRows(BELIEFS)
    for comparison in comparisons:
        data = comparison.data
        compared: Iterable[Any] = comparison.compared.itertuples(index=False)
        rows["inventory_snapshot"] += [
            (
                comparison.snapshot_id,
                data.system,
                data.node_id,
                data.channel,
                data.document_number,
                line.sku,
                "case" if line.is_case else "each",
                line.units_per_case or None,
                line.stated_quantity_each,
                line.held_quantity,
                line.drift_quantity,
                comparison.watermark,
                comparison.as_of,
            )
            for line in compared
        ]
        coded: Iterable[Any] = comparison.coded.itertuples(index=False)
        for sku, reason, quantity in coded:
            terms = books.products[sku]
            value = quantity * terms.standard_cost
            rows["inventory_drift_reason"].append(
                (comparison.snapshot_id, sku, 1, reason, quantity, value, terms.currency_code,
                 comparison.as_of)
            )  # fmt: skip
    rows.flush(books.unit_of_work)
