"""A decision is explained from what was stored of it, and taken again."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from assets.commerce.identifiers import decision_id, order_id
from assets.errors import BadInput
from assets.order_to_fulfillment.decision import KIND
from resources.operational_store.explanation import explain
from resources.policy_book import FilePolicyBook
from tests.invariants.ledger_story import BATCH, CHANNEL, FIRST, MUG, NODE, SECOND


def test_a_decision_shows_what_each_node_had_and_what_was_taken_before(
    story: sa.Connection,
) -> None:
    explanation = explain(story, str(decision_id(KIND, SECOND)))
    assert explanation["lines"] == [
        {
            "line_number": 1,
            "sku": MUG,
            "bundle_line_number": None,
            "bundle_sku": None,
            "ordered_quantity": 1,
            "reserved_quantity": 1,
            "unfilled_quantity": 0,
            "unfilled_reason_code": None,
            "candidates": [
                {
                    "node_id": NODE,
                    "unpromised_quantity": 10,
                    "taken_by_earlier_lines_quantity": 3,
                    "kept_back_quantity": 0,
                    "reserved_quantity": 1,
                }
            ],
        }
    ]
    assert explanation["policy"]["policy_hash"] == FilePolicyBook().policy_hash(
        "order_to_fulfillment"
    )
    assert (explanation["outcome"], explanation["reason_codes"]) == ("filled", [])
    assert explanation["decision_batch_id"] == str(BATCH)
    assert explanation["recomputation_agrees"]
    json.dumps(explanation)


@pytest.mark.parametrize("name", ["1001", str(FIRST), str(decision_id(KIND, FIRST))])
def test_a_decision_is_found_by_its_id_and_by_the_id_and_number_of_its_order(
    story: sa.Connection, name: str
) -> None:
    explanation = explain(story, name)
    assert explanation["decision_id"] == str(decision_id(KIND, FIRST))
    assert [line["line_number"] for line in explanation["lines"]] == [1, 2]


def test_a_number_that_two_channels_gave_asks_which_one(story: sa.Connection) -> None:
    other = order_id("store", "1001")
    story.exec_driver_sql(
        f"update order_placed set order_number = '1001', channel = 'store', order_id = '{other}'"
        f" where order_id = '{SECOND}'"
    )
    story.exec_driver_sql(
        f"update decision_record set business_key = '{other}' where business_key = '{SECOND}'"
    )
    with pytest.raises(BadInput, match=rf"1001 names 2 decisions.*\({KIND}, {CHANNEL}\)"):
        explain(story, "1001")


@pytest.mark.parametrize("name", ["9999", "00000000-0000-0000-0000-000000000000"])
def test_what_nobody_knows_is_bad_input(story: sa.Connection, name: str) -> None:
    with pytest.raises(BadInput, match=f"known as {name}"):
        explain(story, name)


@pytest.mark.parametrize(
    ("corruption", "because", "lines"),
    [
        (r"update decision_batch set outcome_hash = '\x00'", "is taken otherwise today", 2),
        (r"update decision_batch set inputs = '\x00'", "cannot be taken again: TypeError", 0),
        ("delete from decision_batch", "decided without stored inputs", 0),
        ("delete from policy_version", "decided under a policy that is not stored", 0),
    ],
)
def test_a_decision_that_cannot_be_repeated_says_why(
    story: sa.Connection, corruption: str, because: str, lines: int
) -> None:
    story.exec_driver_sql(corruption)
    explanation = explain(story, "1001")
    assert not explanation["recomputation_agrees"]
    assert explanation["recomputation_differs_because"] == because
    assert len(explanation["lines"]) == lines
