from __future__ import annotations

from typing import Any

import pytest

from orchestration.commands._table_view import print_records, print_table

ORDERS: list[dict[str, Any]] = [
    {
        "order_id": "0" * 36,
        "order_number": "W1",
        "outcome": "broken",
        "cause_code": "late_dispatch",
        "late_day_count": 3,
    },
    {
        "order_id": "1" * 36,
        "order_number": "W2",
        "outcome": "kept",
        "cause_code": None,
        "late_day_count": 0,
    },
]
NAMES = list(ORDERS[0])
SUMMARY = ("order_number", "outcome", "cause_code", "late_day_count")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_terminal_that_is_wide_enough_shows_every_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert print_table(ORDERS, NAMES, SUMMARY, width=120) == NAMES
    assert lines(capsys)[0].split() == NAMES


def test_a_narrow_terminal_shows_what_says_most_with_names_over_several_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert print_table(ORDERS, NAMES, SUMMARY, width=40) == list(SUMMARY)
    shown = lines(capsys)
    assert shown == [
        " " * 32 + "late_",
        "order_                           day_",
        "number  outcome  cause_code     count",
        "W1      broken   late_dispatch      3",
        "W2      kept                        0",
    ]
    assert max(map(len, shown)) <= 40


def test_a_terminal_for_one_column_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_table(ORDERS, NAMES, SUMMARY, width=5) == ["order_number"]
    assert lines(capsys)[-1] == "W2"


def test_another_program_gets_every_column_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_table(ORDERS, NAMES, SUMMARY, width=None) == NAMES
    assert "0" * 36 in lines(capsys)[1]


def test_columns_that_were_asked_for_are_cut_like_any_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["order_id", "outcome"]
    assert print_table(ORDERS, asked, asked, width=40) == ["order_id"]
    assert lines(capsys)[0] == "order_id"


def test_a_mart_without_rows_shows_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_table([], NAMES, SUMMARY, width=80) == NAMES
    assert lines(capsys)[0].split() == NAMES


REFUSED: list[dict[str, Any]] = [
    {
        "id": 7,
        "reason": "orders.jsonl:7 is not JSON, and neither is anything after it",
        "source": "web_shop",
        "body_hash": "f" * 64,
    }
]


def test_words_go_over_several_lines_beside_the_columns_that_say_most(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = list(REFUSED[0])
    assert print_table(REFUSED, names, ("id", "source"), width=50, text="reason") == [
        "id",
        "source",
        "reason",
    ]
    assert lines(capsys) == [
        "id  source    reason",
        " 7  web_shop  orders.jsonl:7 is not JSON, and",
        "              neither is anything after it",
    ]


def test_words_alone_drop_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    names = list(REFUSED[0])
    assert len(print_table(REFUSED, names, ("id",), width=110, text="reason")) == 4
    assert max(map(len, lines(capsys))) <= 110


def test_records_have_a_line_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(ORDERS, ["order_number", "cause_code"])
    assert lines(capsys) == [
        "1",
        "  order_number  W1",
        "  cause_code    late_dispatch",
        "",
        "2",
        "  order_number  W2",
        "  cause_code",
    ]
