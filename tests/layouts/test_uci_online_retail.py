from __future__ import annotations

import gzip
import os
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.errors import BadInput
from tests.layouts.made_files import HEADER, SHARED_DATA, read, refused, row, text, told, write

# What an invoice becomes


def test_an_invoice_is_one_order_with_its_lines_in_canonical_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("536365", "71053", 6, "3.39"),
        row("536365", "85123a ", 2, "2.55"),
        row("536365", "71053", 6, "3.39"),
        row("536365", "POST", 1, "18.0"),
    )
    assert told(read(path)).event("536365") == {
        "specversion": "1.0",
        "id": "58dbca3a-9dcc-550a-a08f-66076f19b897",
        "source": "uci_online_retail",
        "type": "retail.order.placed.v1",
        "subject": "536365",
        "time": "2010-12-01T08:26:00Z",
        "datacontenttype": "application/json",
        "legalentity": "online_retail_uk",
        "brand": "online_retail",
        "region": "uk",
        "channel": "b2b",
        "correlationid": "536365",
        "data": {
            "order_number": "536365",
            "currency": "GBP",
            "lines": [
                {"line_number": 1, "sku": "71053", "quantity": 6, "unit_price": "3.3900"},
                {"line_number": 2, "sku": "71053", "quantity": 6, "unit_price": "3.3900"},
                {"line_number": 3, "sku": "85123A", "quantity": 2, "unit_price": "2.5500"},
            ],
            "charges": [{"code": "postage", "amount": "18.0000"}],
            "customer_number": "17850",
            "ship_to": {"country": "GB"},
        },
    }


def test_a_c_invoice_is_a_return_and_its_charges_keep_the_sign_of_the_money(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "a.csv",
        row("C536379", "22556", -12, "1.65"),
        row("C536379", "D", -1, "27.5"),
        row("C536380", "POST", -1, "18.0"),
    )
    reading = read(path)
    assert (reading.orders, reading.order_lines, reading.returns) == (0, 0, 2)
    answer = told(reading)
    assert answer.event("C536379")["data"] == {
        "return_number": "C536379",
        "currency": "GBP",
        "lines": [{"line_number": 1, "sku": "22556", "quantity": 12, "unit_price": "1.6500"}],
        "charges": [{"code": "discount", "amount": "-27.5000"}],
        "customer_number": "17850",
    }
    assert answer.event("C536380")["data"]["lines"] == []


def test_wholly_unpriced_or_negative_invoices_correct_stock(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("536589", "21777", -10, "0.0", description="damaged", customer=""),
        row("536590", "21777", 56, "0.0", description="", customer=""),
        row("565556", "POST", 750, "0.0", description="", customer=""),
    )
    corrections = [event["data"] for event in told(read(path)).of("inventory")]
    corrections.sort(key=lambda data: data["document_number"])
    assert corrections == [
        {
            "document_number": "536589",
            "node_id": "dc_midlands",
            "reason": "write_off",
            "note": "damaged",
            "lines": [{"line_number": 1, "sku": "21777", "quantity": -10}],
        },
        {
            "document_number": "536590",
            "node_id": "dc_midlands",
            "reason": "found",
            "note": "",
            "lines": [{"line_number": 1, "sku": "21777", "quantity": 56}],
        },
        {
            "document_number": "565556",
            "node_id": "dc_midlands",
            "reason": "found",
            "note": "POST quantity 750 at no price",
            "lines": [],
        },
    ]


def test_an_a_invoice_corrects_the_ledger_by_its_signed_amount(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("A563186", "B", 1, "-11062.06", description="Adjust bad debt", customer=""),
    )
    assert told(read(path)).event("A563186")["data"] == {
        "document_number": "A563186",
        "debit_account": "bad_debt",
        "credit_account": "accounts_receivable",
        "amount": "-11062.0600",
        "currency": "GBP",
        "note": "Adjust bad debt",
    }


def test_unpriced_lines_of_an_order_are_lines_at_zero_and_charges_alone_are_an_order(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "a.csv",
        row("553521", "22423", 1, "0.0"),
        row("553521", "DOT", 1, "200.5"),
        row("537534", "m", 3, "1.25"),
    )
    answer = told(read(path))
    assert answer.event("553521")["data"]["lines"][0]["unit_price"] == "0.0000"
    assert answer.event("537534")["data"]["charges"] == [{"code": "manual", "amount": "3.7500"}]
    assert answer.event("537534")["data"]["lines"] == []


def test_the_channel_follows_the_declared_rules(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("1", customer="17850"),
        row("2", customer=""),
        row("3", customer="17850"),
        row("3", "DOT", 1, "5"),
    )
    answer = told(read(path))
    assert [answer.event(number)["channel"] for number in "123"] == ["b2b", "store", "web_shop"]


def test_the_region_follows_the_country(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("1", country="Norway"),
        row("2", country="EIRE"),
        row("3", country="Channel Islands"),
    )
    answer = told(read(path))
    assert [
        (event["region"], event["data"]["ship_to"]["country"])
        for event in (answer.event(number) for number in "123")
    ] == [("row", "NO"), ("eu", "IE"), ("row", "JE")]


def test_an_invoice_happens_at_its_earliest_row_in_london_time(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("1", at="2011-07-01 10:05:00"),
        row("1", at="2011-07-01 10:04:00"),
    )
    assert told(read(path)).event("1")["time"] == "2011-07-01T09:04:00Z"


# Where the rows stand


SPLIT_ROWS = st.lists(
    st.builds(
        row,
        invoice=st.sampled_from(["1", "2", "C3", "A4", "5", "6"]),
        sku=st.sampled_from(["85123A", "85123a", "POST", "22423", "B", "DOT"]),
        quantity=st.integers(-3, 3),
        price=st.sampled_from(["0.0", "2.55", "2.550", "1.255", "-1.0", "1.00001"]),
        description=st.sampled_from(["", "MUG", "CUP", 'LETTER "D" KEY RING']),
        at=st.sampled_from(["2010-12-01 08:26:00", "2010-12-01 08:27:00", "2011-04-02 00:00:00"]),
        customer=st.sampled_from(["", "17850.0"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(rows=SPLIT_ROWS, draw=st.data())
def test_any_split_renaming_and_shuffle_of_the_rows_gives_equal_events(
    rows: list[list[str]], draw: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = write(Path(folder) / "whole.csv", *rows)
        expected = told(read(whole))
        parts: dict[int, list[list[str]]] = {}
        for part in draw.draw(st.permutations(rows)):
            parts.setdefault(draw.draw(st.integers(0, 3)), []).append(part)
        split = Path(folder) / "split"
        split.mkdir()
        names = draw.draw(st.permutations(["z.csv", "a.csv.gz", "m.txt", "Orders (1).csv"]))
        for number, part_rows in parts.items():
            write(split / names[number], *part_rows)
        answer = told(read(split))
    assert answer.bodies == expected.bodies
    assert answer.catalogue == expected.catalogue
    assert [window.until for window in answer.windows] == [
        window.until for window in expected.windows
    ]
    assert sum(window.rows for window in answer.windows) == len(rows)

    def lines(bodies: list[bytes]) -> Counter[bytes]:
        return Counter(line for body in bodies for line in body.splitlines())

    assert lines([refusal.body for refusal in answer.refusals]) == lines(
        [refusal.body for refusal in expected.refusals]
    )


@settings(deadline=None, max_examples=60)
@given(rows=SPLIT_ROWS)
def test_every_row_is_in_an_event_or_in_a_refusal(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reading = read(write(Path(folder) / "a.csv", *rows))
        answer = told(reading)
    numbers = {entry[0] for entry in rows}
    in_events = {event["subject"] for event in answer.events}
    in_refusals = {
        line.split(b",")[0].decode()
        for refusal in answer.refusals
        for line in refusal.body.splitlines()
    }
    assert in_events | in_refusals == numbers
    assert not in_events & in_refusals
    assert sum(len(refusal.body.splitlines()) for refusal in answer.refusals) == sum(
        entry[0] in in_refusals for entry in rows
    )
    placed = answer.of("order")
    assert reading.orders == len(placed)
    assert reading.order_lines == sum(len(event["data"]["lines"]) for event in placed)
    assert reading.returns == len(answer.of("return"))


def test_the_size_of_the_windows_changes_no_event(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        *(row(str(n), f"SKU{n % 5}", at=f"2011-03-{26 + n % 4} {n:02d}:30:00") for n in range(24)),
    )
    reading = read(path)
    expected = told(reading, timedelta(days=1))
    for quantum in (timedelta(hours=1), timedelta(hours=6), timedelta(days=7)):
        answer = told(reading, quantum)
        assert answer.bodies == expected.bodies
        assert answer.catalogue == expected.catalogue


# Spellings of the public data set


def test_columns_may_stand_in_another_order_and_be_named_as_in_online_retail_ii(
    tmp_path: Path,
) -> None:
    plain = write(tmp_path / "plain.csv", row())
    other = tmp_path / "other.csv"
    other.write_text(
        "Price,Invoice,StockCode,Description,Quantity,InvoiceDate,Customer ID,Country\n"
        "2.55,536365,85123A,WHITE T-LIGHT HOLDER,6,2010-12-01 08:26:00,17850.0,United Kingdom\n"
    )
    assert told(read(other)).bodies == told(read(plain)).bodies


def test_a_file_in_latin_1_with_windows_line_ends_gives_the_same_as_in_utf_8(
    tmp_path: Path,
) -> None:
    content = text(row("1", "GIFT_0001_20", 1, "17.02", description="Gift Voucher £20.00"))
    (tmp_path / "latin.csv").write_bytes(content.replace("\n", "\r\n").encode("latin-1"))
    (tmp_path / "utf8.csv").write_bytes(b"\xef\xbb\xbf" + content.encode())
    latin, utf8 = (told(read(tmp_path / name)) for name in ("latin.csv", "utf8.csv"))
    assert latin.bodies == utf8.bodies
    assert latin.catalogue[0].description == utf8.catalogue[0].description == "Gift Voucher £20.00"


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["1/2/2011 8:26", "1/13/2011 9:00"], "2011-01-02T08:26:00Z"),
        (["1/2/2011 8:26", "13/1/2011 9:00"], "2011-02-01T08:26:00Z"),
        (["3/3/2011 8:26", "2011-03-04 09:00"], "2011-03-03T08:26:00Z"),
    ],
)
def test_the_days_of_a_file_tell_whether_the_month_comes_first(
    tmp_path: Path, dates: list[str], expected: str
) -> None:
    path = write(tmp_path / "a.csv", *(row(str(n), at=at) for n, at in enumerate(dates)))
    assert told(read(path)).event("0")["time"] == expected


def test_a_file_that_cannot_tell_day_from_month_follows_the_others_or_is_refused(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.csv", row("1", at="1/2/2011 8:26"))
    with pytest.raises(BadInput, match="cannot be told whether the day or the month comes first"):
        read(tmp_path)
    write(tmp_path / "b.csv", row("2", at="13/2/2011 8:26"))
    assert told(read(tmp_path)).event("1")["time"] == "2011-02-01T08:26:00Z"
    write(tmp_path / "c.csv", row("3", at="2/13/2011 8:26"))
    assert list(refused(read(tmp_path))) == ["a.csv"]
    write(tmp_path / "b.csv", row("2", at="13/2/2011 8:26"), row("2", at="2/13/2011 8:26"))
    assert "month first and dates with the day first" in refused(read(tmp_path))["b.csv"]


# Files that are refused whole


def _cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


BROKEN_FILES = {
    "zero bytes": (b"", "is empty"),
    "a header alone": (f"{HEADER}\n".encode(), "has a header and no rows"),
    "cut within a row": (
        text(row(), row()).encode()[:-40],
        "row 3 has 5 columns instead of 8: the file is cut or damaged",
    ),
    "cut within the last country": (
        text(row(), row()).encode()[:-5],
        "ends within its last row: the file is cut",
    ),
    "cut within a quoted field": (
        text(row(), row(description="A, B")).encode().partition(b' B"')[0],
        "row 3 has 3 columns instead of 8: the file is cut or damaged",
    ),
    "cut gzip": (_cut_in_half(gzip.compress(text(row()).encode())), "a gzip that is cut"),
    "gzip with a wrong check sum": (
        gzip.compress(text(row()).encode())[:-8] + bytes(8),
        "is a gzip that is cut or damaged",
    ),
    "missing columns": (
        b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Country\n1,2,3,4,5,6\n",
        "has no column UnitPrice, CustomerID",
    ),
    "a column twice": (
        f"{HEADER},Price\n{','.join(row())},2\n".encode(),
        "has a column twice: UnitPrice",
    ),
    "another layout": (b"order_id,amount\n1,2\n", "is not of the layout uci_online_retail"),
    "json": (b'{"order": {"id": 1}}\n', "is not of the layout uci_online_retail"),
    "a spreadsheet": (b"PK\x03\x04rest", "save it as .csv first"),
    "wide characters": (text(row()).encode("utf-16"), "is neither UTF-8 nor Latin-1 text"),
    "another code page": (
        text(row(description="\N{EURO SIGN}20")).encode("cp1252"),
        "is neither UTF-8 nor Latin-1 text",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_refused_whole_and_the_others_go_on(tmp_path: Path, case: str) -> None:
    content, reason = BROKEN_FILES[case]
    (tmp_path / "broken.csv").write_bytes(content)
    write(tmp_path / "good.csv", row("1"))
    reading = read(tmp_path)
    assert reason in refused(reading)["broken.csv"]
    assert [event["subject"] for event in told(reading).events] == ["1"]
    with pytest.raises(BadInput, match=r"not one file can be used: broken\.csv"):
        read(tmp_path / "broken.csv")


def test_wherever_a_file_is_cut_only_whole_rows_are_taken(tmp_path: Path) -> None:
    rows = [row("1"), row("2", description='LETTER "D", RED'), row("3", country="Korea")]
    content = text(*rows).encode()
    path = tmp_path / "a.csv"
    taken = Counter[int]()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        try:
            ((_, frame),) = read(path).frames()
        except BadInput:
            continue
        kept = [list(values.values())[:-1] for values in frame.to_pylist()]
        assert kept == rows[: len(kept)]
        taken[len(kept)] += 1
    # At the end of each row with and without its line break; the whole file is not cut.
    assert taken == {1: 2, 2: 2, 3: 1}


def test_a_file_without_a_last_line_break_is_whole_if_its_last_country_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text(text(row()).rstrip("\n"))
    assert refused(read(tmp_path)) == {}
    header = "Country,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,CustomerID,UnitPrice"
    (tmp_path / "b.csv").write_text(
        f"{header}\nUnited Kingdom,9,85123A,MUG,1,2010-12-01 08:26:00,,2.5"
    )
    assert "does not end with a line break" in refused(read(tmp_path))["b.csv"]


def test_a_file_that_is_a_copy_of_another_is_refused(tmp_path: Path) -> None:
    rows = [row(str(number)) for number in range(100)]
    write(tmp_path / "year.csv", *rows)
    write(tmp_path / "year (1).csv.gz", *rows)
    reading = read(tmp_path)
    assert refused(reading) == {"year.csv": "has the same content as year (1).csv.gz"}
    assert reading.order_lines == 100


def test_a_path_that_is_not_there_or_empty_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        read(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="holds no files"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "good.csv", row())
    write(tmp_path / "secret.csv", row()).chmod(0)
    assert "cannot be read" in refused(read(tmp_path))["secret.csv"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "good.csv", row())
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    assert "cannot be read" in refused(read(tmp_path))["gone.csv"]


# Rows that take their invoice to quarantine


BAD_ROWS = {
    "quantity '1.5' is not a whole number": {"quantity": "1.5"},
    "quantity '' is not a whole number": {"quantity": ""},
    "quantity '1000001' is beyond 1,000,000": {"quantity": "1000001"},
    "price '2.55001' has more than four decimals": {"price": "2.55001"},
    "price '2,55' is not a number": {"price": "2,55"},
    "price '-2.55' of goods is negative": {"price": "-2.55"},
    "date '2011-02-30 10:00:00' is not a local time": {"at": "2011-02-30 10:00:00"},
    "date 'yesterday' is not a local time": {"at": "yesterday"},
    "the stock code is missing": {"sku": " "},
    "country 'Atlantis' is unknown": {"country": "Atlantis"},
    f"stock code {'X' * 37 + '...'!r} is longer than 64": {"sku": "X" * 65},
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_bad_row_takes_its_whole_invoice_to_quarantine(tmp_path: Path, reason: str) -> None:
    good = row("1", at="2010-12-01 08:26:00")
    bad = row(**{"invoice": "1", **BAD_ROWS[reason]})  # type: ignore[arg-type]
    write(tmp_path / "a.csv", row("2"), good)
    write(tmp_path / "b.csv", row("2"), bad)
    reading = read(tmp_path)
    answer = told(reading)
    assert [event["subject"] for event in answer.events] == ["2"]
    (refusal,) = answer.refusals
    assert refusal.position == "b.csv:3"
    assert refusal.reason == f"b.csv:3: {reason}" or refusal.reason.startswith(
        f"b.csv:3: {reason};"
    )
    assert refusal.body.decode() == text(good, bad).partition("\n")[2]
    assert sum(window.rows for window in answer.windows) == 4
    assert (reading.orders, reading.order_lines) == (1, 2)


BAD_INVOICES = {
    "its rows name several customers": [row("1"), row("1", customer="")],
    "its rows name several countries": [row("1"), row("1", country="France")],
    "goods of a C invoice do not come back": [row("C1", quantity=1)],
    "it has prices, and goods whose quantity is not positive": [row("1"), row("1", quantity=-1)],
    "an A invoice is about more than a debt": [row("A1")],
    "a charge is given back outside a C invoice": [row("1", "POST", -1, "5")],
    "it has more than 5,000 lines": [row("1")] * 5001,
}


@pytest.mark.parametrize("reason", BAD_INVOICES)
def test_an_invoice_that_contradicts_itself_is_quarantined(tmp_path: Path, reason: str) -> None:
    write(tmp_path / "a.csv", *BAD_INVOICES[reason])
    (refusal,) = told(read(tmp_path)).refusals
    assert refusal.reason.endswith(reason)
    assert refusal.position.startswith("a.csv:2")
    assert len(refusal.body.splitlines()) == len(BAD_INVOICES[reason])


def test_rows_without_an_invoice_number_are_quarantined_one_by_one(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", row(""), row("1"), row(" ", "22423"))
    answer = told(read(tmp_path))
    assert [refusal.position for refusal in answer.refusals] in (
        ["a.csv:2", "a.csv:4"],
        ["a.csv:4", "a.csv:2"],
    )
    assert [event["subject"] for event in answer.events] == ["1"]


def test_rows_without_a_time_are_told_in_the_first_window(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", row("1", at=""), row("2"), row("3", at="2010-12-05 10:00:00"))
    first, _ = told(read(tmp_path)).windows
    assert [refusal.position for refusal in first.refusals] == ["a.csv:2"]
    write(tmp_path / "a.csv", row("1", at=""))
    with pytest.raises(BadInput, match="not one row has a date"):
        read(tmp_path)
    (only,) = told(read(tmp_path, since=date(2010, 12, 1))).windows
    assert len(only.refusals) == 1


# What a gate may do first


def test_a_gate_sees_raw_text_with_row_numbers_and_may_take_out_rows_and_files(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.csv", row("1", "85123a"), row("2", price="2.550"))
    write(tmp_path / "b.csv", row("3"))
    reading = read(tmp_path)
    frames = dict(reading.frames())
    assert list(frames) == [tmp_path / "a.csv", tmp_path / "b.csv"]
    frame = frames[tmp_path / "a.csv"]
    assert frame.column_names == [*HEADER.split(","), "row_number"]
    assert frame["StockCode"].to_pylist() == ["85123a", "85123A"]
    assert frame["UnitPrice"].to_pylist() == ["2.55", "2.550"]
    assert frame["row_number"].to_pylist() == [2, 3]
    reading.refuse_rows(tmp_path / "a.csv", {3: "a price ends with a zero"})
    reading.exclude_file(tmp_path / "b.csv", "the gate holds it")
    assert refused(reading) == {"b.csv": "the gate holds it"}
    answer = told(reading)
    assert [event["subject"] for event in answer.events] == ["1"]
    assert [refusal.reason for refusal in answer.refusals] == ["a.csv:3: a price ends with a zero"]
    assert reading.orders == 1
    with pytest.raises(BadInput, match="not one file can be used"):
        reading.exclude_file(tmp_path / "a.csv", "the gate holds it too")


# Windows, days and the catalogue


def test_windows_end_at_local_midnight_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("1", at="2011-03-26 23:59:00"),
        row("2", at="2011-03-27 00:00:00"),
        row("3", at="2011-03-27 23:30:00"),
        row("4", at="2011-04-02 12:00:00"),
    )
    reading = read(path)
    assert reading.starts_at == datetime(2011, 3, 26, tzinfo=UTC)
    windows = told(reading, timedelta(days=1)).windows
    assert [(window.until, window.rows) for window in windows] == [
        (datetime(2011, 3, 27, 0, tzinfo=UTC), 2),
        (datetime(2011, 3, 27, 23, tzinfo=UTC), 1),
        (datetime(2011, 4, 2, 23, tzinfo=UTC), 1),
    ]
    with pytest.raises(BadInput, match="neither divides a day"):
        next(read(path).windows(timedelta(hours=7)))


def test_from_and_to_are_local_days_and_both_are_included(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row("1", at="2011-06-30 23:59:00"),
        row("2", at="2011-07-01 00:00:00"),
        row("3", at="2011-07-02 23:59:00"),
        row("4", at="2011-07-03 00:00:00"),
    )
    reading = read(path, since=date(2011, 7, 1), until=date(2011, 7, 2))
    assert reading.orders == 2
    assert [event["subject"] for event in told(reading).events] == ["2", "3"]
    assert reading.starts_at == datetime(2011, 6, 30, 23, tzinfo=UTC)
    nothing = read(path, since=date(2012, 1, 1))
    assert told(nothing).windows == []
    assert nothing.starts_at == datetime(2012, 1, 1, tzinfo=UTC)


def test_the_catalogue_has_each_sku_on_its_first_day_with_that_days_price(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "a.csv",
        row("9", "MUG", 1, "3.25", at="2011-07-01 15:00:00", description=""),
        row("1", "mug", 1, "3.00", at="2011-07-01 16:00:00", description="A MUG"),
        row("2", "CUP", 5, "0.0", at="2011-07-01 09:00:00", description="found", customer=""),
        row("3", "CUP", 5, "1.0", at="2011-07-02 09:00:00", description="A CUP"),
        row("4", "POST", 1, "1.0", at="2011-07-02 09:00:00"),
        row("5", "BAD", "x", "1.0", at="2011-07-02 09:00:00"),
    )
    answer = told(read(path), timedelta(hours=1))
    assert [(item.sku, item.description, item.list_price) for item in answer.catalogue] == [
        ("CUP", "A CUP", "0"),
        ("MUG", "A MUG", "3.2500"),
    ]
    assert {item.first_seen_at for item in answer.catalogue} == {
        datetime(2011, 6, 30, 23, tzinfo=UTC)
    }
    assert len(answer.windows[0].catalogue) == 2


# The real year


@pytest.mark.slow
def test_the_real_year_has_the_verified_counts() -> None:
    folder = SHARED_DATA / "uci_online_retail"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    reading = read(folder)
    assert refused(reading) == {}
    assert sum(verdict.rows for verdict in reading.files) == 541_909
    assert (reading.orders, reading.order_lines, reading.returns) == (19_959, 528_186, 3_836)
    assert reading.starts_at == datetime(2010, 12, 1, tzinfo=UTC)
    answer = told(reading)
    assert Counter(event["type"] for event in answer.events) == {
        "retail.order.placed.v1": 19_959,
        "retail.return.requested.v1": 3_836,
        "retail.inventory.adjusted.v1": 2_102,
        "retail.ledger.adjusted.v1": 3,
    }
    assert answer.refusals == []
    assert sum(window.rows for window in answer.windows) == 541_909
    assert sum(not event["data"]["lines"] for event in answer.of("order")) == 177
    assert sum(not event["data"]["lines"] for event in answer.of("inventory")) == 7
    assert len(answer.catalogue) == len({item.sku for item in answer.catalogue}) == 3_948
