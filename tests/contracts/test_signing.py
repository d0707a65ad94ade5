from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assets.contracts.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    binary_content,
    is_signed,
    query_content,
    sign,
)

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
OLD, NEW = "old-key", "new-key"


def accepted(keys: list[str], content: bytes, headers: dict[str, str], at: datetime = NOW) -> bool:
    return is_signed(keys, content, headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER], at)


def test_the_signature_is_the_one_that_any_language_computes() -> None:
    # echo -n '1772359200.{"a":1}' | openssl dgst -sha256 -hmac old-key
    headers = sign(OLD, b'{"a":1}', NOW, "web_shop")
    digest = "b24a00b354decad1da26d264d25ef7c14597eb1044a69ad311b0dc56ae329059"
    assert headers == {
        "x-omniflow-source": "web_shop",
        "x-omniflow-timestamp": "1772359200",
        "x-omniflow-signature": f"v1={digest}",
    }


@pytest.mark.parametrize("key", [OLD, NEW])
def test_both_keys_of_a_source_work_while_they_are_rotated(key: str) -> None:
    assert accepted([NEW, OLD], b"body", sign(key, b"body", NOW, "web"))


def test_a_key_that_was_taken_away_works_no_more() -> None:
    assert not accepted([NEW], b"body", sign(OLD, b"body", NOW, "web"))


def test_a_changed_body_is_refused() -> None:
    assert not accepted([OLD], b"another", sign(OLD, b"body", NOW, "web"))


def test_a_changed_timestamp_is_refused() -> None:
    headers = sign(OLD, b"body", NOW, "web")
    assert not accepted([OLD], b"body", {**headers, TIMESTAMP_HEADER: "1772359201"})


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_is_five_minutes_old_or_early_is_refused(seconds: int) -> None:
    headers = sign(OLD, b"body", NOW, "web")
    assert not accepted([OLD], b"body", headers, NOW + timedelta(seconds=seconds))
    assert accepted([OLD], b"body", headers, NOW + timedelta(seconds=seconds * 300 // 301))


def test_a_source_without_keys_cannot_sign() -> None:
    assert not accepted([], b"body", sign("0" * 64, b"body", NOW, "web"))


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "١٢٣", "9" * 400])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    assert not is_signed([OLD], b"body", timestamp, "v1=00", NOW)


def test_a_signature_of_strange_characters_is_refused() -> None:
    assert not is_signed([OLD], b"body", "1772359200", "v1=é\udc80", NOW)


def test_a_query_is_signed_with_its_target() -> None:
    headers = sign(OLD, query_content("GET", "/v1/orders/web/1"), NOW, "web")
    assert not accepted([OLD], query_content("GET", "/v1/orders/web/2"), headers)


def test_a_binary_event_is_signed_with_its_attributes() -> None:
    sent = {"ce-id": "1", "CE-Type": "retail.order.placed.v1", "content-type": "application/json"}
    headers = sign(OLD, binary_content(sent, b"{}"), NOW, "web")
    assert accepted([OLD], binary_content({**sent, "accept": "*/*"}, b"{}"), headers)
    assert not accepted([OLD], binary_content({**sent, "ce-id": "2"}, b"{}"), headers)
