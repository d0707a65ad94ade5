"""The carrier: brings parcels in a few working days, a few late, and loses some from view."""

from __future__ import annotations

from datetime import time

import msgspec

from assets.contracts.fields import Country, Key
from assets.contracts.shipment import ShipmentDelivered
from resources.sandbox.partner import Command, PartnerSystem, Refused, working_moment

_EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
DOMESTIC, NEAR, FAR = (1, 2), (2, 4), (4, 8)
#: Longer than the slowest parcel to the end of the world; found again in some depot after that.
SILENT = (17, 20)


class _Booking(msgspec.Struct, gc=False):
    order_number: Key
    shipment_number: Key
    node_id: Key
    country: Country
    service_level: str


class Carrier(PartnerSystem):
    """Delivers every shipment in the end."""

    def perform(self, command: Command) -> None:
        """Take one booking."""
        if command.command_type != "shipment.book":
            raise Refused(f"the carrier does not know the command {command.command_type}")
        booked = msgspec.json.decode(command.payload, type=_Booking)
        chance, settings = self.world.chance, self.world.settings
        key = booked.shipment_number
        if booked.country == self.world.node(booked.node_id).country:
            low, high = DOMESTIC
        else:
            low, high = NEAR if booked.country in _EU or booked.country == "GB" else FAR
        days = low if booked.service_level == "express" else chance.between(low, high, "days", key)
        if chance.happens(settings.late_rate, "late", key):
            days += chance.between(2, 5, "late_days", key)
        if self.world.faults.strikes("carrier_silence", key):
            days = chance.between(*SILENT, "silent_days", key)
            parcel = f"{self.world.channel_of(command)}/{booked.order_number}/{key}"
            expected = "case:carrier_silence"
            self.world.faults.note(
                "carrier_silence", command.effective_at, self.code, parcel, key, expected
            )
        due = working_moment(
            command.effective_at,
            self.world.zone(booked.node_id),
            settings.carrier_weekdays,
            days,
            time(8),
            time(19),
            chance.share("doorbell", key),
        )
        delivered = ShipmentDelivered(order_number=booked.order_number, shipment_number=key)
        event_type = "retail.shipment.delivered.v1"
        self.answer(command, event_type, due, delivered, booked.order_number)
