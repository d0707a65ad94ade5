from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.identifiers import (
    command_id,
    command_id_text,
    decision_id,
    fulfilment_order_id,
    identify,
    identify_text,
    order_id,
    order_id_text,
)


def test_identifiers_are_the_same_today_as_when_they_were_first_stored() -> None:
    order = order_id("web_shop", "A1")
    assert str(order) == "a9a2ede9-7c14-56e3-bf3a-d37c058a62b1"
    assert str(fulfilment_order_id(order, "dc_midlands")) == "9ad6aca3-0e89-581d-ad1e-fe00cb29b97c"
    assert (
        str(command_id("erp", "sales_order.create", order, ""))
        == "320e25a9-1b37-5b29-aa53-7a13a6dd88d9"
    )
    assert str(decision_id("sourcing", order)) == "92faaa09-4e79-564f-94dd-b1c94b0ef2fc"


@given(st.text(max_size=5), st.lists(st.text(max_size=20) | st.integers(), max_size=4))
def test_an_identifier_is_the_name_based_one_of_the_standard(kind: str, key: list[object]) -> None:
    namespace = uuid.UUID("6f0c1d52-6f3e-5a0e-9d0b-0d1a4c9f7e21")
    expected = uuid.uuid5(namespace, "\x1f".join((kind, *map(str, key))))
    assert identify(kind, *key) == expected
    assert identify(kind, *key).version == 5
    assert identify_text(kind, *key) == str(expected)


def test_an_identifier_as_text_is_the_same() -> None:
    assert order_id_text("web_shop", "A1") == str(order_id("web_shop", "A1"))
    assert command_id_text("erp", "goods_issue.post", "A1", "") == str(
        command_id("erp", "goods_issue.post", "A1", "")
    )


def test_a_number_is_another_order_in_another_channel() -> None:
    assert order_id("web_shop", "A1") != order_id("marketplace", "A1")


def test_where_one_part_of_a_key_ends_makes_a_difference() -> None:
    assert identify("order", "web", "shopA1") != identify("order", "webshop", "A1")
    assert identify("order", "A1") != identify("command", "A1")
