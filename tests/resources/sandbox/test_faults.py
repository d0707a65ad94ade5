from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from assets.contracts.admission import check
from assets.errors import ContractViolation
from resources.sandbox.answer_key import Fault, Outcome, read
from resources.sandbox.app import build
from resources.sandbox.faults import CATALOGUE, INTERRUPTIONS, FaultRates, Interrupted
from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import FAR, MONDAY, command, open_retailer, send, told

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CHANNELS = ("web_shop", "marketplace", "store", "b2b")


def capture(number: str) -> dict[str, Any]:
    payload = {
        "order_number": number,
        "payment_reference": f"PAY-{number}",
        "amount": "9.9500",
        "currency": "GBP",
    }
    return command("payment.capture", number, payload)


def fulfilment(number: str) -> dict[str, Any]:
    payload = {
        "order_number": number,
        "fulfilment_order_id": f"f-{number}",
        "node_id": "dc",
        "service_level": "standard",
        "country": "GB",
        "lines": [{"line_number": 1, "sku": "MUG", "quantity": 1}],
    }
    return command("fulfilment_order.create", number, payload)


def booking(number: str, at: str = "2026-03-02T10:00:00Z") -> dict[str, Any]:
    payload = {
        "order_number": number,
        "shipment_number": f"s-{number}",
        "node_id": "dc",
        "country": "GB",
        "service_level": "standard",
    }
    return command("shipment.book", number, payload, at)


def traded(folder: Path, orders: int = 400, **settings: Any) -> Retailer:
    retailer = open_retailer(folder, **settings)
    wanted = {"starts_at": MONDAY.isoformat(), "days": 7, "orders": orders}
    retailer.trade(json.dumps(wanted).encode())
    return retailer


def key_of(folder: Path) -> list[Fault]:
    faults = read(folder)
    assert faults is not None
    return faults


def bodies(retailer: Retailer, code: str, until: datetime = FAR) -> list[dict[str, Any]]:
    return [json.loads(body) for body in retailer.page(code, until, 10_000).events]


def test_every_kind_can_be_configured_but_what_customers_do_and_no_other() -> None:
    drawn = {kind.name for kind in CATALOGUE} - {"late_cancellation", "demand_rise"}
    assert set(FaultRates.__struct_fields__) == drawn


def test_the_same_seed_strikes_the_same_whatever_the_order_and_size_of_requests(
    tmp_path: Path,
) -> None:
    rates = {"late": 0.1, "malformed": 0.1, "duplicate_delivery": 0.1}
    keys, events = [], []
    for name, size in (("one", 1), ("many", 300)):
        retailer = open_retailer(tmp_path / name, faults=rates)
        wanted = [capture(f"N-{n}") for n in range(300)]
        ordered = wanted if size == 1 else wanted[::-1]
        for start in range(0, len(ordered), size):
            send(retailer, "payment_provider", *ordered[start : start + size])
        keys.append(sorted(key_of(tmp_path / name), key=lambda fault: fault.fault_id))
        events.append(retailer.page("payment_provider", FAR, 1_000).events)
        retailer.close()
    assert keys[0] == keys[1]
    assert events[0] == events[1]
    by_kind = Counter(fault.kind for fault in keys[0])
    assert by_kind.keys() == rates.keys()
    assert all(15 <= count <= 45 for count in by_kind.values())
    # One fault an event: each can be told from the others.
    assert max(Counter(fault.reference for fault in keys[0]).values()) == 1


def test_another_seed_strikes_others(tmp_path: Path) -> None:
    struck = []
    for seed in ("a", "b"):
        retailer = open_retailer(tmp_path / seed, seed=seed, faults={"payment_decline": 0.1})
        for number in range(100):
            payload = {"order_number": f"N-{number}", "amount": "1.00", "currency": "GBP"}
            send(retailer, "payment_provider", command("payment.authorise", f"N-{number}", payload))
        struck.append({fault.business_key for fault in key_of(tmp_path / seed)})
        retailer.close()
    assert struck[0]
    assert struck[0] != struck[1]


def test_a_malformed_event_comes_broken_as_the_key_says_and_whole_within_the_hour(
    tmp_path: Path,
) -> None:
    retailer = open_retailer(tmp_path, faults={"malformed": 1.0})
    send(retailer, "payment_provider", *(capture(f"N-{n}") for n in range(40)))
    expected = {fault.reference: Outcome.parse(fault.expected) for fault in key_of(tmp_path)}
    assert len(expected) == 40
    first = retailer.page("payment_provider", MONDAY + timedelta(hours=10, minutes=2), 100).events
    every = retailer.page("payment_provider", MONDAY + timedelta(hours=11, minutes=2), 100).events
    assert (len(first), len(every)) == (40, 80)
    reasons = set()
    for body in first:
        with pytest.raises(ContractViolation) as refused:
            check("payment_provider", body, NOW)
        outcome = expected[json.loads(body)["id"]]
        assert (outcome.kind, outcome.code) == ("quarantined", refused.value.reason_code)
        reasons.add(outcome.code)
    assert reasons == {"missing_field", "wrong_type", "unknown_field", "time_without_zone"}
    whole = [body for body in every if body not in first]
    assert {check("payment_provider", body, NOW).envelope.id for body in whole} == set(expected)
    retailer.close()


def test_a_late_event_keeps_its_own_time(tmp_path: Path) -> None:
    retailer = open_retailer(tmp_path, faults={"late": 1.0})
    send(retailer, "payment_provider", *(capture(f"N-{n}") for n in range(40)))
    happened = MONDAY + timedelta(hours=10, minutes=1)
    assert bodies(retailer, "payment_provider", happened + timedelta(hours=6)) == []
    assert {
        event.envelope.time
        for event in told(retailer, "payment_provider", happened + timedelta(hours=20))
    } == {happened}
    assert {fault.expected for fault in key_of(tmp_path)} == {"absorbed"}
    retailer.close()


def test_word_of_a_payment_is_never_late(tmp_path: Path) -> None:
    # Its order would lose its stock to another, which no product can undo.
    retailer = open_retailer(tmp_path, faults={"late": 1.0, "malformed": 1.0})
    payload = {"order_number": "N-1", "amount": "1.00", "currency": "GBP"}
    send(retailer, "payment_provider", command("payment.authorise", "N-1", payload))
    assert len(told(retailer, "payment_provider", MONDAY + timedelta(hours=11))) == 1
    retailer.close()


def test_a_node_says_that_it_took_the_work_after_the_goods_have_left(tmp_path: Path) -> None:
    retailer = open_retailer(tmp_path, accepts_fulfilment=True, faults={"out_of_order": 1.0})
    send(retailer, "wms", fulfilment("N-1"))
    assert [event.name for event in told(retailer, "wms")] == [
        "shipment_dispatched",
        "fulfilment_accepted",
    ]
    left, taken = told(retailer, "wms")
    assert taken.envelope.time < left.envelope.time
    (fault,) = key_of(tmp_path)
    assert (fault.kind, fault.reference) == ("out_of_order", taken.envelope.id)
    retailer.close()


def test_an_order_comes_after_its_cancellation_but_not_one_that_was_paid_for(
    tmp_path: Path,
) -> None:
    retailer = traded(tmp_path, orders=1_500, faults={"out_of_order": 0.1})
    overtaken = {fault.reference for fault in key_of(tmp_path) if fault.kind == "out_of_order"}
    expected_cases = {
        fault.reference for fault in key_of(tmp_path) if fault.kind == "late_cancellation"
    }
    found = set()
    for channel in CHANNELS:
        placed = set()
        for event in bodies(retailer, channel):
            number = event["data"]["order_number"]
            if event["type"] == "retail.order.placed.v1":
                placed.add(number)
            elif number not in placed:
                found.add(event["id"])
                assert channel in {"web_shop", "b2b"}
            else:
                assert (event["id"] in expected_cases) == (channel in {"marketplace", "store"})
    assert found == overtaken
    assert found
    retailer.close()


def test_a_node_that_is_told_of_an_order_that_will_be_taken_back_is_told_too_soon(
    tmp_path: Path,
) -> None:
    retailer = traded(tmp_path, orders=1_500)
    too_late = {fault.business_key for fault in key_of(tmp_path)}
    cancelled = [e for e in bodies(retailer, "web_shop") if e["type"].endswith("cancelled.v1")]
    event = cancelled[0]
    number = event["data"]["order_number"]
    assert f"web_shop/{number}" not in too_late
    asked = fulfilment(number)
    send(retailer, "wms", {**asked, "channel": "web_shop"})
    (fault,) = [fault for fault in key_of(tmp_path) if fault.business_key == f"web_shop/{number}"]
    assert (fault.kind, fault.reference) == ("late_cancellation", event["id"])
    assert fault.expected == "case:illegal_transition"
    retailer.close()


def test_a_silent_carrier_delivers_after_four_weeks(tmp_path: Path) -> None:
    retailer = open_retailer(tmp_path, faults={"carrier_silence": 1.0})
    send(retailer, "carrier", *(booking(f"N-{n}") for n in range(40)))
    days = {event.envelope.time.date().isoformat() for event in told(retailer, "carrier")}
    # A Monday and 17 to 20 working days.
    assert days == {"2026-03-25", "2026-03-26", "2026-03-27", "2026-03-30"}
    assert {(fault.business_key, fault.expected) for fault in key_of(tmp_path)} == {
        (f"b2b/N-{n}/s-N-{n}", "case:carrier_silence") for n in range(40)
    }
    retailer.close()


def test_what_is_told_gives_no_fault_away(tmp_path: Path) -> None:
    rates = {"late": 0.2, "malformed": 0.2, "duplicate_delivery": 0.2, "out_of_order": 0.2}
    struck = traded(tmp_path / "struck", faults=rates)
    spared = traded(tmp_path / "spared")
    assert len(key_of(tmp_path / "struck")) > 100
    for channel in CHANNELS:
        whole = {msgspec.json.encode(event) for event in bodies(spared, channel)}
        for event in bodies(struck, channel):
            if msgspec.json.encode(event) not in whole:
                # A broken one, of which the partner says nothing but what it says of all others.
                with pytest.raises(ContractViolation):
                    check(channel, msgspec.json.encode(event), NOW)
    struck.close()
    spared.close()


@pytest.mark.parametrize("kind", INTERRUPTIONS)
def test_a_request_is_interrupted_once_and_what_it_asks_for_is_done_once(
    tmp_path: Path, kind: str
) -> None:
    retailer = open_retailer(tmp_path, faults={kind: 1.0})
    wanted = [capture(f"N-{n}") for n in range(20)]
    with pytest.raises(Interrupted, match=kind):
        send(retailer, "payment_provider", *wanted)
    is_done = kind == "timeout_after_success"
    assert len(told(retailer, "payment_provider")) == (20 if is_done else 0)
    assert set(send(retailer, "payment_provider", *wanted)) == (
        {"duplicate"} if is_done else {"accepted"}
    )
    assert len(told(retailer, "payment_provider")) == 20
    (fault,) = key_of(tmp_path)
    assert (fault.kind, fault.business_key, fault.reference) == (
        kind,
        "N-0",
        wanted[0]["command_id"],
    )
    retailer.close()


@pytest.mark.parametrize(("kind", "status"), [("too_many_requests", 429), ("server_error", 500)])
def test_a_request_that_is_refused_for_now_says_so_in_http(
    tmp_path: Path, kind: str, status: int
) -> None:
    retailer = open_retailer(tmp_path, faults={kind: 1.0})
    with TestClient(build(retailer, None)) as sandbox:
        body = {"commands": [capture("N-1")]}
        path = "/payment_provider/v1/commands"
        assert sandbox.post(path, json=body).status_code == status
        assert sandbox.post(path, json=body).status_code == 200
        # What cannot be meant is refused before a fault can strike it.
        assert sandbox.post(path, json={"commands": [{}]}).status_code == 400


def cut_off(key: Path) -> None:
    with key.open("ab") as file:
        file.write(b'{"kind":"late","at":"2026-')


def forget_the_last(key: Path) -> None:
    lines = key.read_bytes().splitlines(keepends=True)
    key.write_bytes(b"".join(lines[:-1]))


@pytest.mark.parametrize("happens", [cut_off, forget_the_last, lambda _: None])
def test_the_answer_key_survives_a_kill_between_any_two_writes(
    tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    retailer = open_retailer(tmp_path, faults={"late": 0.3, "server_error": 0.05})
    number = 0
    while number < 100 or key_of(tmp_path)[-1].kind != "late":
        number += 1
        try:
            send(retailer, "payment_provider", capture(f"N-{number}"))
        except Interrupted:
            send(retailer, "payment_provider", capture(f"N-{number}"))
    before = key_of(tmp_path)
    assert {fault.kind for fault in before} == {"late", "server_error"}
    events = retailer.page("payment_provider", FAR, 1_000).events
    retailer.close()
    happens(tmp_path / "answer_key.jsonl")
    again = open_retailer(tmp_path)
    assert key_of(tmp_path) == before
    assert again.page("payment_provider", FAR, 1_000).events == events
    again.close()
