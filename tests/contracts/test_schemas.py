from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from assets.contracts.registry import CONTRACTS
from assets.contracts.schemas import (
    FOLDER,
    HISTORY,
    extend_history,
    judge,
    publish,
    read_history,
    schemas,
    written,
)
from tests.contracts.events import line, order, order_data

ORDER = "retail.order.placed.v1"


def test_the_committed_schemas_are_the_generated_ones() -> None:
    committed = {path.stem: path.read_text() for path in FOLDER.glob("*.json")}
    history = committed.pop("history")
    assert committed == {name: written(schema) for name, schema in schemas().items()}
    assert history == written(extend_history(read_history(), schemas()))


def test_the_committed_schemas_may_follow_everything_that_was_published() -> None:
    committed = {
        path.stem: json.loads(path.read_text())
        for path in FOLDER.glob("*.json")
        if path.name != HISTORY
    }
    assert judge(read_history(), committed) == []


def test_every_field_has_a_class_and_every_schema_an_owner() -> None:
    for name, schema in schemas().items():
        assert schema["x-owner"], name
        assert schema["x-lifecycle"] in {"draft", "active", "deprecated", "retired"}
        assert schema["x-compatibility"] in {"backward", "forward", "full"}
        for part in (schema, *schema.get("$defs", {}).values()):
            for field in part["properties"].values():
                assert field["x-security-class"] in {
                    *("public", "internal", "confidential", "personal")
                }


def test_who_and_where_a_customer_is_is_personal_and_what_a_thing_costs_confidential() -> None:
    made = schemas()
    customer = made["retail.customer.registered.v1"]["properties"]
    personal = {name for name, field in customer.items() if field["x-security-class"] == "personal"}
    assert personal == {"name", "email", "address", "city", "postcode"}
    product = made["retail.product.registered.v1"]["properties"]
    assert product["standard_cost"]["x-security-class"] == "confidential"


@pytest.mark.parametrize("name", [*CONTRACTS, "envelope"])
def test_every_schema_is_one_that_others_can_compile(name: str) -> None:
    validator = jsonschema_rs.validator_for(schemas()[name])
    for nothing in ([], None, "", {"nobody_knows_this": 1}):
        assert not validator.is_valid(nothing)


def test_the_published_schema_says_what_the_door_says() -> None:
    validator = jsonschema_rs.validator_for(schemas()[ORDER], validate_formats=True)
    assert validator.is_valid(order_data())
    for fault in (
        {"unit_price": "2.55555"},
        {"unit_price": "02.5"},
        {"unit_price": "2.55\n"},
        {"unit_price": 2.55},
        {"quantity": 0},
        {"sku": "MUG\n"},
        {"sku": ""},
        {"colour": "red"},
    ):
        assert not validator.is_valid(order_data(lines=[line(**fault)])), fault
    assert jsonschema_rs.validator_for(schemas()["envelope"]).is_valid(order())


def changed_order(history: dict[str, Any], edit: Any) -> list[str]:
    made = copy.deepcopy(schemas())
    edit(made[ORDER])
    return [change.change for name, change in judge(history, made) if name == ORDER]


def test_a_removed_and_a_returning_field_are_told_apart_from_new_ones() -> None:
    history = extend_history({}, schemas())
    assert changed_order(history, lambda schema: schema["properties"].pop("promised_date")) == [
        "field_removed"
    ]
    history[ORDER]["gift_note"] = {**history[ORDER]["promised_date"], "removed": True}
    note = {"type": "string", "default": ""}
    put_back = lambda schema: schema["properties"].update(gift_note=note)  # noqa: E731
    assert changed_order(history, put_back) == ["field_readded"]
    fresh = lambda schema: schema["properties"].update(gift_wrap=note)  # noqa: E731
    assert changed_order(history, fresh) == []


def test_the_history_forgets_nothing() -> None:
    history = extend_history({}, schemas())
    made = copy.deepcopy(schemas())
    del made[ORDER]["properties"]["promised_date"]
    extended = extend_history(history, made)
    assert extended[ORDER]["promised_date"]["removed"]
    assert extend_history(extended, made) == extended


def test_a_draft_is_free_until_it_is_published() -> None:
    made = copy.deepcopy(schemas())
    made[ORDER] |= {"x-lifecycle": "draft", "properties": {}}
    assert judge(extend_history({}, schemas()), made) == []
    assert ORDER not in extend_history({}, {ORDER: made[ORDER]})


def test_nothing_is_written_when_one_schema_may_not_follow(tmp_path: Path) -> None:
    history = extend_history({}, schemas())
    history[ORDER]["gift_note"] = {**history[ORDER]["promised_date"], "removed": False}
    (tmp_path / HISTORY).write_text(written(history))
    assert [change.change for _, change in publish(tmp_path)] == ["field_removed"]
    assert [path.name for path in tmp_path.iterdir()] == [HISTORY]
    (tmp_path / HISTORY).unlink()
    assert publish(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == len(CONTRACTS) + 2
