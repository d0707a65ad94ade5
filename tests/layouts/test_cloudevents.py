from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assets.errors import BadInput
from resources.layouts.cloudevents import CloudEvents
from resources.layouts.spooled import SpooledReading
from tests.layouts.made_files import refused, told


def event(key: str, time: str | None = "2026-03-02T10:00:00Z", **changes: Any) -> bytes:
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": key,
        "source": "web_shop",
        "type": "retail.order.placed.v1",
        "subject": key,
        "time": time,
        "datacontenttype": "application/json",
        "legalentity": "shop_uk",
        "brand": "shop",
        "region": "uk",
        "channel": "web_shop",
        "correlationid": key,
        "data": {
            "order_number": key,
            "currency": "GBP",
            "lines": [{"line_number": 1, "sku": "MUG", "quantity": 1, "unit_price": "2.5"}],
            "ship_to": {"country": "GB"},
        },
    }
    return msgspec.json.encode({k: v for k, v in (body | changes).items() if v is not None})


def write(path: Path, *lines: bytes) -> Path:
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path, since: date | None = None, until: date | None = None) -> SpooledReading:
    return CloudEvents().read(path, since, until)


def test_lines_of_all_files_come_in_order_of_time_source_and_id(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", event("3", "2026-03-03T10:00:00Z"), b"", event("2"))
    write(tmp_path / "a.jsonl.gz", event("1", "2026-03-02T12:00:00+02:00"))
    reading = read(tmp_path)
    answer = told(reading)
    assert [told_event["id"] for told_event in answer.events] == ["1", "2", "3"]
    assert [window.until for window in answer.windows] == [
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 4, tzinfo=UTC),
    ]
    assert answer.windows[0].submissions[1].position == "b.jsonl:3"
    assert (reading.orders, reading.order_lines, reading.returns) == (3, 3, 0)
    assert not reading.needs_sandbox_supply
    assert reading.starts_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_renamed_and_split_files_give_the_same_even_where_ids_are_used_twice(
    tmp_path: Path,
) -> None:
    lines = [event("1", brand="other"), event("1"), event("2"), event("1", channel="store")]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write(tmp_path / "one" / "a.jsonl", *lines)
    for number, line in enumerate(reversed(lines)):
        write(tmp_path / "two" / f"{number}.jsonl", line)
    one, two = (told(read(tmp_path / name)) for name in ("one", "two"))
    assert one.bodies == two.bodies


def test_only_the_days_asked_for_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        *(event(str(day), f"2026-03-{day:02d}T23:30:00Z") for day in range(1, 6)),
    )
    reading = read(path, date(2026, 3, 2), date(2026, 3, 3))
    assert [told_event["id"] for told_event in told(reading).events] == ["2", "3"]
    assert reading.orders == 2


BAD_LINES = {
    "malformed_json": b'{"time":',
    "missing_field": event("9", None),
    "time_without_zone": event("9", "2026-03-02T10:00:00"),
    "time_out_of_range": event("9", "0001-01-01T00:00:00+14:00"),
    "not_cloudevents": b'["2026-03-02T10:00:00Z"]',
}


@pytest.mark.parametrize("reason_code", BAD_LINES)
def test_a_line_without_a_readable_time_is_refused_by_file_and_line(
    tmp_path: Path, reason_code: str
) -> None:
    path = write(tmp_path / "a.jsonl", event("1"), BAD_LINES[reason_code], event("2"))
    answer = told(read(path))
    (refusal,) = answer.refusals
    assert (refusal.position, refusal.reason_code) == ("a.jsonl:2", reason_code)
    assert refusal.body == BAD_LINES[reason_code]
    assert [told_event["id"] for told_event in answer.events] == ["1", "2"]
    assert sum(window.rows for window in answer.windows) == 3


def test_lines_that_can_all_not_be_placed_are_still_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", event("1", None))
    (window,) = read(path).windows(timedelta(days=1))
    assert [refusal.position for refusal in window.refusals] == ["a.jsonl:1"]


def test_what_the_contract_says_is_left_to_the_door(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", event("1", data={"lines": "none"}, id=7, source=None))
    (window,) = read(path).windows(timedelta(days=1))
    assert [submission.source for submission in window.submissions] == ["cloudevents"]


BROKEN_FILES = {
    "cut in its last line": (event("8") + b"\n" + event("9")[:-20], "ends within line 2"),
    "cut gzip": (gzip.compress(event("8") * 50)[:-12], "is a gzip that is cut or damaged"),
    "empty": (b"", "is empty"),
    "blank lines alone": (b"\n\n", "holds no lines"),
    "another layout": (b"InvoiceNo,StockCode\n1,2\n", "is not of the layout cloudevents"),
    "one list": (b"[" + event("9") + b"]\n", "is not of the layout cloudevents"),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_refused_whole_and_the_others_go_on(tmp_path: Path, case: str) -> None:
    content, reason = BROKEN_FILES[case]
    (tmp_path / "broken.jsonl").write_bytes(content)
    write(tmp_path / "good.jsonl", event("1"))
    reading = read(tmp_path)
    assert reason in refused(reading)["broken.jsonl"]
    assert [told_event["id"] for told_event in told(reading).events] == ["1"]
    assert reading.orders == 1
    with pytest.raises(BadInput, match=r"not one file can be used: broken\.jsonl"):
        read(tmp_path / "broken.jsonl")


def test_a_whole_last_line_needs_no_line_break(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + event("1"))
    assert len(told(read(tmp_path)).events) == 1
