"""Purchase orders, what came of them, and what suppliers charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from assets.ports.columns import Columns


@dataclass(slots=True)
class OrderLineView:
    """A line of a purchase order as it stands; quantities in each, money in ten-thousandths.

    Attributes:
        version: Of the order that the line's terms are of.
        posted_at: When goods or an invoice first came of it; from then on its price stays.
        cleared_quantity: Units that were open and that nothing more is expected of.
        planned_freight_amount: Of the order's freight, the line's share by quantity.
        credited_quantity: Units that the supplier has taken back of what was invoiced.
        held_quantity: Of the delivered units, those that wait for inspection.
        put_away_quantity: Of the accepted units, those that lie where pickers find them.
        backordered_quantity: What is missing since goods came, and is still waited for.
        value_limit: What all invoices of a blanket order may come to, until ``ends_at``.
        is_price_estimated: Whether its price is a guess of ours.
        invoice_currency_code: In which it may be charged too, at ``exchange_rate``: what one unit
            of it is worth in the line's own currency, in hundred-millionths.
    """

    purchase_order_id: str
    purchase_order_line_id: str
    version: int
    supplier_id: str
    node_id: str
    sku: str
    currency_code: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str
    ordered_quantity: int
    unit_price: int
    due_at: datetime
    is_receipt_expected: bool
    is_closed: bool
    delivered_quantity: int = 0
    rejected_quantity: int = 0
    invoiced_quantity: int = 0
    invoiced_amount: int = 0
    credited_quantity: int = 0
    cleared_quantity: int = 0
    planned_freight_amount: int = 0
    held_quantity: int = 0
    put_away_quantity: int = 0
    backordered_quantity: int = 0
    is_price_estimated: bool = False
    invoice_currency_code: str | None = None
    exchange_rate: int | None = None
    value_limit: int | None = None
    ends_at: datetime | None = None
    posted_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(purchase_order_id, purchase_order_line_id)."""
        return self.purchase_order_id, self.purchase_order_line_id

    @property
    def accepted_quantity(self) -> int:
        """Units that were received, not rejected, and wait for no inspection."""
        return self.delivered_quantity - self.rejected_quantity - self.held_quantity

    @property
    def charged_amount(self) -> int:
        """What was invoiced of it, and not taken back."""
        return self.invoiced_amount - self.credited_quantity * self.unit_price

    @property
    def is_awaited(self) -> bool:
        """Whether a receipt is expected and nothing has come."""
        return self.is_receipt_expected and not self.delivered_quantity

    @property
    def open_quantity(self) -> int:
        """Units that clearing is open for: above zero without an invoice, below without goods."""
        charged = self.invoiced_quantity - self.credited_quantity
        return self.accepted_quantity - charged - self.cleared_quantity

    @property
    def payable_quantity(self) -> int:
        """Units that may be invoiced, those taken back by a credit note on top."""
        due = self.accepted_quantity if self.is_receipt_expected else self.ordered_quantity
        return due + self.credited_quantity


class LineVersion(NamedTuple):
    """What one version of an order said of a line; money in ten-thousandths."""

    placed_at: datetime
    unit_price: int
    currency_code: str
    is_price_estimated: bool
    invoice_currency_code: str | None
    exchange_rate: int | None


class SupplierView(NamedTuple):
    """A supplier, and the group of those who share a tax id or bank account with it.

    Attributes:
        bank_account: As it was last told.
        confirmed_bank_account: To which it is paid.
        bank_status: ``confirmed``, or ``unconfirmed`` or ``denied`` while the two differ.
        order_channel: ``erp`` where the ERP sends it orders; else how we do.
    """

    supplier_id: str
    supplier_name: str
    currency_code: str
    group_id: str
    bank_account: str | None
    confirmed_bank_account: str | None
    bank_status: str
    occurred_at: datetime
    order_channel: str = "erp"


@dataclass(slots=True)
class ApplicantView:
    """Somebody who wants to sell to us, and how far they are checked.

    Attributes:
        identity_check: ``waiting``, ``passed`` or ``failed``, as are the other three.
        is_told: Whether the ERP was told to make a supplier of them.
    """

    supplier_id: str
    supplier_name: str
    currency_code: str
    country_code: str
    tax_id: str
    bank_account: str
    applied_by: str
    identity_check: str
    duplicate_check: str
    bank_check: str
    contract_check: str
    contract_reference: str | None
    is_told: bool
    occurred_at: datetime

    @property
    def has_passed(self) -> bool:
        """Whether every check is passed."""
        checks = (
            self.identity_check,
            self.duplicate_check,
            self.bank_check,
            self.contract_check,
        )
        return all(check == "passed" for check in checks)


class RequisitionLine(NamedTuple):
    """A line of what was proposed; the quantity in each, the price in ten-thousandths."""

    requisition_id: str
    supplier_id: str
    node_id: str
    sku: str
    order_quantity: int
    unit_price: int
    currency_code: str
    due_at: datetime


class InvoiceView(NamedTuple):
    """An invoice that was posted; the number is normalised, the amount in ten-thousandths."""

    invoice_id: str
    supplier_id: str
    group_id: str
    normalised_number: str
    kind: str
    purchase_order_id: str | None
    currency_code: str
    total_amount: int
    occurred_at: datetime


class InvoiceLineView(NamedTuple):
    """A posted line of an invoice; money in ten-thousandths."""

    invoice_id: str
    line_number: int
    invoice_number: str
    supplier_id: str
    purchase_order_id: str | None
    purchase_order_line_id: str | None
    quantity: int
    quantity_before: int
    unit_price: int
    order_unit_price: int
    is_before_receipt: bool
    currency_code: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str


@dataclass(slots=True)
class Hold:
    """Why a line of an invoice is not paid; one row a line and reason.

    Attributes:
        revision: 1, and one more with each change; every one of them stays.
        currency_code: Of ``value_difference``: the order's where an order's line is matched.
        status: ``held``; or no longer: ``cured`` by goods or a credit note, ``released`` by people.
            What is ``noted`` never was.
    """

    invoice_id: str
    line_number: int
    reason_code: str
    revision: int
    status: str
    quantity_difference: int
    value_difference: int
    currency_code: str
    purchase_order_id: str | None
    purchase_order_line_id: str | None
    decided_by: str | None
    occurred_at: datetime


class Purchasing(Protocol):
    """Purchase orders and invoices, within one transaction. What is read is locked."""

    def suppliers(self, supplier_ids: Iterable[str]) -> dict[str, SupplierView]:
        """Known suppliers, by id."""
        ...

    def put_suppliers(self, columns: Columns) -> None:
        """Insert suppliers, or replace them by id; whoever shares a key with them is regrouped."""
        ...

    def put_banks(self, banks: Sequence[tuple[str, str | None, str]]) -> None:
        """Write (supplier_id, confirmed account, status) of known suppliers."""
        ...

    def order_versions(self, purchase_order_ids: Iterable[str]) -> set[tuple[str, int]]:
        """(purchase_order_id, version) of what was placed of these orders."""
        ...

    def line_versions(
        self, purchase_order_ids: Iterable[str]
    ) -> dict[str, dict[str, list[LineVersion]]]:
        """What each version of these orders said of its lines, lowest first, by order and line."""
        ...

    def order_lines(self, purchase_order_ids: Iterable[str]) -> list[OrderLineView]:
        """All lines of these orders, by order and line."""
        ...

    def put_order_lines(self, lines: Sequence[OrderLineView]) -> None:
        """Insert lines, or replace what changes of them."""
        ...

    def everybody(self) -> list[tuple[str, str, str | None, str | None]]:
        """(supplier_id, name, tax id, account) of all suppliers and applicants."""
        ...

    def applicants(self, supplier_ids: Iterable[str]) -> dict[str, ApplicantView]:
        """Applicants by id, locked."""
        ...

    def put_applicants(self, applicants: Sequence[ApplicantView]) -> None:
        """Insert applicants, or replace them by id."""
        ...

    def put_terms(self, names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        """Insert what suppliers sell, or replace it by supplier and SKU unless it is newer."""
        ...

    def standings(self) -> dict[str, str]:
        """The last standing of each supplier that ever changed."""
        ...

    def put_forecast_errors(self, columns: Columns) -> None:
        """Insert what forecasts are off by, or replace it by region and SKU."""
        ...

    def put_levels(self, columns: Columns) -> None:
        """Insert what places and SKUs are held at, or replace it."""
        ...

    def requisition_lines(self, ids: Iterable[str]) -> dict[str, list[RequisitionLine]]:
        """What these requisitions are for, by requisition, in order of SKU."""
        ...

    def receiving_slots(
        self, node_ids: Iterable[str], since: datetime
    ) -> list[tuple[str, int, datetime, datetime]]:
        """(node_id, dock, start, end) of what is given out and ends after an instant.

        Nobody else gives out docks of these nodes meanwhile.
        """
        ...

    def invoices_like(self, invoices: Sequence[InvoiceView]) -> list[InvoiceView]:
        """Posted invoices and credit notes of the same group with the number or amount of one.

        The oldest first.
        """
        ...

    def invoice_lines(self, invoice_ids: Iterable[str]) -> list[InvoiceLineView]:
        """All posted lines of these invoices, by invoice and line."""
        ...

    def holds_of_invoices(self, invoice_ids: Iterable[str]) -> list[Hold]:
        """All holds of these invoices, ended ones too."""
        ...

    def held_for(self, keys: Iterable[tuple[str, str]], reason_code: str) -> list[Hold]:
        """What is held for a reason of these (purchase_order_id, purchase_order_line_id)."""
        ...

    def held_of_suppliers(self, supplier_ids: Iterable[str], reason_code: str) -> list[Hold]:
        """What is held for a reason of these suppliers' invoices."""
        ...

    def put_holds(self, holds: Sequence[Hold]) -> None:
        """Write how these holds are now, and keep that they became so."""
        ...
