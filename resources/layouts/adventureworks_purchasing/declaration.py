"""What the layout ``adventureworks_purchasing`` declares about data that do not say it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import yaml

#: The layout's name, and the source of its events.
NAME = "adventureworks_purchasing"

_FILE = Path(__file__).with_name("declaration.yaml")


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``declaration.yaml``; the file gives each value's reason."""

    layout: str
    owner: str
    zone: str
    currency: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    node_id: str
    country: str
    order_hour: int
    receipt_hour: int
    invoice_hour: int
    rejection_reason: str


@cache
def declaration() -> Declaration:
    """The declaration that is shipped beside this module."""
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), Declaration)
