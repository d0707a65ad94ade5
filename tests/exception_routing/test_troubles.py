"""What nobody in particular caused is a case too: partners away, much refused, nothing left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from assets.contracts.admission import Refusal, Submission
from resources.operational_store.door import Door
from resources.partners import Partner, PartnerBook
from resources.policy_book import SHIPPED, FilePolicyBook
from resources.resilience import Breaker, write_breaker
from resources.store_access import StoreAccess
from tests.builders import (
    WAREHOUSE,
    WEB,
    Shop,
    count,
    order_placed,
    payment_authorised,
    product,
    shipment_delivered,
    shipment_dispatched,
)
from tests.no_sinks import no_sinks

DAY = 24 * 60


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    yield shop
    shop.close()


def cases(shop: Shop) -> list[tuple[str, str, str, int]]:
    return shop.rows(  # type: ignore[return-value]
        "select case_type, business_key, status, case_count from exception_case order by 1, 2"
    )


# Partners


def breaker(shop: Shop, state: Breaker, at: datetime) -> None:
    with shop.store.transaction() as connection:
        write_breaker(connection, "erp", state, at, "connection refused")


def test_a_partner_that_stays_away_is_one_case_of_who_looks_after_it_until_it_answers(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    erp = Partner(code="erp", kind="erp", base_url="http://127.0.0.1:1", owner="integration")
    access = StoreAccess(database_url, tmp_path, lambda: PartnerBook([erp]), no_sinks)
    now = datetime.now(UTC)
    is_open = Breaker("open", 5, now)
    breaker(shop, is_open, now - timedelta(minutes=10))
    assert access.report_partners() == 0
    breaker(shop, is_open, now)
    with shop.store.transaction() as connection:
        connection.exec_driver_sql(
            "update partner_health set away_since = now() - interval '16 minutes'"
        )
    assert access.report_partners() == 1
    assert access.report_partners() == 1
    assert cases(shop) == [("partner_unavailable", "erp", "open", 1)]
    assert shop.rows("select owner, severity from exception_case") == [("integration", "critical")]
    breaker(shop, Breaker(), now)
    assert access.report_partners() == 0
    access.store.engine.dispose()
    assert cases(shop) == [("partner_unavailable", "erp", "closed", 1)]


# What waits


def test_more_than_may_wait_is_an_alarm_until_it_is_handled(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    whole = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    whole["values"]["event_handling"]["lag_alarm_events"] = 3
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "operations.yaml").write_text(yaml.safe_dump(whole))
    access = StoreAccess(database_url, tmp_path / "policies", lambda: PartnerBook([]), no_sinks)
    shop.admit(product("A"), product("B"))
    assert access.report_lag() == 2
    assert cases(shop) == []
    shop.admit(product("C"))
    access.report_lag()
    access.report_lag()
    assert cases(shop) == [("inbox_lag", "inbox", "open", 1)]
    shop.store.drain_all()
    assert access.report_lag() == 0
    assert cases(shop) == [("inbox_lag", "inbox", "closed", 1)]
    access.store.engine.dispose()


# What the door refuses


def refuse(shop: Shop, number: int, start: int = 0) -> None:
    broken = [
        Submission("web_shop", b'{"id": "%d", "type": "retail.order.placed.v1"}' % one, "$")
        for one in range(start, start + number)
    ]
    with shop.store.transaction() as connection:
        Door().admit(connection, broken)


def test_one_broken_message_waits_in_quarantine_and_ten_are_a_case(shop: Shop) -> None:
    refuse(shop, 9)
    assert shop.store.report_quarantine() == 0
    refuse(shop, 1, start=9)
    assert shop.store.report_quarantine() == 1
    assert shop.store.report_quarantine() == 0
    ((case_type, key, status, times),) = cases(shop)
    assert (case_type, status, times) == ("contract_violation", "open", 1)
    assert key.startswith("web_shop/")


def test_a_case_that_was_closed_opens_again_with_as_many_new_ones(shop: Shop) -> None:
    refuse(shop, 10)
    shop.store.report_quarantine()
    ((case_type, key, *_),) = cases(shop)
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.close_cases(case_type, [key], "the sender was told")
    refuse(shop, 9, start=10)
    assert shop.store.report_quarantine() == 0
    refuse(shop, 1, start=19)
    assert shop.store.report_quarantine() == 1


def test_rows_of_a_file_that_are_no_events_are_a_case_of_their_source(shop: Shop) -> None:
    rows = [
        Refusal("counts.csv", b"x", f"line {line}", "not_a_number", "'x' is no quantity")
        for line in range(12)
    ]
    with shop.store.transaction() as connection:
        Door().refuse(connection, rows)
    assert shop.store.report_quarantine() == 1
    assert [row[0] for row in cases(shop)] == ["quarantined_rows"]


# Stock


def test_a_channel_without_a_key_article_is_a_case_until_there_is_some(
    database_url: str, tmp_path: Path
) -> None:
    whole = yaml.safe_load((SHIPPED / "inventory.yaml").read_text())
    whole["values"]["key_skus"] = ["MUG"]
    (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(whole))
    shop = Shop(database_url, FilePolicyBook(tmp_path))
    shop.tell(product("MUG"), product("HAT"), count(WAREHOUSE, MUG=10, HAT=10))
    shop.wait_until(1)
    assert cases(shop) == []
    shop.tell(count(WAREHOUSE, at=2, MUG=0, HAT=0))
    shop.wait_until(3)
    assert (f"{WEB}/MUG", "open") in [row[1:3] for row in cases(shop)]
    assert {row[0] for row in cases(shop)} == {"out_of_stock"}
    assert all(key.endswith("/MUG") for _, key, *_ in cases(shop))
    shop.tell(count(WAREHOUSE, at=4, MUG=10))
    shop.wait_until(5)
    assert {status for _, _, status, _ in cases(shop)} == {"closed"}
    shop.close()


# Promises


def test_a_parcel_that_is_later_than_every_promise_is_a_case_until_it_is_there(
    shop: Shop,
) -> None:
    shop.tell(product("HAT"), count(WAREHOUSE, HAT=5))
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_authorised("A1", "9.00"))
    shop.tell(shipment_dispatched("A1", (1, "HAT", 1)))
    for day in range(1, 18):
        shop.wait_until(day * DAY)
    assert cases(shop)[0] == ("carrier_delay", f"{WEB}/A1", "open", 1)
    shop.tell(shipment_delivered("A1", at=18 * DAY))
    assert {status for _, _, status, _ in cases(shop)} == {"closed"}


# Policies


def test_a_policy_that_cannot_be_meant_is_a_case_and_the_last_good_one_stays_in_force(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    whole = yaml.safe_load((SHIPPED / "playbooks.yaml").read_text())
    whole["values"]["playbooks"]["hold"]["cost_per_action"] = "3.00"
    (folder / "playbooks.yaml").write_text(yaml.safe_dump(whole))

    def started() -> StoreAccess:
        access = StoreAccess(database_url, folder, lambda: PartnerBook([]), no_sinks)
        access.report_policies()
        access.store.engine.dispose()
        return access

    started()
    assert cases(shop) == []
    (folder / "playbooks.yaml").write_text(
        yaml.safe_dump(whole).replace("cost_per_action: '3.00'", "cost_per_action: '3'\n      x: 1")
    )
    again = started()
    values = again.store.policies.resolve("playbooks", "", "")
    assert values["playbooks"]["hold"]["cost_per_action"] == "3.00"
    assert [row[:3] for row in cases(shop)] == [("policy_refused", "policies", "open")]
    reason = shop.value("select reason from exception_case")
    assert "playbooks.yaml, line 6" in reason
    assert "unknown field `x`" in reason
    (folder / "playbooks.yaml").unlink()
    started()
    assert [row[2] for row in cases(shop)] == ["closed"]
