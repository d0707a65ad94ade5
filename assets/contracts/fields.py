"""The constrained field types that every event family shares, with their security class.

A field's class is ``public``, ``internal``, ``confidential`` or ``personal``; a field that says
nothing is ``internal``. It travels in the generated JSON Schema as ``x-security-class``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from assets.commerce.money import MONEY_PATTERN, RATE_PATTERN, UNSIGNED_MONEY_PATTERN


class EventData(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """What every event's ``data`` and its parts are.

    Defaults are left out when it is written, so that a field that a later version adds changes
    neither the stored text nor the hash of an event that was sent before. They hold values and
    never each other, so the garbage collector need not look at them.
    """


def _class(name: str) -> dict[str, Any]:
    return {"x-security-class": name}


Key = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+\Z")]
SkuCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f]+\Z",
        description="Stock keeping unit; upper case, as the ERP writes it",
    ),
]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z", description="Snake-case code")]
Text = Annotated[str, Meta(max_length=500)]
Instant = Annotated[datetime, Meta(tz=True, description="With a zone")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="ISO 4217 code")]
ExchangeRate = Annotated[
    str, Meta(pattern=RATE_PATTERN, description="Decimal text > 0, at most eight decimals")
]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2 code")]
Money = Annotated[
    str, Meta(pattern=MONEY_PATTERN, description="Decimal text, at most four decimals")
]
UnsignedMoney = Annotated[
    str, Meta(pattern=UNSIGNED_MONEY_PATTERN, description="Decimal text ≥ 0, at most four decimals")
]
CostMoney = Annotated[
    str,
    Meta(
        pattern=UNSIGNED_MONEY_PATTERN,
        description="Decimal text ≥ 0, at most four decimals",
        extra_json_schema=_class("confidential"),
    ),
]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000, description="Each")]
NonNegativeQuantity = Annotated[int, Meta(ge=0, le=100_000_000, description="Each")]
SignedQuantity = Annotated[int, Meta(ge=-1_000_000, le=1_000_000, description="Each")]
SnapshotQuantity = Annotated[
    int,
    Meta(
        ge=-100_000_000,
        le=100_000_000,
        description="In the line's unit of measure; below zero where too much was issued",
    ),
]
LineNumber = Annotated[int, Meta(ge=1, le=100_000)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Hundredths of a percent")]
CustomerNumber = Annotated[
    str, Meta(min_length=1, max_length=64, description="Pseudonymous customer number")
]
PersonName = Annotated[str, Meta(max_length=200, extra_json_schema=_class("personal"))]
Email = Annotated[
    str,
    Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\Z", extra_json_schema=_class("personal")),
]
AddressLine = Annotated[str, Meta(max_length=200, extra_json_schema=_class("personal"))]
Postcode = Annotated[str, Meta(max_length=16, extra_json_schema=_class("personal"))]
