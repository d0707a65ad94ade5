"""Bundles as the ERP defines them: which definitions are possible, and what is in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assets.ports import About, Case, CaseType, Components, InboxEvent, ProductTerms, UnitOfWork


def possible(
    events: list[InboxEvent], held: Mapping[str, ProductTerms], unit_of_work: UnitOfWork
) -> list[InboxEvent]:
    """Those of these products that contradict nothing known; a person is asked of the others.

    Args:
        events: Registrations, in the order in which they happened.
        held: Terms of those of their SKUs that are known.
        unit_of_work: The transaction.
    """
    bundled = [event for event in events if event.data.components]
    if not bundled and not any(terms.is_bundle for terms in held.values()):
        return events
    books = _Books(bundled, held, unit_of_work)
    accepted = []
    for event in events:
        wrong = books.what_is_wrong(event)
        if wrong is None:
            books.take(event)
            accepted.append(event)
        else:
            unit_of_work.inbox.quarantine(event, *wrong)
            unit_of_work.open_cases([Case(wrong[0], event.data.sku, wrong[1], About.scope(event))])
    return accepted


class _Books:
    """What is a bundle, and of what, while one registration after the other is taken."""

    def __init__(
        self,
        bundled: list[InboxEvent],
        held: Mapping[str, ProductTerms],
        unit_of_work: UnitOfWork,
    ) -> None:
        master_data = unit_of_work.master_data
        skus = {event.data.sku for event in bundled}
        parts = {part.sku for event in bundled for part in event.data.components}
        known = {**held, **(master_data.products(parts) if parts else {})}
        self._is_bundle = {sku: terms.is_bundle for sku, terms in known.items()}
        fresh = {sku for sku in skus if not self._is_bundle.get(sku)}
        self._content: dict[str, set[str]] = {}
        self._stocked: set[str] = set()
        if fresh:
            self._content = {
                bundle: {sku for sku, _ in components}
                for bundle, components in master_data.bundles_with(fresh).items()
            }
            self._stocked = {held.sku for held in unit_of_work.stock.lock_positions(fresh)}

    def what_is_wrong(self, event: InboxEvent) -> tuple[CaseType, str] | None:
        """Why a registration cannot be taken, as the type of its case and a sentence."""
        sku, components = event.data.sku, event.data.components
        if not components:
            if self._is_bundle.get(sku):
                return CaseType.BUNDLE_WITHOUT_COMPONENTS, f"{sku} is a bundle and stays one"
            return None
        nested = next((part.sku for part in components if self._is_bundle.get(part.sku)), None)
        if nested is not None:
            return CaseType.BUNDLE_OF_BUNDLES, f"{nested} in {sku} is a bundle itself"
        around = next((name for name, parts in self._content.items() if sku in parts), None)
        if around is not None:
            return CaseType.BUNDLE_OF_BUNDLES, f"{sku} is in the bundle {around}"
        if sku in self._stocked:
            return (
                CaseType.BUNDLE_WITH_STOCK,
                f"{sku} was stocked itself; of a bundle only its parts are",
            )
        return None

    def take(self, event: InboxEvent) -> None:
        """Hold what a registration says."""
        if event.data.components:
            self._is_bundle[event.data.sku] = True
            self._content[event.data.sku] = {part.sku for part in event.data.components}
        else:
            self._is_bundle.setdefault(event.data.sku, False)


def put_bundles(events: Iterable[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Keep what is in each bundle; one that is told again as it was changes nothing."""
    told: dict[str, Components] = {
        event.data.sku: [(part.sku, part.quantity) for part in event.data.components]
        for event in events
        if event.data.components
    }
    if not told:
        return
    held = unit_of_work.master_data.components(told)
    changed = {sku: parts for sku, parts in told.items() if held.get(sku) != parts}
    if changed:
        unit_of_work.master_data.put_components(changed)
