"""What is personal of an event leaves it and comes back."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest

from assets.contracts.fields import Email, EventData, Key, PersonName
from assets.contracts.personal import join, personal_paths, split
from assets.contracts.registry import CONTRACTS
from assets.contracts.schemas import schema_of

ORDER, CUSTOMER = "retail.order.placed.v1", "retail.customer.registered.v1"
ADA = {"country": "GB", "name": "Ada Byron", "email": "ada@example.org", "postcode": "W5"}


def payload_of(event_type: str, **data: Any) -> tuple[msgspec.Struct, bytes]:
    payload = msgspec.convert(data, CONTRACTS[event_type].struct)
    return payload, msgspec.json.encode(payload)


def order_to(ship_to: dict[str, str], **changes: Any) -> tuple[msgspec.Struct, bytes]:
    line = {"line_number": 1, "sku": "MUG", "quantity": 1, "unit_price": "2.40"}
    values = {"order_number": "A1", "currency": "GBP", "lines": [line], "ship_to": ship_to}
    return payload_of(ORDER, **values, **changes)


def test_an_order_to_a_country_alone_stays_as_it_is() -> None:
    assert split(ORDER, *order_to({"country": "GB"}, customer_number="C-7")) is None


def test_an_event_whose_contract_knows_no_person_stays_as_it_is() -> None:
    payload, data = payload_of("retail.order.cancelled.v1", order_number="A1", reason="too_late")
    assert split("retail.order.cancelled.v1", payload, data) is None


def test_name_and_address_leave_an_order_and_come_back() -> None:
    payload, data = order_to(ADA, customer_number="C-7")
    parts = split(ORDER, payload, data)
    assert parts is not None
    assert json.loads(parts.data)["ship_to"] == {"country": "GB"}
    assert b"Ada" not in parts.data
    assert json.loads(parts.fields) == {
        "ship_to": {"name": "Ada Byron", "email": "ada@example.org", "postcode": "W5"}
    }
    assert parts.customer_number == "C-7"
    again = msgspec.json.decode(join(parts.data, parts.fields), type=CONTRACTS[ORDER].struct)
    assert again == payload


def test_an_order_of_a_person_who_was_erased_still_keeps_its_contract() -> None:
    parts = split(ORDER, *order_to(ADA))
    assert parts is not None
    bare = msgspec.json.decode(parts.data, type=CONTRACTS[ORDER].struct)
    assert (bare.ship_to.country, bare.ship_to.name, bare.ship_to.email) == ("GB", None, None)


def test_an_empty_name_is_taken_out_like_any_other() -> None:
    parts = split(ORDER, *order_to({"country": "GB", "name": ""}))
    assert parts is not None
    assert json.loads(parts.fields) == {"ship_to": {"name": ""}}


def test_every_field_that_is_published_as_personal_is_found() -> None:
    for event_type, contract in CONTRACTS.items():
        schema = schema_of(contract)
        published = {
            name
            for part in (schema, *schema.get("$defs", {}).values())
            for name, field in part.get("properties", {}).items()
            if field["x-security-class"] == "personal"
        }
        assert {path[-1] for path in personal_paths(contract.struct)} == published, event_type
    assert len(personal_paths(CONTRACTS[CUSTOMER].struct)) == 5


class Required(EventData, frozen=True, kw_only=True):
    name: PersonName


class Guest(EventData, frozen=True, kw_only=True):
    email: Email | None = None


class Party(EventData, frozen=True, kw_only=True):
    host: Key
    guests: Annotated[list[Guest], msgspec.Meta(max_length=9)]


@pytest.mark.parametrize(("contract", "where"), [(Required, "name"), (Party, "guests.email")])
def test_a_contract_whose_person_could_not_be_erased_is_refused(
    contract: type[msgspec.Struct], where: str
) -> None:
    with pytest.raises(TypeError, match=rf"{where} is personal and cannot be taken out"):
        personal_paths(contract)
