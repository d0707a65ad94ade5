"""Whether a supplier's tax id and bank account can be what they say. Pure."""

from __future__ import annotations

import re

import stdnum
from stdnum import iban
from stdnum.exceptions import ValidationError

_LOOKS_LIKE_IBAN = re.compile(r"^[A-Z]{2}[0-9]{2}")


def compact(account: str) -> str:
    """An account without the spaces that people write it with."""
    return re.sub(r"[\s-]", "", account).upper()


def why_invalid(
    country: str | None, tax_id: str | None, bank_account: str | None
) -> tuple[str, str] | None:
    """The reason code and reason for which a supplier is not taken, if there is one.

    An account that looks like an IBAN must be one (ISO 13616, check digits modulo 97); a tax id is
    checked by the rules of its country, where python-stdnum knows them.
    """
    if bank_account is not None and _LOOKS_LIKE_IBAN.match(compact(bank_account)):
        try:
            iban.validate(bank_account)
        except ValidationError as problem:
            return "invalid_bank_account", f"the IBAN is none: {problem}"
    if tax_id is not None and country is not None:
        rules = stdnum.get_cc_module(country.lower(), "vat")
        if rules is not None and not rules.is_valid(tax_id):
            return "invalid_tax_id", f"the tax id is none of {country}"
    return None
