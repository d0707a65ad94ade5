"""S2, S4 and M11 name what was corrupted of snapshots, publications and prices."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from resources.operational_store.invariants import check
from tests.invariants.ledger_story import CHANNEL, MUG, NODE

SNAPSHOT = identify("inventory_snapshot", "wms", "wms", "night")
CORRECTION = identify("stock_document", "reconciliation", SNAPSHOT)
PUBLICATION = identify("command", CHANNEL, "availability.publish", "one")
TIMES = "'2026-03-02T09:05Z', '2026-03-02T09:23Z'"


@pytest.fixture
def synchronised(story: sa.Connection) -> sa.Connection:
    """The warehouse finds two mugs fewer than we had, which are booked; the shop has heard."""
    story.exec_driver_sql(
        "insert into inventory_snapshot (snapshot_id, system, node_id, document_number, sku,"
        " unit_of_measure, stated_quantity, held_quantity, drift_quantity, ledger_watermark,"
        f" occurred_at, effective_at) values ('{SNAPSHOT}', 'wms', '{NODE}', 'night', '{MUG}',"
        f" 'each', 8, 10, -2, 1, {TIMES})"
    )
    story.exec_driver_sql(
        "insert into inventory_drift_reason (snapshot_id, sku, revision, reason_code, quantity,"
        f" amount, currency_code, occurred_at, effective_at) values"
        f" ('{SNAPSHOT}', '{MUG}', 1, 'miscount', -1, -2.5, 'GBP', {TIMES}),"
        f" ('{SNAPSHOT}', '{MUG}', 1, 'oversell', -1, -2.5, 'GBP', {TIMES})"
    )
    story.exec_driver_sql(
        "insert into stock_correction (snapshot_id, sku, revision, node_id, status, quantity,"
        " amount, currency_code, reference_id, occurred_at, effective_at) values"
        f" ('{SNAPSHOT}', '{MUG}', 1, '{NODE}', 'booked', -2, -5, 'GBP', '{CORRECTION}', {TIMES})"
    )
    story.exec_driver_sql(
        "insert into stock_movement (ledger_sequence, node_id, sku, kind, quantity, reason_code,"
        f" reference_id, reference_line, occurred_at, effective_at) values (100000, '{NODE}',"
        f" '{MUG}', 'adjusted', -2, 'reconciliation', '{CORRECTION}', 1, {TIMES})"
    )
    story.exec_driver_sql(
        f"update stock_position set on_hand_quantity = on_hand_quantity - 2 where sku = '{MUG}'"
    )
    story.exec_driver_sql(
        "insert into availability_published (publication_id, channel, sku, published_quantity,"
        f" available_quantity, occurred_at, effective_at) select '{PUBLICATION}', channel, sku,"
        f" published_quantity, available_quantity, {TIMES} from channel_availability"
    )
    story.exec_driver_sql(
        "insert into availability_acknowledged (publication_id, channel, occurred_at,"
        f" effective_at) values ('{PUBLICATION}', '{CHANNEL}', {TIMES})"
    )
    return story


def found(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    (result,) = check(connection, [name])
    assert result.applies
    assert result.holds is not bool(result.violations)
    return result.violations


def test_a_store_that_was_synchronised_holds(synchronised: sa.Connection) -> None:
    assert found(synchronised, "S2") == []
    assert found(synchronised, "S4") == []
    assert found(synchronised, "M11") == []


def test_s2_sees_a_unit_of_drift_without_a_reason(synchronised: sa.Connection) -> None:
    synchronised.exec_driver_sql(
        "delete from inventory_drift_reason where reason_code = 'oversell'"
    )
    (violation,) = found(synchronised, "S2")
    assert violation["wrong"] == "drift is not coded to the unit"
    assert (violation["drift_quantity"], violation["coded_quantity"]) == (-2, -1)


def test_s2_sees_a_line_that_has_lost_its_drift_or_a_drift_its_line(
    synchronised: sa.Connection,
) -> None:
    synchronised.exec_driver_sql("delete from inventory_drift_reason")
    (violation,) = found(synchronised, "S2")
    assert violation["coded_quantity"] == 0
    synchronised.exec_driver_sql("delete from inventory_snapshot")
    assert found(synchronised, "S2") == []
    synchronised.exec_driver_sql(
        "insert into inventory_drift_reason (snapshot_id, sku, revision, reason_code, quantity,"
        f" amount, currency_code, occurred_at, effective_at) values"
        f" ('{SNAPSHOT}', 'HAT', 1, 'late', 3, 1, 'GBP', {TIMES})"
    )
    (violation,) = found(synchronised, "S2")
    assert (violation["drift_quantity"], violation["coded_quantity"]) == (None, 3)


def test_s2_counts_the_last_revision_of_a_line_only(synchronised: sa.Connection) -> None:
    revision = (
        "insert into inventory_drift_reason (snapshot_id, sku, revision, reason_code, quantity,"
        f" amount, currency_code, occurred_at, effective_at) values"
        f" ('{SNAPSHOT}', '{MUG}', 2, 'late', %s, 1, 'GBP', {TIMES})"
    )
    synchronised.exec_driver_sql(revision, (-2,))
    assert found(synchronised, "S2") == []
    synchronised.exec_driver_sql(
        "update inventory_drift_reason set quantity = -3 where revision = 2"
    )
    (violation,) = found(synchronised, "S2")
    assert violation["coded_quantity"] == -3


@pytest.mark.parametrize(
    ("change", "corrected", "moved"),
    [
        ("update stock_correction set quantity = -1", -1, -2),
        ("delete from stock_correction", 0, -2),
    ],
)
def test_s2_sees_a_correction_that_is_not_what_moved(
    synchronised: sa.Connection, change: str, corrected: int, moved: int
) -> None:
    synchronised.exec_driver_sql(change)
    (violation,) = found(synchronised, "S2")
    assert violation == {
        "wrong": "a correction is not what moved",
        "node_id": NODE,
        "sku": MUG,
        "reference_id": str(CORRECTION),
        "corrected_quantity": corrected,
        "moved_quantity": moved,
    }


def test_s4_sees_a_channel_that_holds_another_level_than_it_was_told(
    synchronised: sa.Connection,
) -> None:
    synchronised.exec_driver_sql(
        f"update availability_published set published_quantity = 4 where sku = '{MUG}'"
    )
    (violation,) = found(synchronised, "S4")
    assert violation == {
        "wrong": "a channel holds another level than it was last told",
        "channel": CHANNEL,
        "sku": MUG,
        "held_quantity": 5,
        "told_quantity": 4,
    }


def test_s4_sees_an_acknowledgement_of_what_was_never_told(synchronised: sa.Connection) -> None:
    synchronised.exec_driver_sql(
        f"update availability_acknowledged set publication_id = '{uuid.UUID(int=7)}'"
    )
    (violation,) = found(synchronised, "S4")
    assert violation["wrong"] == "a channel acknowledged what it was never told"


def test_s4_asks_the_policy_of_the_channels_own_scope(synchronised: sa.Connection) -> None:
    # Three mugs are kept back from channels of this brand in the UK, and from no others.
    overlay = (
        '[{"scope": {"brand": "house", "region": "uk"}, "values":'
        ' {"node_safety_quantity_each_by_node": {"dc_midlands": 3}}}]'
    )
    synchronised.exec_driver_sql(
        "update policy_version set document = jsonb_set(document, '{overlays}', %s::jsonb)"
        " where policy = 'inventory'",
        (overlay,),
    )
    violations = found(synchronised, "S4")
    assert {violation["wrong"] for violation in violations} == {"told more than the nodes had"}
    assert [(v["published_quantity"], v["available_quantity"]) for v in violations] == [
        (1, 0),
        (5, 4),
    ]


# M11


def test_m11_sees_a_wrong_price_that_nobody_was_asked_about(story: sa.Connection) -> None:
    story.exec_driver_sql("update price_shown set unit_price = 6.5")
    (violation,) = found(story, "M11")
    assert violation == {
        "wrong": "another price than the approved one, and nobody was asked",
        "channel": CHANNEL,
        "sku": MUG,
        "unit_price": "6.5000",
        "currency_code": "GBP",
        "occurred_at": "2026-03-02T09:23:00Z",
    }
    case = (
        "insert into exception_case (case_id, case_type, business_key, owner, reason, opened_at,"
        " cycle_started_at)"
        f" values ('{uuid.UUID(int=1)}', 'price_parity', '{CHANNEL}/{MUG}', 'pricing', 'x', now(),"
        " now())"
    )
    story.exec_driver_sql(case)
    assert found(story, "M11") == []
    story.exec_driver_sql("update price_shown set unit_price = 6")
    (violation,) = found(story, "M11")
    assert violation["wrong"] == "a case is open about a price that is right"


@pytest.mark.parametrize(
    "change",
    [
        "update price set occurred_at = '2026-03-02T09:24Z'",
        "update price set currency_code = 'EUR'",
        "delete from price",
    ],
)
def test_m11_sees_a_price_that_was_not_approved_then(story: sa.Connection, change: str) -> None:
    story.exec_driver_sql(change)
    (violation,) = found(story, "M11")
    assert violation["sku"] == MUG


def test_m11_gives_a_channel_its_grace_to_show_a_new_price(story: sa.Connection) -> None:
    newer = (
        "insert into price (sku, channel, unit_price, currency_code, occurred_at, effective_at)"
        f" values ('{MUG}', '{CHANNEL}', 7, 'GBP', %s, now())"
    )
    story.exec_driver_sql(newer, ("2026-03-02T09:10Z",))
    assert found(story, "M11") == []
    story.exec_driver_sql("update price_shown set graced_from = '2026-03-02T09:10Z'")
    (violation,) = found(story, "M11")
    assert violation["unit_price"] == "6.0000"
