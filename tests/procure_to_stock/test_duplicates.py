"""Copies of an invoice are known under any of the numbers that they come with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from assets.ports import InvoiceView
from assets.procure_to_stock.rules.duplicates import look_alike, normalised, same_invoice
from tests.builders import minutes

WINDOW = timedelta(days=45)


@dataclass
class Said:
    number: str = "INV1001"
    group: str = "A"
    kind: str = "invoice"
    order: str = "P1"
    amount: int = 100
    day: int = 0

    def view(self) -> InvoiceView:
        return InvoiceView(
            f"{self.number}/{self.day}/{self.kind}",
            self.group,
            self.group,
            normalised(self.number),
            self.kind,
            self.order,
            "GBP",
            self.amount,
            minutes(self.day * 1_440),
        )


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("INV-1001", "INV1001"),
        ("inv 1001", "INV1001"),
        ("INV/001001", "INV1001"),
        ("0001001", "1001"),
        ("2026-0007", "20267"),
        ("000", "0"),
        ("Nº 12", "N12"),
        ("--", "--"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(number: str, expected: str) -> None:
    assert normalised(number) == expected


def test_the_same_number_of_a_group_is_the_same_invoice_in_any_year() -> None:
    known = [Said().view()]
    assert same_invoice(Said("inv 01001", day=800, amount=7).view(), known) is known[0]
    assert same_invoice(Said(group="B").view(), known) is None
    assert same_invoice(Said(kind="credit_note").view(), known) is None


@pytest.mark.parametrize(
    ("new", "is_like"),
    [
        (Said("INVI0O1", day=3), True),
        (Said("1001", day=3), True),
        (Said("INV1001A", day=3), True),
        (Said("INV1001A", day=45), True),
        (Said("INV1001A", day=46), False),
        (Said("INV1001A", amount=101), False),
        (Said("INV1001A", order="P2"), False),
        (Said("INV1001A", group="B"), False),
        # An instalment: the same amount for the same order under the next number.
        (Said("INV1002", day=30), False),
        (Said("1", day=3), False),
        (Said("INV1001A", kind="credit_note"), False),
    ],
)
def test_an_invoice_that_reads_alike_may_be_a_copy(new: Said, is_like: bool) -> None:
    assert (look_alike(new.view(), [Said().view()], WINDOW) is not None) == is_like


def test_what_was_credited_is_billed_anew_and_is_no_copy() -> None:
    known = [Said().view(), Said("C7", kind="credit_note", day=2).view()]
    assert look_alike(Said("INV1001A", day=3).view(), known, WINDOW) is None
    too_early = [Said(day=1).view(), Said("C7", kind="credit_note", day=0).view()]
    assert look_alike(Said("INV1001A", day=3).view(), too_early, WINDOW) is not None
