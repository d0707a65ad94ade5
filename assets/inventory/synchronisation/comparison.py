"""One snapshot of another system beside the ledger: what the steps of a comparison share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd

from assets.commerce.identifiers import identify_text
from assets.contracts.inventory import InventorySnapshotTaken
from assets.inventory.synchronisation.policy import SynchronisationPolicy
from assets.ports import About, InboxEvent


@dataclass
class Comparison:
    """One snapshot beside the ledger.

    Attributes:
        compared: Its lines, one row per SKU that we know.
        coded: Its drift by reason.
        watermark: Up to where the stock ledgers had been read.
    """

    event: InboxEvent
    compared: pd.DataFrame
    coded: pd.DataFrame
    watermark: int
    policy: SynchronisationPolicy

    @property
    def data(self) -> InventorySnapshotTaken:
        """The contract's payload."""
        taken: InventorySnapshotTaken = self.event.data
        return taken

    @property
    def snapshot_id(self) -> str:
        """One document of one system is one snapshot."""
        return snapshot_id(self.event)

    @property
    def as_of(self) -> datetime:
        """The instant that it is true of (UTC)."""
        return self.data.as_of.astimezone(UTC)

    @property
    def where(self) -> str:
        """Its node or channel."""
        return place_of(self.data)

    def key(self, sku: str) -> str:
        """What a case about one SKU of it is known by."""
        return f"{self.data.system}/{self.where}/{sku}"

    def about(self, value: int | None = None, currency_code: str | None = None) -> About:
        """What a case about it knows; a value (ten-thousandths) where it is of known goods."""
        data = self.data
        about = About.scope(self.event, data.node_id, value, currency_code)
        return about if data.channel is None else replace(about, channel=data.channel)


def snapshot_id(event: InboxEvent) -> str:
    """The id of a snapshot, made of its system and document number."""
    data = event.data
    return identify_text("inventory_snapshot", event.source, data.system, data.document_number)


def place_of(data: InventorySnapshotTaken) -> str:
    """The node or channel of a snapshot."""
    return data.node_id or data.channel or ""
