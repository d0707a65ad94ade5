"""Whether somebody who wants to sell to us does so already, under another id. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz import fuzz

#: What a name has for the law only.
_LEGAL_FORMS = frozenset(
    {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited", "llc"}
    | {"llp", "ltd", "nv", "oy", "plc", "sa", "sarl", "sas", "spa", "srl", "the", "und", "and"}
)


class Known(NamedTuple):
    """A supplier, or somebody who has applied; numbers without spaces."""

    supplier_id: str
    name: str
    tax_id: str | None
    bank_account: str | None


class Alike(NamedTuple):
    """Somebody who may be the same, and why.

    Attributes:
        likeness: Of the names, in percent; 100 where a number is the same.
    """

    supplier_id: str
    what: str
    likeness: int


def normalised(name: str) -> str:
    """A name without accents, marks, capitals and legal forms, its words in order."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace(".", ""))
    return " ".join(sorted(word for word in words if word not in _LEGAL_FORMS) or sorted(words))


def find(applicant: Known, known: Iterable[Known], alike_percent: int) -> list[Alike]:
    """Those who have the same tax id or account, or a name that is alike; the likest first."""
    name = normalised(applicant.name)
    found = []
    for other in known:
        if other.supplier_id == applicant.supplier_id:
            continue
        if applicant.tax_id and applicant.tax_id == other.tax_id:
            found.append(Alike(other.supplier_id, "tax_id", 100))
        elif applicant.bank_account and applicant.bank_account == other.bank_account:
            found.append(Alike(other.supplier_id, "bank_account", 100))
        else:
            likeness = int(fuzz.ratio(name, normalised(other.name)))
            if likeness >= alike_percent:
                found.append(Alike(other.supplier_id, "name", likeness))
    return sorted(found, key=lambda one: (-one.likeness, one.supplier_id))
