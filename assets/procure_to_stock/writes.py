"""What one batch of this flow will store: collected in memory, written as sets at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from assets.flow_writes import FlowWrites
from assets.ports import (
    About,
    CaseType,
    Command,
    Hold,
    InboxEvent,
    LineVersion,
    OrderLineView,
    Scope,
    UnitOfWork,
)
from assets.procure_to_stock.policy import ProcurePolicy, procure_policy

OWNER = "accounts_payable"

COLUMNS = {
    "purchase_order_placed": (
        "purchase_order_id",
        "version",
        "supplier_id",
        "node_id",
        "legal_entity",
        "brand",
        "region",
        "channel",
        "correlation_id",
        "currency_code",
        "status",
        "approved_by",
        "is_receipt_expected",
        "line_count",
        "goods_amount",
        "freight_amount",
        "invoice_currency_code",
        "exchange_rate",
        "value_limit",
        "ends_at",
        "requisition_id",
        "occurred_at",
    ),
    "purchase_order_terms": (
        "purchase_order_id",
        "version",
        "purchase_order_line_id",
        "sku",
        "ordered_quantity",
        "unit_price",
        "is_price_estimated",
        "due_at",
    ),
    "supplier_check": (
        "check_id",
        "supplier_id",
        "check_code",
        "status",
        "decided_by",
        "occurred_at",
    ),
    "requisition_decided": (
        "requisition_id",
        "decision",
        "decided_by",
        "total_amount",
        "occurred_at",
    ),
    "purchase_order_acknowledged": (
        "acknowledgement_id",
        "purchase_order_id",
        "purchase_order_line_id",
        "document_number",
        "status",
        "quantity",
        "promised_at",
        "occurred_at",
    ),
    "goods_despatched": (
        "despatch_id",
        "line_number",
        "document_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "supplier_id",
        "node_id",
        "sku",
        "quantity",
        "expected_at",
        "occurred_at",
    ),
    "receiving_slot": (
        "despatch_id",
        "purchase_order_id",
        "supplier_id",
        "node_id",
        "dock_number",
        "starts_at",
        "ends_at",
        "unit_count",
        "line_count",
        "labour_minutes",
    ),
    "goods_received": (
        "receipt_id",
        "line_number",
        "document_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "delivered_quantity",
        "rejected_quantity",
        "held_quantity",
        "backordered_quantity",
        "rejection_reason",
        "unit_price",
        "currency_code",
        "occurred_at",
    ),
    "goods_inspected": (
        "inspection_id",
        "line_number",
        "document_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "passed_quantity",
        "rejected_quantity",
        "rejection_reason",
        "occurred_at",
    ),
    "goods_put_away": (
        "put_away_id",
        "line_number",
        "document_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "quantity",
        "location_code",
        "occurred_at",
    ),
    "supplier_invoice_received": (
        "invoice_id",
        "invoice_number",
        "normalised_number",
        "kind",
        "supplier_id",
        "group_id",
        "purchase_order_id",
        "legal_entity",
        "brand",
        "region",
        "channel",
        "correlation_id",
        "currency_code",
        "goods_amount",
        "freight_amount",
        "tax_amount",
        "total_amount",
        "exchange_rate",
        "policy_hash",
        "duplicate_of",
        "occurred_at",
    ),
    "clearing_entry": (
        "clearing_id",
        "purchase_order_id",
        "purchase_order_line_id",
        "quantity",
        "unit_price",
        "currency_code",
        "decided_by",
        "occurred_at",
    ),
    "supplier_invoice_line": (
        "invoice_id",
        "line_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "quantity",
        "quantity_before",
        "unit_price",
        "exchange_rate",
        "order_unit_price",
        "is_price_estimated",
        "is_before_receipt",
        "occurred_at",
    ),
}


class Writes(FlowWrites):
    """Facts by table, lines of orders as they are now, and what goes out.

    Attributes:
        lines: Every order line that this batch looked at, by its key; what changed is stored.
        of_order: The same by order and the ERP's number of the line.
        holds: How holds are from now on.
    """

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        super().__init__(unit_of_work, COLUMNS)
        self.lines: dict[tuple[str, str], OrderLineView] = {}
        self.of_order: dict[str, dict[str, OrderLineView]] = {}
        self.holds: list[Hold] = []
        self._versions: dict[str, dict[str, list[LineVersion]]] = {}
        #: Lines as they are stored.
        self._stored: dict[tuple[str, str], OrderLineView] = {}
        self._policies: dict[tuple[str, str], ProcurePolicy] = {}

    def policy(self, scope: Scope) -> ProcurePolicy:
        """This flow's policy in a region and brand."""
        key = (scope.region, scope.brand)
        if key not in self._policies:
            values = self.unit_of_work.policies.resolve("procure_to_stock", *key)
            self._policies[key] = procure_policy(values)
        return self._policies[key]

    def load(self, purchase_order_ids: Iterable[str]) -> None:
        """Have all lines of these orders at hand, locked."""
        wanted = {one for one in purchase_order_ids if one not in self.of_order}
        for line in self.unit_of_work.purchasing.order_lines(wanted):
            self._stored[line.key] = replace(line)
            self.hold_line(line)

    def know_versions(self, purchase_order_ids: Iterable[str | None]) -> None:
        """Have at hand what each version said of lines whose price is not settled yet."""
        unsettled = {
            order
            for order in set(purchase_order_ids) - self._versions.keys()
            if order is not None
            and any(
                line.version > 1 and line.posted_at is None
                for line in self.of_order[order].values()
            )
        }
        if unsettled:
            self._versions |= self.unit_of_work.purchasing.line_versions(unsettled)

    def settle_price(self, line: OrderLineView, at: datetime) -> None:
        """From the first fact on, a line has the price of the version in force at that instant.

        A later version may have come in the same batch, which is worked through kind by kind.
        """
        terms = self.terms_in_force(line, at)
        if line.posted_at is None:
            line.posted_at = at
            line.unit_price, line.currency_code = terms.unit_price, terms.currency_code
            line.is_price_estimated = terms.is_price_estimated
            line.invoice_currency_code = terms.invoice_currency_code
            line.exchange_rate = terms.exchange_rate

    def terms_in_force(self, line: OrderLineView, at: datetime) -> LineVersion:
        """What was agreed about a line's price when a document of it was written."""
        versions = self._versions.get(line.purchase_order_id, {}).get(
            line.purchase_order_line_id, ()
        )
        if line.posted_at is None and versions:
            return ([one for one in versions if one.placed_at <= at] or versions[:1])[-1]
        return LineVersion(
            line.posted_at or at,
            line.unit_price,
            line.currency_code,
            line.is_price_estimated,
            line.invoice_currency_code,
            line.exchange_rate,
        )

    def hold_line(self, line: OrderLineView) -> None:
        """Keep a line at hand, and store it at the end."""
        self.lines[line.key] = line
        of_order = self.of_order.setdefault(line.purchase_order_id, {})
        of_order[line.purchase_order_line_id] = line

    def send(
        self, command_type: str, key: str, event: InboxEvent, occasion: str, **said: object
    ) -> None:
        """Tell the ERP something of an invoice or a supplier; of each it is told in order."""
        self.tell(
            Command(
                partner="erp",
                command_type=command_type,
                business_key=key,
                scope=event,
                payload={"occasion": occasion, **said},
                owner=OWNER,
                caused_at=event.occurred_at,
                discriminator=occasion,
            )
        )

    def refuse(self, event: InboxEvent, case_type: CaseType, reason: str) -> None:
        """Quarantine an event that cannot be so, and open a case for it."""
        self.unit_of_work.inbox.quarantine(event, case_type, reason)
        self.open_case(case_type, f"{event.source}/{event.event_id}", reason, About.scope(event))

    def put_state(self) -> None:
        """Where lines of orders stand, those that changed, and how holds are."""
        changed = [line for key, line in self.lines.items() if self._stored.get(key) != line]
        self.unit_of_work.purchasing.put_order_lines(changed)
        self._stored.update((line.key, replace(line)) for line in changed)
        self.unit_of_work.purchasing.put_holds(self.holds)
        self.holds.clear()
