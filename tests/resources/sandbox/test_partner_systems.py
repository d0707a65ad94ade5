from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import FAR, command, configure, open_retailer, send, told

LONDON = ZoneInfo("Europe/London")
THURSDAY = "2026-07-02T10:00:00Z"  # 11:00 in London
LINES = [{"line_number": 1, "sku": "MUG", "quantity": 2}]


@pytest.fixture
def retailer(tmp_path: Path) -> Iterator[Retailer]:
    nodes = [{"node_id": "dc", "country": "GB"}]
    retailer = open_retailer(tmp_path, nodes=nodes)
    yield retailer
    retailer.close()


def fulfilment(key: str, at: str = THURSDAY, **changes: object) -> dict[str, object]:
    payload = {
        "order_number": f"N-{key}",
        "fulfilment_order_id": key,
        "node_id": "dc",
        "service_level": "standard",
        "country": "GB",
        "lines": LINES,
    }
    return command("fulfilment_order.create", key, {**payload, **changes}, at)


def booking(key: str, country: str, at: str = THURSDAY, **changes: object) -> dict[str, object]:
    payload = {
        "order_number": f"N-{key}",
        "shipment_number": key,
        "node_id": "dc",
        "country": country,
        "service_level": "standard",
    }
    return command("shipment.book", key, {**payload, **changes}, at)


def authorisation(key: str) -> dict[str, object]:
    payload = {"order_number": key, "amount": "12.5000", "currency": "GBP"}
    return command("payment.authorise", key, payload)


def local(instant: datetime) -> datetime:
    return instant.astimezone(LONDON)


def test_a_payment_is_authorised_after_two_seconds_and_captured_after_sixty(
    retailer: Retailer,
) -> None:
    send(retailer, "payment_provider", authorisation("N-1"))
    (authorised,) = told(retailer, "payment_provider")
    assert (authorised.name, authorised.at) == ("payment_authorised", "2026-03-02T10:00:02+00:00")
    assert (authorised.data.amount, authorised.data.currency) == ("12.5000", "GBP")
    reference = {"order_number": "N-1", "payment_reference": authorised.data.payment_reference}
    capture = {**reference, "amount": "10.0000", "currency": "GBP"}
    send(
        retailer,
        "payment_provider",
        command("payment.capture", "N-1", capture),
        command("payment.void", "N-1", reference),
    )
    _, captured = told(retailer, "payment_provider")
    assert (captured.name, captured.at) == ("payment_captured", "2026-03-02T10:01:00+00:00")
    assert captured.data.payment_reference == authorised.data.payment_reference


def test_an_answer_says_whom_it_is_for_and_which_journey_it_belongs_to(retailer: Retailer) -> None:
    send(retailer, "payment_provider", authorisation("N-1"))
    (event,) = told(retailer, "payment_provider")
    envelope = event.envelope
    assert (envelope.legalentity, envelope.brand, envelope.region, envelope.channel) == (
        "retailer_eu",
        "house",
        "eu",
        "b2b",
    )
    assert (envelope.subject, envelope.correlationid) == ("N-1", "journey-N-1")


def test_a_command_said_twice_is_done_once(retailer: Retailer) -> None:
    wanted = authorisation("N-1")
    assert send(retailer, "payment_provider", wanted, wanted) == ["accepted", "duplicate"]
    assert send(retailer, "payment_provider", wanted) == ["duplicate"]
    assert len(told(retailer, "payment_provider")) == 1


def test_a_command_that_cannot_be_meant_is_rejected_each_time_and_alone(retailer: Retailer) -> None:
    wrong = fulfilment("f-1", lines=[{"line_number": 1, "sku": "MUG", "quantity": -2}])
    assert send(retailer, "wms", wrong, fulfilment("f-2")) == ["rejected", "accepted"]
    assert send(retailer, "wms", wrong) == ["rejected"]
    assert send(retailer, "crm", command("goods_issue.post", "k", {})) == ["rejected"]
    assert len(told(retailer, "wms")) == 1


def test_the_same_share_of_payments_is_declined_whatever_the_batches(tmp_path: Path) -> None:
    wanted = [authorisation(f"N-{n}") for n in range(200)]
    outcomes = []
    for name, size in (("one", 1), ("many", 200)):
        retailer = open_retailer(tmp_path / name, faults={"payment_decline": 0.2})
        ordered = wanted if size == 1 else wanted[::-1]
        for start in range(0, len(ordered), size):
            send(retailer, "payment_provider", *ordered[start : start + size])
        outcomes.append(sorted(retailer.page("payment_provider", FAR, 1000).events))
        retailer.close()
    assert outcomes[0] == outcomes[1]
    declined = sum(b"payment.declined" in body for body in outcomes[0])
    assert 25 <= declined <= 55


def test_goods_leave_on_the_next_working_day_in_opening_hours(retailer: Retailer) -> None:
    send(retailer, "wms", *(fulfilment(f"f-{n}") for n in range(50)))
    moments = [local(event.envelope.time) for event in told(retailer, "wms")]
    assert {moment.date().isoformat() for moment in moments} == {"2026-07-03"}
    assert all(9 <= moment.hour < 17 for moment in moments)
    assert len(set(moments)) > 40, "not all at once"


@pytest.mark.parametrize(
    ("decided", "leaves_on"),
    [
        ("2026-07-04T10:00:00Z", "2026-07-06"),  # Saturday, and no despatch on Sunday
        ("2026-07-02T23:00:00Z", "2026-07-03"),  # the midnight that ends Thursday in London
        ("2026-07-02T23:00:01Z", "2026-07-04"),  # already Friday
    ],
)
def test_the_working_day_follows_the_local_calendar(
    retailer: Retailer, decided: str, leaves_on: str
) -> None:
    send(retailer, "wms", fulfilment("f-1", decided))
    (event,) = told(retailer, "wms")
    assert local(event.envelope.time).date().isoformat() == leaves_on


def test_a_warehouse_can_work_from_sunday_to_friday(retailer: Retailer) -> None:
    configure(retailer, working_weekdays=[6, 0, 1, 2, 3, 4])
    send(retailer, "wms", fulfilment("f-1", "2026-07-03T10:00:00Z"))
    (event,) = told(retailer, "wms")
    assert local(event.envelope.time).date().isoformat() == "2026-07-05"


@pytest.mark.parametrize(
    ("decided", "leaves_on"),
    [
        ("2026-07-02T12:59:00Z", "2026-07-02"),  # 13:59 in London
        ("2026-07-02T13:00:00Z", "2026-07-03"),  # 14:00, the cut-off
        ("2026-07-05T09:00:00Z", "2026-07-06"),  # Sunday
    ],
)
def test_an_express_order_before_the_cut_off_leaves_on_the_same_day(
    retailer: Retailer, decided: str, leaves_on: str
) -> None:
    send(retailer, "wms", fulfilment("f-1", decided, service_level="express"))
    (event,) = told(retailer, "wms")
    assert local(event.envelope.time).date().isoformat() == leaves_on
    assert event.envelope.time > datetime.fromisoformat(decided)


def test_a_despatch_names_its_carrier_and_every_line_as_it_was_ordered(retailer: Retailer) -> None:
    lines = [{"line_number": 7, "sku": "MÜG", "quantity": 3}]
    send(retailer, "wms", fulfilment("f-1", lines=lines, country="DE"))
    (event,) = told(retailer, "wms")
    assert event.data.carrier == "rhein_kurier"
    assert [(line.line_number, line.sku, line.quantity) for line in event.data.lines] == [
        (7, "MÜG", 3)
    ]


def test_a_node_says_that_it_took_the_work_only_when_it_is_told_to(retailer: Retailer) -> None:
    configure(retailer, accepts_fulfilment=True)
    send(retailer, "wms", fulfilment("f-1"))
    assert [event.name for event in told(retailer, "wms")] == [
        "fulfilment_accepted",
        "shipment_dispatched",
    ]


def test_a_node_that_refuses_ships_nothing(retailer: Retailer) -> None:
    configure(retailer, faults={"store_reject": 1.0})
    send(retailer, "wms", fulfilment("f-1"))
    (event,) = told(retailer, "wms")
    assert (event.name, event.data.reason) == ("fulfilment_rejected", "stock_not_found")


@pytest.mark.parametrize(
    ("country", "earliest", "latest"),
    [("GB", "2026-07-03", "2026-07-06"), ("DE", "2026-07-06", "2026-07-08"),
     ("JP", "2026-07-08", "2026-07-14")],
)  # fmt: skip
def test_a_parcel_takes_as_many_working_days_as_it_has_to_travel(
    retailer: Retailer, country: str, earliest: str, latest: str
) -> None:
    configure(retailer, late_rate=0.0)
    send(retailer, "carrier", *(booking(f"s-{n}", country) for n in range(60)))
    days = [local(event.envelope.time).date().isoformat() for event in told(retailer, "carrier")]
    assert (min(days), max(days)) == (earliest, latest)


def test_a_few_parcels_are_late(retailer: Retailer) -> None:
    send(retailer, "carrier", *(booking(f"s-{n}", "GB") for n in range(400)))
    last = datetime.fromisoformat("2026-07-06T23:59:59+01:00")
    late = [event for event in told(retailer, "carrier") if event.envelope.time > last]
    assert 4 <= len(late) <= 24


def test_a_channel_knows_what_it_was_last_told_of_each_sku(retailer: Retailer) -> None:
    def publish(key: str, **quantities: int) -> dict[str, object]:
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
        payload = {"channel": "web_shop", "as_of": "2026-03-02T10:00:00Z", "lines": lines}
        return command("availability.publish", key, payload)

    send(retailer, "web_shop", publish("1", MUG=5, BOWL=3), publish("2", MUG=0))
    assert retailer.channels["web_shop"].availability == {"MUG": 0, "BOWL": 3}
    assert send(retailer, "store", publish("3", MUG=9)) == ["rejected"]


def test_events_are_told_twice_at_the_rate_that_was_asked_for(retailer: Retailer) -> None:
    configure(retailer, faults={"duplicate_delivery": 1.0})
    send(retailer, "payment_provider", authorisation("N-1"))
    first, second = retailer.page("payment_provider", FAR, 10).events
    assert first == second


def test_an_event_made_after_a_page_is_not_acknowledged_with_it(retailer: Retailer) -> None:
    send(retailer, "payment_provider", authorisation("N-2"))
    page = retailer.page("payment_provider", FAR, 10)
    earlier = command(
        "payment.authorise",
        "N-1",
        {"order_number": "N-1", "amount": "1.0000", "currency": "GBP"},
        (datetime.fromisoformat("2026-03-02T10:00:00+00:00") - timedelta(hours=1)).isoformat(),
    )
    send(retailer, "payment_provider", earlier)
    retailer.acknowledge("payment_provider", page.token)
    assert [event.data.order_number for event in told(retailer, "payment_provider")] == ["N-1"]
