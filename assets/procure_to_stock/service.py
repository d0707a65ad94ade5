"""The one place where this flow's transaction is filled: documents in, all they cause out."""

from __future__ import annotations

from collections.abc import Callable

from assets.contracts import purchasing
from assets.ports import InboxEvent, UnitOfWork
from assets.procure_to_stock.announcing import acknowledge, despatch
from assets.procure_to_stock.clearing import take_clearings
from assets.procure_to_stock.inspecting import inspect, put_away
from assets.procure_to_stock.invoicing import take_credit_notes, take_invoices
from assets.procure_to_stock.onboarding import apply, take_checks
from assets.procure_to_stock.ordering import place
from assets.procure_to_stock.receiving import receive
from assets.procure_to_stock.releasing import take_releases
from assets.procure_to_stock.requisitioning import set_terms, take_requisitions
from assets.procure_to_stock.suppliers import register, take_bank_decisions
from assets.procure_to_stock.writes import Writes

CONSUMER = "procure_to_stock"


def _is_of(kind: type) -> Callable[[InboxEvent], bool]:
    return lambda event: isinstance(event.data, kind)


def _is_invoice(kind: str) -> Callable[[InboxEvent], bool]:
    return lambda event: (
        isinstance(event.data, purchasing.SupplierInvoiceReceived) and event.data.kind == kind
    )


#: What applies each kind of document, in the order in which a batch is worked through.
STEPS: tuple[tuple[Callable[[InboxEvent], bool], Callable[[list[InboxEvent], Writes], None]], ...]
STEPS = (
    (_is_of(purchasing.SupplierRegistered), register),
    (_is_of(purchasing.SupplierApplied), apply),
    (_is_of(purchasing.SupplierCheckDecided), take_checks),
    (_is_of(purchasing.SupplierBankDecided), take_bank_decisions),
    (_is_of(purchasing.SupplierTermsSet), set_terms),
    (_is_of(purchasing.RequisitionDecided), take_requisitions),
    (_is_of(purchasing.PurchaseOrderPlaced), place),
    (_is_of(purchasing.PurchaseOrderAcknowledged), acknowledge),
    (_is_of(purchasing.GoodsDespatched), despatch),
    (_is_of(purchasing.GoodsReceived), receive),
    (_is_of(purchasing.GoodsInspected), inspect),
    (_is_of(purchasing.GoodsPutAway), put_away),
    (_is_invoice("invoice"), take_invoices),
    (_is_invoice("credit_note"), take_credit_notes),
    (_is_of(purchasing.ClearingDecided), take_clearings),
    (_is_of(purchasing.InvoiceReleaseDecided), take_releases),
)


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Apply documents of this flow, given in order of (phase, occurred_at, source, event_id).

    A document whose supplier or order is not known yet is parked until it comes. All the others are
    applied, together or not at all. Each step reads what the one before it wrote.
    """
    writes = Writes(unit_of_work)
    for is_meant, step in STEPS:
        batch = [event for event in events if is_meant(event)]
        if batch:
            step(batch, writes)
            writes.flush()
