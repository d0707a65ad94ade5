"""Single values of documents as our contracts write them: times, money, SKUs, codes, people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from assets.commerce.money import to_ten_thousandths, to_text
from resources.channels.shopify.documents import Document, NotTaken

# fmt: off
_EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_PERSONAL = 200
#: As much as our contracts take of a description.
LONGEST_TEXT = 500


def listed(item: Document, name: str) -> list[Any]:
    """A list of the document; nothing where it has none."""
    value = item.get(name)
    return value if isinstance(value, list) else []


def instant(item: Document, *names: str) -> str:
    """The first of these times that the document has, in UTC.

    Raises:
        KeyError: If it has none of them.
        NotTaken: If the time names no zone.
    """
    for name in names:
        text = item.get(name)
        if isinstance(text, str) and text:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise NotTaken(f"{name} has no zone")
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    raise KeyError(names[0])


def money(value: Any) -> int:
    """Decimal text as ten-thousandths; nothing where there is none."""
    if value in (None, ""):
        return 0
    if isinstance(value, float):
        raise NotTaken("an amount is a float and not decimal text")
    return to_ten_thousandths(str(value))


def written(charges: list[tuple[str, int]]) -> list[dict[str, str]]:
    """Charges as our contracts write them, without those of nothing."""
    return [{"code": code, "amount": to_text(amount)} for code, amount in charges if amount]


def sku_of(variant: Document) -> str:
    """Shops may leave the SKU empty; the variant's id stands for it then."""
    sku = str(variant.get("sku") or "").strip().upper()
    return sku or f"VARIANT-{variant.get('variant_id') or variant['id']}"


def item_id_of(variant: Document) -> str:
    """The inventory item that counts a variant."""
    # Before 2018 a variant was its own inventory item.
    return str(variant.get("inventory_item_id") or variant["id"])


def region_of(country: str) -> str:
    """Where we report what happens in a country."""
    if country == "GB":
        return "uk"
    return "eu" if country in _EU else "row"


def code_of(text: Any, otherwise: str) -> str:
    """A shop's word as a code of ours, if it can be one."""
    plain = re.sub(r"[^a-z0-9]+", "_", str(text or "").lower()).strip("_")
    return plain if _CODE.fullmatch(plain) else otherwise


def personal(address: Document, name: Any, email: Any) -> dict[str, str]:
    """The personal fields of our contracts, as far as they are filled."""
    lines = ", ".join(str(address[key]) for key in ("address1", "address2") if address.get(key))
    fields = {
        "name": str(name or "")[:_LONGEST_PERSONAL],
        "email": str(email or ""),
        "address": lines[:_LONGEST_PERSONAL],
        "city": str(address.get("city") or "")[:_LONGEST_PERSONAL],
        "postcode": str(address.get("zip") or "")[:16],
    }
    if not _EMAIL.fullmatch(fields["email"]) or len(fields["email"]) > 254:
        del fields["email"]
    return {key: value for key, value in fields.items() if value}


def full_name(person: Document) -> str:
    """First and last name, as far as they are told."""
    return " ".join(str(person[key]) for key in ("first_name", "last_name") if person.get(key))
