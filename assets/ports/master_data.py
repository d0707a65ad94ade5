"""Products, prices, nodes and customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from assets.ports.columns import Columns


class ProductTerms(NamedTuple):
    """What stock and money need to know of a product; the cost is in its own currency.

    Nothing of it leaves before ``available_from``.
    """

    standard_cost: int
    tax_rate_basis_points: int
    currency_code: str
    available_from: datetime | None = None
    is_bundle: bool = False


#: Components of a bundle in their order: SKU and units (each) in one bundle.
Components = Sequence[tuple[str, int]]


#: The columns of `MasterData.put_customers`.
CONTACT = (
    "customer_id",
    "customer_number",
    "country_code",
    "name",
    "email",
    "address",
    "city",
    "postcode",
)


class MasterData(Protocol):
    """Products, prices, nodes and customers, as the systems that own them told us."""

    def products(self, skus: Iterable[str]) -> dict[str, ProductTerms]:
        """Terms by known SKU."""
        ...

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Kind and zone of each active node, by node id."""
        ...

    def last_told(self, table: str, keys: Iterable[str]) -> dict[str, datetime]:
        """When what we hold of each known product or node happened, by its key."""
        ...

    def put_products(self, columns: Columns) -> None: ...
    def components(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in each of these that is a bundle, by its SKU."""
        ...

    def bundles_with(self, skus: Iterable[str]) -> dict[str, Components]:
        """The bundles that any of these SKUs is in, by their SKU."""
        ...

    def put_components(self, bundles: Mapping[str, Components]) -> None:
        """Replace what is in these bundles; channels are told of them again."""
        ...

    def put_prices(self, columns: Columns) -> dict[tuple[str, str, datetime], tuple[int, str]]:
        """Append those of which no price is held; gives what is held of all of them.

        By (sku, channel, from when on): unit price and currency.
        """
        ...

    def latest_shown(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime, datetime]]:
        """The last price that each (channel, sku) showed.

        (channel, sku, unit price, currency, as of, from when on approved prices count).
        """
        ...

    def price_versions(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime]]:
        """(channel, sku, unit price, currency, from when on) of each (channel, sku)."""
        ...

    def put_nodes(self, columns: Columns) -> None: ...
    def put_customers(self, columns: Columns) -> None:
        """Country to the customer, everything personal to the contact that can be erased."""
        ...
