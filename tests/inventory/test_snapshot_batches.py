"""Snapshots are compared a few at a time, and nobody can tell where one batch ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assets.inventory.synchronisation.service import in_batches
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import LEEDS, Shop, assert_all_invariants_hold, count
from tests.inventory.stock_story import corrections, drift, quarantine, snapshot, stocked

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


def test_the_oldest_are_compared_first_whenever_they_were_told() -> None:
    waiting = [(1, at(2), "dc"), (2, at(0), "dc"), (3, at(1), "leeds")]
    assert in_batches(waiting, 2) == [[2, 3], [1]]


def test_what_systems_say_of_one_place_and_instant_is_never_cut() -> None:
    waiting = [(1, at(0), "dc"), (2, at(0), "leeds"), (3, at(0), "dc"), (4, at(0), "dc")]
    assert in_batches(waiting, 1) == [[1, 3, 4], [2]]
    assert in_batches(waiting, 4) == [[1, 3, 4, 2]]
    assert in_batches([], 4) == []


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["dc", "leeds"])), max_size=12),
    st.integers(1, 5),
)
def test_every_snapshot_is_in_one_batch_and_places_keep_their_order(
    told: list[tuple[int, str]], at_most: int
) -> None:
    waiting = [(number, at(hour), place) for number, (hour, place) in enumerate(told)]
    batches = in_batches(waiting, at_most)
    assert sorted(inbox_id for batch in batches for inbox_id in batch) == list(range(len(told)))
    where = {inbox_id: index for index, batch in enumerate(batches) for inbox_id in batch}
    groups: dict[tuple[int, str], set[int]] = {}
    for number, key in enumerate(told):
        groups.setdefault(key, set()).add(where[number])
    assert all(len(found) == 1 for found in groups.values())
    assert sorted(groups, key=lambda key: (min(groups[key]), *key)) == sorted(groups)
    sizes = [len(batch) for batch in batches]
    assert all(
        size <= at_most or len({told[inbox_id] for inbox_id in batch}) == 1
        for size, batch in zip(sizes, batches, strict=True)
    )


@pytest.mark.parametrize("at_most", [1, 2, 100])
def test_however_few_are_compared_at_once_the_books_end_alike(
    database_url: str, tmp_path: Path, at_most: int
) -> None:
    whole = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    whole["values"]["event_handling"]["snapshots_per_batch"] = at_most
    (tmp_path / "operations.yaml").write_text(yaml.safe_dump(whole))
    shop = stocked(Shop(database_url, FilePolicyBook(tmp_path)), MUG=100, HAT=50)
    shop.tell(count(LEEDS, MUG=20))
    shop.tell(
        # Two are missing at two o'clock, told before what was already missing at one.
        snapshot("wms", 120, MUG=95, HAT=50, told_at=130),
        snapshot("wms", 60, MUG=97, HAT=50, told_at=140),
        # At one the ERP still has them all; both are compared before the warehouse is followed.
        snapshot("erp", 60, MUG=100, HAT=50, told_at=150),
        snapshot("wms", 60, node_id=LEEDS, MUG=19),
    )
    assert shop.store.settled_snapshots() == []
    shop.wait_until(240)
    assert shop.store.settled_snapshots() == []
    assert quarantine(shop) == []
    assert sorted(drift(shop)) == [
        ("MUG", 1, "miscount", -3),
        ("MUG", 1, "miscount", -2),
        ("MUG", 1, "miscount", -1),
    ]
    assert sorted(units for _, _, units, _ in corrections(shop)) == [-3, -2, -1]
    assert (shop.position("MUG"), shop.position("MUG", LEEDS)) == ((95, 0, 0), (19, 0, 0))
    transactions = {1: 3, 2: 2, 100: 1}[at_most]
    written = shop.value("select count(distinct recorded_xid::text) from inventory_snapshot")
    assert written == transactions
    assert_all_invariants_hold(shop.engine)
    shop.close()
