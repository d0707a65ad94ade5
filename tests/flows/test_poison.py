"""One event that its flow cannot bear must not stop the others."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from assets.order_to_fulfillment import placing
from tests.builders import WAREHOUSE, Shop, count, order_placed, product


def test_an_event_that_its_flow_fails_on_is_set_aside_and_the_others_go_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=100))
    sound = placing.remember_customer

    def fails_on_one(candidate: placing.Candidate, writes: object) -> str | None:
        if candidate.data.order_number == "A13":
            raise ZeroDivisionError("Jane Doe, 1 High Street")
        return sound(candidate, writes)  # type: ignore[arg-type]

    monkeypatch.setattr(placing, "remember_customer", fails_on_one)
    with capture_logs() as logged:
        shop.tell(*(order_placed(f"A{number}", ("MUG", 1, "2.40")) for number in range(30)))
    (said,) = [entry for entry in logged if entry["event"] == "flow_failed"]
    assert said["error"] == "ZeroDivisionError"
    assert said["at"][-1].startswith("fails_on_one:")
    assert "Jane Doe" not in str(said), "what an error says may hold a customer's address"

    assert shop.value("select count(*) from order_placed") == 29
    assert shop.rows(
        "select i.subject, q.reason_code from event_inbox i"
        " join quarantined_event q using (source, event_id) where i.status = 'quarantined'"
    ) == [("A13", "flow_failed")]
    assert shop.rows("select case_type, owner from exception_case") == [
        ("flow_failed", "order_desk")
    ]
    shop.close()
