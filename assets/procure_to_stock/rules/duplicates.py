"""One economic invoice is paid once, however often and under whatever number it is sent.

Sources of the rules: how duplicate payments come about (number variants, two ids of one supplier,
credit and rebill) is described in the decision record. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from assets.ports import InvoiceView

_NOISE = re.compile(r"[^A-Z0-9]+")
#: What is misread for something else, on paper and by machines.
_LOOKS_LIKE = str.maketrans("OISB", "0158")
#: Shorter ones are part of too many others.
_SHORTEST_PART = 4


def normalised(number: str) -> str:
    """An invoice number without what varies between two copies of it.

    Upper case, letters and digits only, without zeros at the beginning of any run of digits.
    """
    parts = re.findall(r"[A-Z]+|[0-9]+", _NOISE.sub(" ", number.upper()))
    kept = "".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)
    return kept or number


def same_invoice(new: InvoiceView, known: Iterable[InvoiceView]) -> InvoiceView | None:
    """The invoice that this is another copy of, if it is one: same group, kind and number."""
    for other in known:
        if (other.group_id, other.kind) == (new.group_id, new.kind) and (
            other.normalised_number == new.normalised_number
        ):
            return other
    return None


def look_alike(
    new: InvoiceView, known: Sequence[InvoiceView], window: timedelta
) -> InvoiceView | None:
    """The invoice that this may be another copy of: same group, amount and order, similar number.

    A number is similar if it reads alike (O for 0, I for 1, S for 5, B for 8) or contains the
    other. An invoice that was credited meanwhile is not, since it is billed anew; nor is an
    instalment, whose number is another.
    """
    if new.kind != "invoice":
        return None
    credited = [other for other in known if other.kind == "credit_note"]
    for other in known:
        is_like = (
            other.kind == "invoice"
            and other.group_id == new.group_id
            and other.currency_code == new.currency_code
            and other.total_amount == new.total_amount
            and other.purchase_order_id == new.purchase_order_id
            and abs(other.occurred_at - new.occurred_at) <= window
            and _reads_alike(other.normalised_number, new.normalised_number)
        )
        if is_like and not any(_takes_back(credit, other) for credit in credited):
            return other
    return None


def _reads_alike(one: str, other: str) -> bool:
    if one.translate(_LOOKS_LIKE) == other.translate(_LOOKS_LIKE):
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _SHORTEST_PART and shorter in longer


def _takes_back(credit: InvoiceView, invoice: InvoiceView) -> bool:
    return (
        credit.group_id == invoice.group_id
        and credit.currency_code == invoice.currency_code
        and credit.total_amount == invoice.total_amount
        and credit.occurred_at >= invoice.occurred_at
    )
