"""Purchase orders, receipts and invoices of one transaction, by sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from assets.facts import in_columns
from assets.ports import (
    ApplicantView,
    Columns,
    Hold,
    InvoiceLineView,
    InvoiceView,
    LineVersion,
    OrderLineView,
    RequisitionLine,
    SupplierView,
)
from resources.operational_store.bulk import copy_into, execute, fetch, upsert

_LINE = (
    "purchase_order_id",
    "purchase_order_line_id",
    "version",
    "supplier_id",
    "node_id",
    "sku",
    "currency_code",
    "legal_entity",
    "brand",
    "region",
    "channel",
    "correlation_id",
    "ordered_quantity",
    "unit_price",
    "due_at",
    "is_receipt_expected",
    "is_closed",
    "delivered_quantity",
    "rejected_quantity",
    "invoiced_quantity",
    "invoiced_amount",
    "credited_quantity",
    "cleared_quantity",
    "planned_freight_amount",
    "held_quantity",
    "put_away_quantity",
    "backordered_quantity",
    "is_price_estimated",
    "invoice_currency_code",
    "exchange_rate",
    "value_limit",
    "ends_at",
    "posted_at",
)
_HOLD = (
    "invoice_id",
    "line_number",
    "reason_code",
    "revision",
    "status",
    "quantity_difference",
    "value_difference",
    "currency_code",
    "purchase_order_id",
    "purchase_order_line_id",
    "decided_by",
    "occurred_at",
)
_MONEY, _RATE = "({} * 10000)::bigint", "({} * 100000000)::bigint"
_AS_INTEGER = {
    "unit_price": _MONEY,
    "invoiced_amount": _MONEY,
    "value_difference": _MONEY,
    "planned_freight_amount": _MONEY,
    "exchange_rate": _RATE,
    "value_limit": _MONEY,
}


def _selected(names: Sequence[str], table: str) -> str:
    """Columns of a table as the ports have them."""
    return ", ".join(_AS_INTEGER.get(name, "{}").format(f"{table}.{name}") for name in names)


_ORDER_LINES = f"""
    select {_selected(_LINE, "l")} from purchase_order_line l
    where l.purchase_order_id = any(%s)
    order by l.purchase_order_id, l.purchase_order_line_id for update
"""
_LINE_VERSIONS = """
    select t.purchase_order_id, t.purchase_order_line_id, p.occurred_at,
        (t.unit_price * 10000)::bigint, p.currency_code, t.is_price_estimated,
        p.invoice_currency_code, (p.exchange_rate * 100000000)::bigint
    from purchase_order_terms t
    join purchase_order_placed p using (purchase_order_id, version)
    where t.purchase_order_id = any(%s)
    order by t.purchase_order_id, t.purchase_order_line_id, t.version
"""
_INVOICE_LINES = """
    select l.invoice_id::text, l.line_number, i.invoice_number, i.supplier_id,
        l.purchase_order_id, l.purchase_order_line_id, l.quantity, l.quantity_before,
        (l.unit_price * 10000)::bigint, (l.order_unit_price * 10000)::bigint,
        l.is_before_receipt, i.currency_code, i.legal_entity, i.brand, i.region, i.channel,
        i.correlation_id
    from supplier_invoice_line l
    join supplier_invoice_received i using (invoice_id)
    where l.invoice_id = any(%s::uuid[]) and i.duplicate_of is null
    order by l.invoice_id, l.line_number
"""
# Two ways in, each by an index of its own.
_LIKE = """
    with wanted as (
        select * from unnest(%s::text[], %s::text[], %s::bigint[]) as w (group_id, number, amount)
    ), alike as (
        select i.invoice_id from supplier_invoice_received i
        join wanted w on i.group_id = w.group_id and i.normalised_number = w.number
        union
        select i.invoice_id from supplier_invoice_received i
        join wanted w on i.group_id = w.group_id
            and i.total_amount = (w.amount::numeric / 10000)::numeric(19, 4)
    )
    select invoice_id::text, supplier_id, group_id, normalised_number, kind, purchase_order_id,
        currency_code, (total_amount * 10000)::bigint, occurred_at
    from supplier_invoice_received join alike using (invoice_id)
    where duplicate_of is null
    order by occurred_at, invoice_id
"""
#: Of every hold its last revision, which says how it is now.
LAST_REVISIONS = """
    select distinct on (invoice_id, line_number, reason_code) *
    from invoice_match
    order by invoice_id, line_number, reason_code, revision desc
"""
# What was kept before orders had rates has no currency of its own.
_HELD = (
    _selected(_HOLD, "m")
    .replace("m.invoice_id", "m.invoice_id::text", 1)
    .replace("m.currency_code", "coalesce(m.currency_code, i.currency_code)")
)
# The same of some only, so that an index leads to them.
_HOLDS = f"""
    select distinct on (m.invoice_id, m.line_number, m.reason_code) {_HELD}
    from invoice_match m
    join supplier_invoice_received i using (invoice_id)
    where {{which}}
    order by m.invoice_id, m.line_number, m.reason_code, m.revision desc
"""
# Who shares a tax id or a bank account with one of these, again and again until nobody is new.
_REGROUP = """
    with recursive member (supplier_id, start_id) as (
        select supplier_id, supplier_id from supplier where supplier_id = any(%s)
        union
        select other.supplier_id, member.start_id
        from member
        join supplier one on one.supplier_id = member.supplier_id
        join supplier other on other.tax_id = one.tax_id or other.bank_account = one.bank_account
            or other.group_id = one.group_id
    ), grouped as (
        select supplier_id, min(least_id) as group_id
        from (
            select supplier_id, min(supplier_id) over (partition by start_id) as least_id
            from member
        ) as each group by supplier_id
    )
    update supplier s set group_id = grouped.group_id from grouped
    where s.supplier_id = grouped.supplier_id and s.group_id <> grouped.group_id
"""


_APPLICANT = (
    "supplier_id",
    "supplier_name",
    "currency_code",
    "country_code",
    "tax_id",
    "bank_account",
    "applied_by",
    "identity_check",
    "duplicate_check",
    "bank_check",
    "contract_check",
    "contract_reference",
    "is_told",
    "occurred_at",
)
_REQUISITION_LINES = """
    select requisition_id::text, supplier_id, node_id, sku, order_quantity,
        (unit_price * 10000)::bigint, currency_code, due_at
    from replenishment_proposal
    where requisition_id = any(%s::uuid[])
    order by requisition_id, sku
"""


class SqlPurchasing:
    """What purchasing and accounts payable read and write in one transaction."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at

    def suppliers(self, supplier_ids: Iterable[str]) -> dict[str, SupplierView]:
        """Known suppliers, by id."""
        rows = fetch(
            self._connection,
            "select supplier_id, supplier_name, currency_code, group_id, bank_account,"
            " confirmed_bank_account, bank_status, occurred_at, order_channel from supplier"
            " where supplier_id = any(%s) order by supplier_id for update",
            list(supplier_ids),
        )
        return {row[0]: SupplierView(*row) for row in rows}

    def put_suppliers(self, columns: Columns) -> None:
        """Insert suppliers, or replace them by id; whoever shares a key with them is regrouped."""
        ids = list(columns["supplier_id"])
        held = {
            **columns,
            "group_id": ids,
            "effective_at": [self._effective_at] * len(ids),
        }
        upsert(self._connection, "supplier", held, ["supplier_id"])
        execute(self._connection, _REGROUP, ids)

    def put_banks(self, banks: Sequence[tuple[str, str | None, str]]) -> None:
        """Write (supplier_id, confirmed account, status) of known suppliers."""
        if banks:
            execute(
                self._connection,
                "update supplier s set confirmed_bank_account = new.account,"
                " bank_status = new.status, effective_at = %s"
                " from unnest(%s::text[], %s::text[], %s::text[]) as new (id, account, status)"
                " where s.supplier_id = new.id",
                self._effective_at,
                *map(list, zip(*banks, strict=True)),
            )

    def order_versions(self, purchase_order_ids: Iterable[str]) -> set[tuple[str, int]]:
        """(purchase_order_id, version) of what was placed of these orders."""
        rows = fetch(
            self._connection,
            "select purchase_order_id, version from purchase_order_placed"
            " where purchase_order_id = any(%s)",
            list(purchase_order_ids),
        )
        return {(order, version) for order, version in rows}

    def line_versions(
        self, purchase_order_ids: Iterable[str]
    ) -> dict[str, dict[str, list[LineVersion]]]:
        """What each version of these orders said of its lines, lowest first, by order and line."""
        found: dict[str, dict[str, list[LineVersion]]] = {}
        rows = fetch(self._connection, _LINE_VERSIONS, sorted(purchase_order_ids))
        for order, line, *said in rows:
            found.setdefault(order, {}).setdefault(line, []).append(LineVersion(*said))
        return found

    def order_lines(self, purchase_order_ids: Iterable[str]) -> list[OrderLineView]:
        """All lines of these orders, by order and line."""
        rows = fetch(self._connection, _ORDER_LINES, sorted(set(purchase_order_ids)))
        return [OrderLineView(*row) for row in rows]

    def put_order_lines(self, lines: Sequence[OrderLineView]) -> None:
        """Insert lines, or replace what changes of them."""
        if lines:
            columns = _columns(_LINE, lines)
            columns["effective_at"] = [self._effective_at] * len(lines)
            upsert(
                self._connection,
                "purchase_order_line",
                columns,
                ["purchase_order_id", "purchase_order_line_id"],
            )

    def everybody(self) -> list[tuple[str, str, str | None, str | None]]:
        """(supplier_id, name, tax id, account) of all suppliers and applicants."""
        rows = fetch(
            self._connection,
            "select supplier_id, supplier_name, tax_id, bank_account from supplier union all"
            " select a.supplier_id, a.supplier_name, a.tax_id, a.bank_account"
            " from supplier_applicant a where not exists"
            " (select from supplier s where s.supplier_id = a.supplier_id) order by 1",
        )
        return [(one, two, three, four) for one, two, three, four in rows]

    def applicants(self, supplier_ids: Iterable[str]) -> dict[str, ApplicantView]:
        """Applicants by id, locked."""
        names = ", ".join(_APPLICANT)
        rows = fetch(
            self._connection,
            f"select {names} from supplier_applicant where supplier_id = any(%s)"
            " order by supplier_id for update",
            sorted(supplier_ids),
        )
        return {row[0]: ApplicantView(*row) for row in rows}

    def put_applicants(self, applicants: Sequence[ApplicantView]) -> None:
        """Insert applicants, or replace them by id."""
        if applicants:
            columns = _columns(_APPLICANT, applicants)
            columns["effective_at"] = [self._effective_at] * len(applicants)
            upsert(self._connection, "supplier_applicant", columns, ["supplier_id"])

    def put_terms(self, names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        """Insert what suppliers sell, or replace it by supplier and SKU unless it is newer."""
        columns = in_columns(names, list(rows))
        known = fetch(
            self._connection,
            "select supplier_id, sku, occurred_at from supplier_terms"
            " where (supplier_id, sku) in (select * from unnest(%s::text[], %s::text[]))",
            list(columns["supplier_id"]),
            list(columns["sku"]),
        )
        told = {(supplier, sku): at for supplier, sku, at in known}
        place = {name: names.index(name) for name in ("supplier_id", "sku", "occurred_at")}
        newer = [
            row
            for row in rows
            if (before := told.get((row[place["supplier_id"]], row[place["sku"]]))) is None
            or before <= row[place["occurred_at"]]
        ]
        if newer:
            kept = dict(in_columns(names, newer))
            kept["effective_at"] = [self._effective_at] * len(newer)
            upsert(self._connection, "supplier_terms", kept, ["supplier_id", "sku"])

    def standings(self) -> dict[str, str]:
        """The last standing of each supplier that ever changed."""
        return dict(
            fetch(
                self._connection,
                "select distinct on (supplier_id) supplier_id, standing from supplier_standing"
                " order by supplier_id, effective_at desc, recorded_xid desc",
            )
        )

    def put_forecast_errors(self, columns: Columns) -> None:
        """Insert what forecasts are off by, or replace it by region and SKU."""
        count = len(columns["sku"])
        if count:
            held = {**columns, "effective_at": [self._effective_at] * count}
            upsert(self._connection, "forecast_error", held, ["region", "sku"])

    def put_levels(self, columns: Columns) -> None:
        """Insert what places and SKUs are held at, or replace it."""
        count = len(next(iter(columns.values())))
        if count:
            held = {**columns, "effective_at": [self._effective_at] * count}
            upsert(self._connection, "replenishment_level", held, ["sku", "node_id"])

    def requisition_lines(self, ids: Iterable[str]) -> dict[str, list[RequisitionLine]]:
        """What these requisitions are for, by requisition, in order of SKU."""
        found: dict[str, list[RequisitionLine]] = {}
        for row in fetch(self._connection, _REQUISITION_LINES, list(ids)):
            line = RequisitionLine(*row)
            found.setdefault(line.requisition_id, []).append(line)
        return found

    def receiving_slots(
        self, node_ids: Iterable[str], since: datetime
    ) -> list[tuple[str, int, datetime, datetime]]:
        """(node_id, dock, start, end) of what is given out and ends after an instant."""
        wanted = sorted(node_ids)
        for node_id in wanted:
            execute(
                self._connection,
                "select pg_advisory_xact_lock(hashtextextended('receiving:' || %s, 0))",
                node_id,
            )
        return [
            (node_id, dock, starts_at, ends_at)
            for node_id, dock, starts_at, ends_at in fetch(
                self._connection,
                "select node_id, dock_number, starts_at, ends_at from receiving_slot"
                " where node_id = any(%s) and ends_at > %s order by 1, 2, 3",
                wanted,
                since,
            )
        ]

    def invoices_like(self, invoices: Sequence[InvoiceView]) -> list[InvoiceView]:
        """Posted invoices and credit notes of the same group with the number or amount of one."""
        rows = fetch(
            self._connection,
            _LIKE,
            [invoice.group_id for invoice in invoices],
            [invoice.normalised_number for invoice in invoices],
            [invoice.total_amount for invoice in invoices],
        )
        return [InvoiceView(*row) for row in rows]

    def invoice_lines(self, invoice_ids: Iterable[str]) -> list[InvoiceLineView]:
        """All posted lines of these invoices, by invoice and line."""
        rows = fetch(self._connection, _INVOICE_LINES, list(invoice_ids))
        return [InvoiceLineView(*row) for row in rows]

    def holds_of_invoices(self, invoice_ids: Iterable[str]) -> list[Hold]:
        """All holds of these invoices, ended ones too."""
        asked = _HOLDS.format(which="m.invoice_id = any(%s::uuid[])")
        return [Hold(*row) for row in fetch(self._connection, asked, list(invoice_ids))]

    def held_for(self, keys: Iterable[tuple[str, str]], reason_code: str) -> list[Hold]:
        """What is held for a reason of these (purchase_order_id, purchase_order_line_id)."""
        wanted = sorted(set(keys))
        asked = _HOLDS.format(
            which="m.reason_code = %s and (m.purchase_order_id, m.purchase_order_line_id) in"
            " (select * from unnest(%s::text[], %s::text[]))"
        )
        rows = fetch(
            self._connection,
            asked,
            reason_code,
            [order for order, _ in wanted],
            [line for _, line in wanted],
        )
        return [hold for hold in (Hold(*row) for row in rows) if hold.status == "held"]

    def held_of_suppliers(self, supplier_ids: Iterable[str], reason_code: str) -> list[Hold]:
        """What is held for a reason of these suppliers' invoices."""
        asked = _HOLDS.format(which="m.reason_code = %s and i.supplier_id = any(%s)")
        rows = fetch(self._connection, asked, reason_code, list(supplier_ids))
        return [hold for hold in (Hold(*row) for row in rows) if hold.status == "held"]

    def put_holds(self, holds: Sequence[Hold]) -> None:
        """Write how these holds are now, and keep that they became so."""
        if holds:
            columns = _columns(_HOLD, holds)
            columns["effective_at"] = [self._effective_at] * len(holds)
            copy_into(self._connection, "invoice_match", columns)


def _columns(names: Sequence[str], views: Sequence[object]) -> dict[str, Sequence[object]]:
    return in_columns(names, list(map(attrgetter(*names), views)))


def order_to_send(connection: sa.Connection, purchase_order_id: str) -> dict[str, Any] | None:
    """A purchase order as it is in force, for its supplier; ``None`` where there is none."""
    rows = fetch(
        connection,
        "select supplier_id, node_id, currency_code, version, purchase_order_line_id, sku,"
        " ordered_quantity, unit_price::text, due_at from purchase_order_line"
        " where purchase_order_id = %s and not is_closed"
        " order by length(purchase_order_line_id), purchase_order_line_id",
        purchase_order_id,
    )
    if not rows:
        return None
    supplier_id, node_id, currency, version = rows[0][:4]
    return {
        "purchase_order_id": purchase_order_id,
        "supplier_id": supplier_id,
        "node_id": node_id,
        "currency": currency,
        "version": version,
        "lines": [
            {
                "purchase_order_line_id": line,
                "sku": sku,
                "quantity": quantity,
                "unit_price": price,
                "due_at": due_at,
            }
            for _, _, _, _, line, sku, quantity, price, due_at in rows
        ],
    }
