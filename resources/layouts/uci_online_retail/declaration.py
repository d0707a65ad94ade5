"""What the layout ``uci_online_retail`` declares about data that do not say it themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

#: The layout's name, and the source of its events.
NAME = "uci_online_retail"

_FILE = Path(__file__).with_name("declaration.yaml")


class ChannelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test of an invoice, and the channel that it was taken in if the test is met."""

    when: Literal["has_charge", "has_no_customer", "always"]
    channel: str
    charge: str | None = None


class LedgerAdjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only charge that an ``A`` invoice may hold, and the accounts that it moves between."""

    charge: str
    debit_account: str
    credit_account: str


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``declaration.yaml``; the file gives each value's reason."""

    layout: str
    owner: str
    zone: str
    currency: str
    legal_entity: str
    brand: str
    node_id: str
    slash_dates: Literal["from_file", "month_first", "day_first"]
    charge_codes: dict[str, str]
    ledger_adjustment: LedgerAdjustment
    channel_rules: list[ChannelRule]
    countries: dict[str, tuple[str, str]]

    def channel(self, charges: set[str], has_customer: bool) -> str:
        """The channel of the first rule that fits; the last rule always does."""
        for rule in self.channel_rules:
            if (
                rule.when == "always"
                or (rule.when == "has_charge" and rule.charge in charges)
                or (rule.when == "has_no_customer" and not has_customer)
            ):
                return rule.channel
        raise LookupError("the channel rules do not end with one that always fits")


@cache
def declaration() -> Declaration:
    """The declaration that is shipped beside this module."""
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), Declaration)
