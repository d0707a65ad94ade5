"""Master data as tables: read by sets of keys, replaced by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.facts import in_columns
from assets.ports import Columns, Components, ProductTerms
from resources.operational_store.bulk import copy_into, execute, fetch, upsert


class SqlMasterData:
    """Products, prices, nodes and customers of one transaction."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at

    def products(self, skus: Iterable[str]) -> dict[str, ProductTerms]:
        """Terms by known SKU."""
        rows = fetch(
            self._connection,
            "select sku, (standard_cost * 10000)::bigint, tax_rate_basis_points, currency_code,"
            " available_from, is_bundle from product where sku = any(%s)",
            list(skus),
        )
        return {sku: ProductTerms(*terms) for sku, *terms in rows}

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Kind and zone of each active node, by node id."""
        rows = fetch(self._connection, "select node_id, kind, zone from node where is_active")
        return {node_id: (kind, zone) for node_id, kind, zone in rows}

    def last_told(self, table: str, keys: Iterable[str]) -> dict[str, datetime]:
        """When what we hold of each known product or node happened, by its key."""
        key = {"product": "sku", "node": "node_id"}[table]
        rows = fetch(
            self._connection,
            f"select {key}, occurred_at from {table} where {key} = any(%s)",
            list(keys),
        )
        return dict(rows)

    def put_products(self, columns: Columns) -> None:
        """Insert products, or replace them by SKU."""
        upsert(self._connection, "product", self._with_effective(columns, "sku"), ["sku"])

    def components(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in each of these that is a bundle, by its SKU."""
        return self._bundles("where bundle_sku = any(%s)", skus)

    def bundles_with(self, skus: Iterable[str]) -> dict[str, Components]:
        """The bundles that any of these SKUs is in, by their SKU."""
        return self._bundles(
            "where bundle_sku in"
            " (select bundle_sku from bundle_component where component_sku = any(%s))",
            skus,
        )

    def _bundles(self, which: str, skus: Iterable[str]) -> dict[str, Components]:
        return by_bundle(
            fetch(
                self._connection,
                f"select bundle_sku, component_sku, quantity from bundle_component {which}"
                " order by bundle_sku, component_number",
                list(skus),
            )
        )

    def put_components(self, bundles: Mapping[str, Components]) -> None:
        """Replace what is in these bundles; channels are told of them again."""
        execute(
            self._connection,
            "delete from bundle_component where bundle_sku = any(%s)",
            list(bundles),
        )
        # What a channel was told rests on what was in them: it is told again though it be the same.
        execute(
            self._connection,
            "delete from channel_availability where sku = any(%s)",
            list(bundles),
        )
        rows = [
            (bundle, sku, number, quantity)
            for bundle, components in bundles.items()
            for number, (sku, quantity) in enumerate(components, start=1)
        ]
        names = ("bundle_sku", "component_sku", "component_number", "quantity")
        columns = in_columns(names, rows)
        copy_into(self._connection, "bundle_component", self._with_effective(columns, "bundle_sku"))

    def put_prices(self, columns: Columns) -> dict[tuple[str, str, datetime], tuple[int, str]]:
        """Append those of which no price is held; gives (price, currency) held of all of them."""
        copied = self._with_effective(columns, "sku")
        names = ", ".join(copied)
        execute(
            self._connection,
            "create temporary table if not exists staged_price (like price including defaults)"
            " on commit delete rows",
        )
        copy_into(self._connection, "price", copied, "staged_price")
        execute(
            self._connection,
            f"insert into price ({names}) select {names} from staged_price on conflict do nothing",
        )
        held = fetch(
            self._connection,
            "select sku, channel, occurred_at, (price.unit_price * 10000)::bigint,"
            " price.currency_code from price"
            " join staged_price using (sku, channel, occurred_at)",
        )
        return {
            (sku, channel, at): (amount, currency) for sku, channel, at, amount, currency in held
        }

    def latest_shown(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime, datetime]]:
        """The last price that each (channel, sku) showed."""
        wanted = list(keys)
        return fetch(
            self._connection,
            "select s.channel, s.sku, (s.unit_price * 10000)::bigint, s.currency_code,"
            " s.occurred_at, s.graced_from"
            " from unnest(%s::text[], %s::text[]) as w (channel, sku) cross join lateral ("
            " select * from price_shown p where p.channel = w.channel and p.sku = w.sku"
            " order by p.occurred_at desc, p.document_id limit 1) s",
            [channel for channel, _ in wanted],
            [sku for _, sku in wanted],
        )

    def price_versions(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime]]:
        """(channel, sku, unit price, currency, from when on) of each (channel, sku)."""
        wanted = list(keys)
        return fetch(
            self._connection,
            "select p.channel, p.sku, (p.unit_price * 10000)::bigint, p.currency_code,"
            " p.occurred_at from price p"
            " join unnest(%s::text[], %s::text[]) as w (channel, sku)"
            " on w.channel = p.channel and w.sku = p.sku",
            [channel for channel, _ in wanted],
            [sku for _, sku in wanted],
        )

    def put_nodes(self, columns: Columns) -> None:
        """Insert nodes, or replace them by id."""
        upsert(self._connection, "node", self._with_effective(columns, "node_id"), ["node_id"])

    def put_customers(self, columns: Columns) -> None:
        """Country to the customer, everything personal to the contact that can be erased."""
        count = len(columns["customer_id"])
        bare = {
            "customer_id": columns["customer_id"],
            "country_code": columns["country_code"],
            "occurred_at": [self._effective_at] * count,
            "effective_at": [self._effective_at] * count,
        }
        contact = {name: values for name, values in columns.items() if name != "country_code"}
        for table, rows in (("customer", _last(bare)), ("customer_contact", _last(contact))):
            upsert(self._connection, table, rows, ["customer_id"])

    def _with_effective(self, columns: Columns, key: str) -> Columns:
        return {**columns, "effective_at": [self._effective_at] * len(columns[key])}


def by_bundle(rows: Iterable[tuple[Any, ...]]) -> dict[str, Components]:
    """Rows of (bundle, component, units), in order, as what is in each bundle."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for bundle, sku, quantity in rows:
        found[bundle].append((sku, quantity))
    return dict(found)


def _last(columns: Columns) -> Columns:
    """Of several rows of one customer, the last: an upsert may touch a row once only."""
    position = {identity: index for index, identity in enumerate(columns["customer_id"])}
    return {
        name: [values[index] for index in position.values()] for name, values in columns.items()
    }
