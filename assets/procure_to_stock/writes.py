"""What one batch of this flow will store: collected in memory, written as sets at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from assets.decisions.process_log import ProcessLog
from assets.facts import FactRows
from assets.finance.journal import Journal
from assets.ports import (
    About,
    Case,
    CaseType,
    Command,
    Hold,
    InboxEvent,
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
        "occurred_at",
    ),
    "purchase_order_terms": (
        "purchase_order_id",
        "version",
        "purchase_order_line_id",
        "sku",
        "ordered_quantity",
        "unit_price",
        "due_at",
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
        "rejection_reason",
        "unit_price",
        "currency_code",
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
        "order_unit_price",
        "occurred_at",
    ),
}


class Writes:
    """Facts by table, lines of orders as they are now, and what goes out.

    Attributes:
        lines: Every order line that this batch touched, by its key.
        of_order: The same by order and the ERP's number of the line.
        holds: How holds are from now on.
    """

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self.unit_of_work = unit_of_work
        self.rows = FactRows(COLUMNS)
        self.lines: dict[tuple[str, str], OrderLineView] = {}
        self.of_order: dict[str, dict[str, OrderLineView]] = {}
        self.holds: list[Hold] = []
        self.journal = Journal(unit_of_work.policies)
        self.process = ProcessLog()
        self._commands: list[Command] = []
        self._cases: list[Case] = []
        self._settled: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._policies: dict[tuple[str, str], ProcurePolicy] = {}

    @cached_property
    def nodes(self) -> dict[str, tuple[str, str]]:
        """Kind and zone of each active node."""
        return self.unit_of_work.master_data.nodes()

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
            self.hold_line(line)

    def hold_line(self, line: OrderLineView) -> None:
        """Keep a line at hand, and store it at the end."""
        self.lines[line.key] = line
        of_order = self.of_order.setdefault(line.purchase_order_id, {})
        of_order[line.purchase_order_line_id] = line

    def send(
        self, command_type: str, key: str, event: InboxEvent, occasion: str, **said: object
    ) -> None:
        """Tell the ERP something of an invoice or a supplier; of each it is told in order."""
        self._commands.append(
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

    def open_case(self, case_type: CaseType, business_key: str, reason: str, about: About) -> None:
        """Ask a person; whom, routing knows."""
        self._cases.append(Case(case_type, business_key, reason, about))

    def close_case(self, case_type: CaseType, business_key: str, resolution: str) -> None:
        """End the case of this type and key, where one is open: its cause is gone."""
        self._settled[case_type, resolution].append(business_key)

    def refuse(self, event: InboxEvent, case_type: CaseType, reason: str) -> None:
        """Quarantine an event that cannot be so, and open a case for it."""
        self.unit_of_work.inbox.quarantine(event, case_type, reason)
        self.open_case(case_type, f"{event.source}/{event.event_id}", reason, About.scope(event))

    def flush(self) -> None:
        """Write everything collected, as one statement a table."""
        unit_of_work = self.unit_of_work
        self.rows.flush(unit_of_work)
        unit_of_work.purchasing.put_order_lines(list(self.lines.values()))
        unit_of_work.purchasing.put_holds(self.holds)
        self.holds.clear()
        self.journal.flush(unit_of_work)
        self.process.flush(unit_of_work)
        unit_of_work.send(self._commands)
        unit_of_work.open_cases(self._cases)
        for (case_type, resolution), business_keys in self._settled.items():
            unit_of_work.close_cases(case_type, business_keys, resolution)
        self._commands.clear()
        self._cases.clear()
        self._settled.clear()
