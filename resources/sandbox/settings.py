"""What a caller may configure: the retailer, where its stock lies, how its partners behave."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths
from assets.contracts.fields import Code, Country, Currency, Key, UnsignedMoney
from assets.contracts.master_data import CustomerRegistered
from resources.sandbox.faults import FaultRates, Rate

Weekdays = Annotated[tuple[Annotated[int, Meta(ge=0, le=6)], ...], Meta(min_length=1)]


class NodeSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that holds stock; a share of zero means that nothing is bought for it.

    Of kind ``drop_ship`` it is a supplier's, who holds what only he has.
    """

    node_id: Key
    kind: Literal["warehouse", "store", "drop_ship"] = "warehouse"
    zone: Key | None = None
    country: Country = "GB"
    is_active: bool = True
    stock_share: Annotated[int, Meta(ge=0)] = 1


class SupplierSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who sells whole classes of products on an order that the ERP is told.

    Attributes:
        product_classes: What they sell; everything, where none is named.
        order_channel: Who sends them orders: the ERP itself, or whoever looks after that.
        erp_buys_too: Whether the ERP goes on buying the same of its own accord.
        lead_time_days: As agreed; one delivery in three comes a day later, one in six a day sooner.
    """

    supplier_id: Key
    name: Key
    product_classes: list[Key] = []
    order_channel: Literal["erp", "portal", "x12"] = "erp"
    erp_buys_too: bool = False
    lead_time_days: Annotated[int, Meta(ge=2, le=90)] = 5
    minimum_quantity: Annotated[int, Meta(ge=1)] = 1
    case_quantity: Annotated[int, Meta(ge=1)] = 12


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The retailer and the habits of its partners.

    Attributes:
        starts_at: When nodes and customers are registered and weekly receipts begin; without it,
            the first SKU's first day.
        zone: Where a node that names no zone is, and where the ERP's week begins.
        legal_entity: With the next three, the envelope of what no command caused.
        suppliers: Who may be asked for products on somebody else's word than the ERP's own.
        working_weekdays: Days on which warehouses despatch; Monday is 0.
        carrier_weekdays: Days on which carriers deliver.
        cut_off_hour: Express orders until then leave on the same working day.
        accepts_fulfilment: Whether the warehouse also confirms that it took the work.
        late_rate: Share of shipments that arrive two to five working days late; carriers do.
        faults: What goes wrong beyond that.
        cover_weeks: Weeks of recent demand that the weekly receipts restore stock to. Six fill
            about 94% of the units of a real year of a gift wholesaler, four fill 91%, twelve 95%.
        opening_stock_factor: Multiplies the opening stock, which knows prices but no demand.
        document_lines: Most lines of one stock document.
        untaxed_rate: Share of SKUs with a tax rate of zero.
        snapshot_hour: Local hour of which ERP, warehouse and channels each day tell what they
            believe to have; without it none of them ever does. It counts from ``starts_at`` on, so
            it must be set before the first item.
        snapshot_delay_hours: How long after that hour they tell it.
        acknowledges_availability: Whether channels say when they show what they were told.
        announces_inbound: Whether the ERP announces a delivery days before it comes, and again when
            it is on the road; now and then it then comes a day later than was said.
        shows_prices: Whether the ERP announces prices by channel, and channels tell each day, with
            their snapshot, what they show.
        unclaimed_case_from: Worth of goods from which the retailer looks at what nobody collects.
            This and the next are known to the answer key only; without it nobody looks.
        corrected_up_to: Worth up to which the retailer's books follow a count unasked; without it
            they always do.
    """

    seed: str = "sandbox"
    starts_at: Annotated[datetime, Meta(tz=True)] | None = None
    zone: Key = "Europe/London"
    legal_entity: Code = "retailer_uk"
    brand: Code = "house"
    region: Code = "uk"
    channel: Code = "head_office"
    currency: Currency = "GBP"
    nodes: list[NodeSetting] = []
    customers: list[CustomerRegistered] = []
    suppliers: list[SupplierSetting] = []
    working_weekdays: Weekdays = (0, 1, 2, 3, 4, 5)
    carrier_weekdays: Weekdays = (0, 1, 2, 3, 4)
    cut_off_hour: Annotated[int, Meta(ge=0, le=24)] = 14
    accepts_fulfilment: bool = False
    late_rate: Rate = 0.03
    faults: FaultRates = FaultRates()
    cover_weeks: Annotated[float, Meta(gt=0, le=104)] = 6.0
    opening_stock_factor: Annotated[float, Meta(ge=0, le=1000)] = 1.0
    document_lines: Annotated[int, Meta(ge=1, le=5000)] = 500
    untaxed_rate: Rate = 0.15
    snapshot_hour: Annotated[int, Meta(ge=0, le=23)] | None = None
    snapshot_delay_hours: Annotated[int, Meta(ge=0, le=72)] = 6
    acknowledges_availability: bool = False
    announces_inbound: bool = False
    shows_prices: bool = False
    unclaimed_case_from: UnsignedMoney | None = None
    corrected_up_to: UnsignedMoney | None = None


def channel_price(list_price: str, basis_points: int) -> int:
    """What a channel asks of a list price, in whole cents (ten-thousandths)."""
    exact = to_ten_thousandths(list_price) * basis_points // 10_000
    return exact // 100 * 100


def changed(settings: Settings, body: bytes) -> Settings:
    """The settings with the given keys laid over them.

    Raises:
        msgspec.ValidationError: If a key is unknown or a value cannot be meant.
    """
    given = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    held = msgspec.json.decode(msgspec.json.encode(settings), type=dict[str, msgspec.Raw])
    return msgspec.json.decode(msgspec.json.encode({**held, **given}), type=Settings)
