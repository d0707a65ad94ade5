from __future__ import annotations

import csv
import gzip
from datetime import timedelta
from pathlib import Path

from resources.file_gate import judge_files
from resources.layouts.uci_online_retail.expectations import COLUMNS, FILE_SUITE, rows
from resources.layouts.uci_online_retail.layout import UciOnlineRetail, UciReading
from tests.gates.suite_cases import uci_row


def file(folder: Path, *changes: dict[str, str], name: str = "2010-12.csv.gz") -> UciReading:
    with gzip.open(folder / name, "wt", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows({**uci_row(number), **change} for number, change in enumerate(changes))
    return UciOnlineRetail().read(folder)


def submitted(reading: UciReading) -> tuple[int, list[str]]:
    windows = list(reading.windows(timedelta(days=1)))
    refused = [refusal.reason for window in windows for refusal in window.refusals]
    return sum(len(window.submissions) for window in windows), refused


def test_a_refused_row_takes_its_invoice_to_quarantine_and_no_other(tmp_path: Path) -> None:
    invoice = {"InvoiceNo": "536365"}
    reading = file(tmp_path, invoice, {**invoice, "Quantity": "0"}, invoice, {})
    (judgement,) = judge_files(reading, FILE_SUITE, rows)
    assert judgement.verdict.held_rows == (0, 1, 2)
    accepted, refused = submitted(reading)
    assert accepted == 1
    assert len(refused) == 1
    assert "the quantity is zero" in refused[0]


def test_bad_debt_may_be_negative_and_goods_may_not(tmp_path: Path) -> None:
    bad_debt = {"InvoiceNo": "A563186", "StockCode": "B", "Quantity": "1"}
    reading = file(tmp_path, {**bad_debt, "UnitPrice": "-11062.06"}, {"UnitPrice": "-1.00"})
    (judgement,) = judge_files(reading, FILE_SUITE, rows)
    assert judgement.verdict.held_rows == (1,)
    accepted, refused = submitted(reading)
    assert accepted == 1
    assert "the price is negative and the invoice corrects no debt" in refused[0]


def test_a_file_in_which_a_rule_breaks_down_is_refused_whole(tmp_path: Path) -> None:
    from assets.quality_gate import Suite, holds

    def broken(frame: object) -> object:
        raise KeyError("Prize")

    gate = Suite("f", "order_desk", COLUMNS[:2], (holds("r", ["InvoiceNo"], broken, "-"),))  # type: ignore[arg-type]
    file(tmp_path, {}, name="a.csv.gz")
    reading = file(tmp_path, {}, {}, name="b.csv.gz")
    reading_of_one = UciOnlineRetail().read(tmp_path / "a.csv.gz")
    assert [verdict.refused_because for verdict in reading.files] == [None, None]

    class Halved:
        """The same reading, of which the gate is shown one file."""

        frames = staticmethod(reading_of_one.frames)
        refuse_rows = staticmethod(reading.refuse_rows)
        exclude_file = staticmethod(reading.exclude_file)

    judge_files(Halved(), gate, rows)
    assert "could not be evaluated" in (reading.files[0].refused_because or "")
    assert reading.files[1].refused_because is None


def test_an_untouched_file_is_accepted_whole(tmp_path: Path) -> None:
    reading = file(tmp_path, {}, {"Description": "", "CustomerID": ""}, {"Quantity": "6.0"})
    (judgement,) = judge_files(reading, FILE_SUITE, rows)
    assert judgement.verdict.failures == ()
    assert submitted(reading) == (3, [])
