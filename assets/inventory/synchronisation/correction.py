"""What our own books follow of drift: booked where it is small, proposed where a person decides.

The word of the strongest system that spoke of a SKU lately moves a position; what a weaker one
believes otherwise is the weaker one's to put right. A correction is a document like any other: its
movement and its journal entry are written together, and a movement of before the snapshot that
comes in later takes it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from assets.contracts.inventory import AdjustedLine, InventoryAdjusted
from assets.facts import FactRows
from assets.inventory.ledger import BELIEFS
from assets.inventory.service import Books, apply, flush, open_books, reference
from assets.inventory.synchronisation.comparison import Comparison
from assets.inventory.synchronisation.policy import SynchronisationPolicy
from assets.inventory.synchronisation.proposing import ask
from assets.inventory.synchronisation.rules import CORRECTED, propose
from assets.inventory.synchronisation.rules import revise as code_again
from assets.ports import CaseType, Command, InboxEvent, UnitOfWork

SOURCE = "reconciliation"
OWNER = "stock_control"


def correct(comparisons: Sequence[Comparison], books: Books) -> dict[tuple[str, str], str]:
    """Book what is small and propose what is not.

    Returns:
        Whether each (snapshot id, SKU) was ``booked`` or ``proposed``, or ``rejected`` where a
        person has said no to the same units before; the others were none of these.
    """
    rows = FactRows(BELIEFS)
    done: dict[tuple[str, str], str] = {}
    spoken: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for comparison in comparisons:
        node_id, system = comparison.data.node_id, comparison.data.system
        if node_id is None:
            _tell_again(comparison, books.unit_of_work)
            continue
        coded = comparison.coded
        coded = coded[~coded["sku"].isin(_spoken_for(comparison, spoken[node_id], books))]
        spoken[node_id][system] |= set(comparison.compared["sku"])
        if system not in comparison.policy.authority:
            continue
        skus = coded["sku"].unique()
        terms = [books.products[sku] for sku in skus]
        costs = pd.DataFrame(
            {
                "sku": skus,
                "standard_cost": [one.standard_cost for one in terms],
                "currency_code": [one.currency_code for one in terms],
            }
        )
        proposed = propose(coded, costs, comparison.policy)
        for sku, status in zip(proposed["sku"], proposed["status"], strict=True):
            done[comparison.snapshot_id, sku] = status
        _book(comparison, proposed[proposed["status"] == "booked"], books, rows)
        large = proposed[proposed["status"] == "proposed"]
        done |= ask(comparison, large, books, rows)
    rows.flush(books.unit_of_work)
    return done


def _spoken_for(comparison: Comparison, spoken: dict[str, set[str]], books: Books) -> set[str]:
    """SKUs of the node of which a stronger system has spoken lately, in this batch or before."""
    data, policy = comparison.data, comparison.policy
    if data.system not in policy.authority or data.node_id is None:
        return set()
    stronger = policy.authority[: policy.authority.index(data.system)]
    if not stronger:
        return set()
    since = comparison.as_of - timedelta(hours=policy.authority_hours)
    known = books.unit_of_work.synchronisation.spoken_for(stronger, data.node_id, since)
    return known.union(*(spoken[system] for system in stronger))


def _book(comparison: Comparison, small: pd.DataFrame, books: Books, rows: FactRows) -> None:
    if small.empty:
        return
    units = dict(zip(small["sku"], small["quantity"].tolist(), strict=True))
    document = document_of(
        comparison.event,
        str(comparison.data.node_id),
        comparison.snapshot_id,
        comparison.as_of,
        units,
    )
    booked = post(document, comparison.data.system, comparison.policy, books)
    rows["stock_correction"] += steps(comparison.snapshot_id, 1, "booked", document, booked, books)


def post(
    document: InboxEvent, system: str, policy: SynchronisationPolicy, books: Books
) -> dict[str, int]:
    """Enter a document and tell whoever hears of stock from us, but not whose word it was.

    Returns:
        What of each SKU could be booked.
    """
    booked = _enter(document, books)
    hearing = [partner for partner in policy.told_by_us if partner != system]
    _tell_others(hearing, document, booked, books.unit_of_work)
    return booked


def steps(
    snapshot_id: str,
    revision: int,
    status: str,
    document: InboxEvent,
    booked: dict[str, int],
    books: Books,
) -> list[tuple[Any, ...]]:
    """Rows of ``stock_correction`` that say what a document has booked."""
    return [
        (
            snapshot_id,
            sku,
            revision,
            document.data.node_id,
            status,
            quantity,
            quantity * books.products[sku].standard_cost,
            books.products[sku].currency_code,
            reference(document),
            document.occurred_at,
        )
        for sku, quantity in booked.items()
    ]


def document_of(
    event: InboxEvent, node_id: str, number: str, as_of: datetime, units: dict[str, int]
) -> InboxEvent:
    """A stock document of our own, in the name of whom the snapshot was for."""
    lines = [
        AdjustedLine(line_number=number_of, sku=sku, quantity=quantity)
        for number_of, (sku, quantity) in enumerate(units.items(), start=1)
    ]
    data = InventoryAdjusted(document_number=number, node_id=node_id, reason=SOURCE, lines=lines)
    return replace(event, source=SOURCE, occurred_at=as_of, data=data)


def _enter(document: InboxEvent, books: Books) -> dict[str, int]:
    """Enter a document; gives what of each SKU could be booked."""
    movements = books.rows["stock_movement"]
    before = len(movements)
    apply(document, books)
    return {sku: quantity for _, sku, _, quantity, *_ in movements[before:]}


def _tell_others(
    partners: Iterable[str], document: InboxEvent, booked: dict[str, int], unit_of_work: UnitOfWork
) -> None:
    """Whoever hears of stock from us hears of corrections too."""
    if not booked:
        return
    payload = {
        "document_number": document.data.document_number,
        "node_id": document.data.node_id,
        "reason": SOURCE,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in booked.items()],
    }
    unit_of_work.send(
        Command(
            partner=partner,
            command_type="stock_adjustment.post",
            business_key=reference(document),
            scope=document,
            payload=payload,
            owner=OWNER,
            caused_at=document.occurred_at,
        )
        for partner in partners
    )


def _tell_again(comparison: Comparison, unit_of_work: UnitOfWork) -> None:
    """A channel that shows another level than it was told is told again; what is late will come."""
    coded = comparison.coded
    skus = sorted(set(coded.loc[coded["reason_code"] != "late", "sku"]))
    if skus:
        unit_of_work.stock.forget_published(comparison.where, skus)


def revise(
    latest: Mapping[str, InboxEvent],
    policies: Mapping[tuple[str, str], SynchronisationPolicy],
    unit_of_work: UnitOfWork,
) -> None:
    """Code drift of earlier snapshots again where movements of before them have come in since.

    Units that were booked meanwhile are taken back: now the movement itself has booked them. Later
    snapshots knew of what was booked, so they are looked at when it is taken back, not before.

    Args:
        latest: A snapshot that is now compared, by node; only its node's drift is looked at again.
        policies: By region and brand, how far back, and who hears of what is taken back.
        unit_of_work: The transaction.
    """
    by_node = {node: policies[event.region, event.brand] for node, event in latest.items()}
    now = unit_of_work.effective_at
    since = {node: now - timedelta(days=by_node[node].evidence_days) for node in sorted(latest)}
    while latest:
        before, moved = unit_of_work.synchronisation.arrived_late(since)
        coded = _coded_again(before, moved)
        if coded.empty:
            return
        unit_of_work.append(
            "inventory_drift_reason",
            {
                "snapshot_id": coded["snapshot_id"].tolist(),
                "sku": coded["sku"].tolist(),
                "revision": (coded["revision"] + 1).tolist(),
                "reason_code": coded["reason_code"].tolist(),
                "quantity": coded["quantity"].tolist(),
                "amount": (coded["quantity"] * coded["cost"]).tolist(),
                "currency_code": coded["currency_code"].tolist(),
                "occurred_at": coded["as_of"].dt.to_pydatetime().tolist(),
            },
        )
        if not _take_back(coded, latest, by_node, unit_of_work):
            return


def _coded_again(
    before: Sequence[tuple[Any, ...]], moved: Sequence[tuple[str, str, int]]
) -> pd.DataFrame:
    """Lines that are coded otherwise now, of each (node, SKU) until the first that is taken back.

    Returns:
        ``snapshot_id``, ``sku``, ``reason_code`` and ``quantity``, what is known of the line, and
        of it ``still_quantity``, which a reason of ours stands behind, ``is_wrong``, whether more
        than that is booked, and ``is_last``, whether no later snapshot of its system differs.
    """
    names = ["snapshot_id", "sku", "reason_code", "quantity", "revision", "cost", "currency_code",
             "as_of", "system", "node_id", "booked_quantity", "last_step"]  # fmt: skip
    lines = pd.DataFrame(before, columns=names)
    arrived = pd.DataFrame(moved, columns=["snapshot_id", "sku", "quantity"])
    key, place = ["snapshot_id", "sku"], ["node_id", "sku"]
    if lines.empty:
        return lines
    again = code_again(lines[[*key, "reason_code", "quantity"]], arrived)
    newest = lines.groupby(["system", *place])["as_of"].transform("max")
    facts = lines.assign(is_last=lines["as_of"] == newest).drop_duplicates(key)
    still = again["quantity"].where(again["reason_code"].isin(CORRECTED), 0)
    again = again.assign(still_quantity=still.groupby([again[k] for k in key]).transform("sum"))
    coded = again.merge(facts.drop(columns=["reason_code", "quantity"]), on=key)
    is_wrong = coded["booked_quantity"].abs() > coded["still_quantity"].abs()
    coded = coded.assign(is_wrong=is_wrong)
    order = ["as_of", "is_wrong", "snapshot_id"]
    oldest: pd.DataFrame = coded.drop_duplicates(key).sort_values(
        order, ascending=[True, False, True]
    )
    wrong = oldest["is_wrong"].astype("int64")
    former = wrong.groupby([oldest[k] for k in place]).cumsum() - wrong
    return coded.merge(oldest.loc[former == 0, key], on=key)


def _take_back(
    coded: pd.DataFrame,
    latest: Mapping[str, InboxEvent],
    policies: Mapping[str, SynchronisationPolicy],
    unit_of_work: UnitOfWork,
) -> bool:
    """Reverse the booked units that no reason of ours stands behind any more.

    Args:
        coded: What `_coded_again` gave.
        latest: In whose name, by node.
        policies: By node.
        unit_of_work: The transaction.

    Returns:
        Whether there were any.
    """
    lines = coded.drop_duplicates(["snapshot_id", "sku"])
    _withdraw(lines[lines["is_last"]], unit_of_work)
    _close_explained(lines[(lines["still_quantity"] == 0) & lines["is_last"]], unit_of_work)
    wrong = lines[lines["is_wrong"]]
    if wrong.empty:
        return False
    books = open_books(wrong["sku"], wrong["as_of"].min().to_pydatetime(), unit_of_work)
    rows = FactRows(BELIEFS)
    taken_back: Iterable[Any] = wrong.itertuples(index=False)
    for line in taken_back:
        revision = int(line.last_step) + 1
        document = document_of(
            latest[line.node_id],
            line.node_id,
            f"{line.snapshot_id}/{line.sku}/{revision}",
            line.as_of.to_pydatetime(),
            {line.sku: int(line.still_quantity - line.booked_quantity)},
        )
        booked = post(document, line.system, policies[line.node_id], books)
        rows["stock_correction"] += steps(
            line.snapshot_id, revision, "reversed", document, booked, books
        )
    rows.flush(unit_of_work)
    flush(books)
    return True


def _withdraw(coded: pd.DataFrame, unit_of_work: UnitOfWork) -> None:
    """What was proposed is of other units now: the next snapshot asks about what is left."""
    named = zip(coded["system"], coded["node_id"], coded["sku"], strict=True)
    unit_of_work.withdraw_approvals(
        CaseType.STOCK_CORRECTION,
        [f"{system}/{node}/{sku}" for system, node, sku in named],
        "a movement that came late explains some of it",
    )


def _close_explained(explained: pd.DataFrame, unit_of_work: UnitOfWork) -> None:
    """Nobody has to decide any more about what a movement explains."""
    named = zip(explained["system"], explained["node_id"], explained["sku"], strict=True)
    unit_of_work.close_cases(
        CaseType.STOCK_CORRECTION,
        [f"{system}/{node}/{sku}" for system, node, sku in named],
        "a movement that came late explains it",
    )
