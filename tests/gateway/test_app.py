from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from assets.contracts.signing import binary_content, sign
from assets.errors import ContractViolation, EnvironmentProblem
from orchestration.gateway import limits_of, translators_of
from resources.edi import x12
from resources.policy_book import SHIPPED
from sensors.gateway.app import Gateway
from sensors.gateway.limits import RateLimiter
from sensors.gateway.messages import BATCH
from sensors.gateway.ports import Translated
from tests.contracts.events import WEB, body, line, order
from tests.edi.messages import INVOICED
from tests.edi.messages import x12 as x12_file
from tests.gateway.calling import (
    KEY,
    NOW,
    OLD_KEY,
    Caller,
    FakeKeys,
    FakeStore,
    calling,
    gateway_over,
    limits,
)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def gateway(store: FakeStore) -> Gateway:
    return gateway_over(store)


# Events in


def test_an_event_is_accepted_once_and_again(gateway: Gateway, store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        for outcome in ("accepted", "duplicate"):
            answer = await caller.send(order("A1"))
            assert answer.status_code == 202
            assert answer.json() == {"outcome": outcome, "status": 202, "id": "order-A1"}

    calling(gateway, story)
    assert list(store.stored) == [(WEB, "order-A1")]


def test_the_same_id_with_another_body_is_a_conflict(gateway: Gateway, store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        await caller.send(order("A1"))
        answer = await caller.send(order("A1", [line(quantity=2)]))
        assert answer.status_code == 409
        assert answer.json()["reason_code"] == "id_conflict"

    calling(gateway, story)
    assert store.quarantined == [(WEB, "id_conflict")]


def test_a_broken_event_is_kept_and_its_sender_told_where(
    gateway: Gateway, store: FakeStore
) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.send(order("A1", [line(unit_price="2.55555")]))
        assert answer.status_code == 422
        found = answer.json()
        assert (found["outcome"], found["reason_code"], found["pointer"]) == (
            *("quarantined", "money_precision"),
            "$.data.lines[0].unit_price",
        )
        assert (await caller.post(b"{not json")).json()["reason_code"] == "malformed_json"

    calling(gateway, story)
    assert store.quarantined == [(WEB, "money_precision"), (WEB, "malformed_json")]


def test_a_batch_is_answered_event_by_event(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.send_batch(order("A1"), order("A2"))
        assert answer.status_code == 202
        mixed = await caller.send_batch(
            order("A1"), order("A3", [line(quantity=0)]), [], order("A4")
        )
        assert mixed.status_code == 207
        assert [item["status"] for item in mixed.json()["results"]] == [202, 422, 422, 202]
        assert (await caller.send_batch()).json() == {"results": []}

    calling(gateway, story)


def test_a_batch_that_is_none_is_kept_as_a_whole(gateway: Gateway, store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.post(b'{"a": 1}', BATCH)
        assert answer.status_code == 422

    calling(gateway, story)
    assert store.quarantined == [(WEB, "malformed_json")]


def binary(event: dict[str, Any], **changes: str) -> tuple[bytes, dict[str, str]]:
    read = http.from_structured(http.HTTPMessage({}, body(event)), JSONFormat(), CloudEvent)
    message = http.to_binary(read, JSONFormat())
    headers = {**message.headers, **changes}
    return message.body, {
        **headers,
        **sign(KEY, binary_content(headers, message.body), NOW, WEB),
    }


def test_binary_mode_is_the_same_event(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        await caller.send(order("Ä1 ✓", time="2026-03-01T11:00:00.5+01:00"))
        content, headers = binary(order("Ä1 ✓", time="2026-03-01T11:00:00.5+01:00"))
        answer = await caller.client.post(f"/v1/events/{WEB}", content=content, headers=headers)
        assert answer.json()["outcome"] == "duplicate"

    calling(gateway, story)


def test_an_attribute_of_a_binary_event_cannot_be_exchanged(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        content, headers = binary(order("A1"))
        headers["ce-id"] = "another"
        answer = await caller.client.post(f"/v1/events/{WEB}", content=content, headers=headers)
        assert answer.status_code == 401

    calling(gateway, story)


@pytest.mark.parametrize(
    ("changes", "reason_code"),
    [
        ({"ce-specversion": "9"}, "not_cloudevents"),
        ({"ce-time": "soon"}, "malformed_json"),
        ({"ce-id": ""}, "not_cloudevents"),
    ],
)
def test_a_broken_binary_event_is_kept(
    gateway: Gateway, store: FakeStore, changes: dict[str, str], reason_code: str
) -> None:
    async def story(caller: Caller) -> None:
        content, headers = binary(order("A1"), **changes)
        answer = await caller.client.post(f"/v1/events/{WEB}", content=content, headers=headers)
        assert (answer.status_code, answer.json()["reason_code"]) == (422, reason_code)

    calling(gateway, story)
    assert store.quarantined == [(WEB, reason_code)]


def translated(content: bytes, headers: Mapping[str, str]) -> Translated:
    if headers.get("x-topic") != "orders":
        return Translated([])
    try:
        payload = json.loads(content)
        events = [body(order(number)) for number in payload["orders"]]
    except (ValueError, KeyError) as error:
        raise ContractViolation("malformed_json", "it names no orders") from error
    return Translated(events, payload.get("disputes", ()))


def test_a_partners_own_payload_is_translated(store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        async def post(content: bytes, topic: str = "orders") -> Any:
            return await caller.post(content, "application/json", headers={"x-topic": topic})

        one = await post(b'{"orders": ["A1"]}')
        assert one.json() == {"outcome": "accepted", "status": 202, "id": "order-A1"}
        assert len((await post(b'{"orders": ["A2", "A3"]}')).json()["results"]) == 2
        nothing = await post(b"{}", topic="app/uninstalled")
        assert (nothing.status_code, nothing.json()) == (202, {"results": []})
        assert (await post(b"{}")).status_code == 422

    calling(gateway_over(store, translators={WEB: translated}), story)
    assert store.quarantined == [(WEB, "malformed_json")]
    assert len(store.stored) == 3


def test_what_of_a_payload_no_contract_takes_is_kept(store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        for content, status in (
            (b'{"orders": ["A1"], "disputes": ["D1"]}', 202),
            (b'{"orders": [], "disputes": ["D2"]}', 422),
        ):
            answer = await caller.post(content, "application/json", headers={"x-topic": "orders"})
            assert answer.status_code == status

    calling(gateway_over(store, translators={WEB: translated}), story)
    assert store.quarantined == [(WEB, "not_taken")] * 2
    assert list(store.stored) == [(WEB, "order-A1")]


SHOPIFY_ORDER = {
    "id": 450789469,
    "created_at": "2026-03-01T11:00:00-05:00",
    "currency": "USD",
    "total_price": "10.00",
    "source_name": "web",
    "taxes_included": True,
    "line_items": [
        {"id": 1, "sku": "MUG", "quantity": 2, "price": "5.00", "total_discount": "0.00"}
    ],
    "shipping_address": {"country_code": "US"},
}


def test_a_shops_webhook_becomes_an_order(store: FakeStore) -> None:
    keys = FakeKeys({"shopify": [KEY]})

    async def story(caller: Caller) -> None:
        async def post(content: Any, topic: str) -> Any:
            headers = {"x-shopify-topic": topic}
            text = json.dumps(content).encode()
            return await caller.post(text, "application/json", "shopify", headers=headers)

        first = await post(SHOPIFY_ORDER, "orders/create")
        assert (first.status_code, first.json()["outcome"]) == (202, "accepted")
        again = await post(SHOPIFY_ORDER, "orders/create")
        assert again.json()["outcome"] == "duplicate"
        assert (await post({"id": 1}, "disputes/create")).json()["reason_code"] == "not_taken"
        assert (await post([], "orders/create")).json()["reason_code"] == "malformed_json"
        assert (await post({"id": {}}, "orders/create")).status_code == 422

    calling(gateway_over(store, keys=keys, translators=translators_of({}, {})), story)
    assert len(store.stored) == 1


def test_a_suppliers_interchanges_are_answered_by_their_997s(store: FakeStore) -> None:
    keys = FakeKeys({"supplier_x12": [KEY]})
    sound = x12_file(INVOICED).replace("20260307", "20260301")
    broken = sound.replace("IEA*1*", "IEA*2*")

    async def story(caller: Caller) -> None:
        async def post(text: str) -> Any:
            return await caller.post(text.encode(), "application/edi-x12", "supplier_x12")

        for _ in range(2):
            # The same again is answered the same, and changes nothing.
            answer = await post(sound)
            assert (answer.status_code, answer.headers["content-type"]) == (
                200,
                "application/edi-x12",
            )
            said = x12.read(answer.text)
            assert [one.one("AK5").text(1) for one in said.messages] == ["A"]
        both = await post(broken + sound.replace("000000905", "000000906"))
        assert len(x12.read(both.text).messages) == 1
        nothing = await post(broken)
        assert nothing.status_code == 422
        assert "segment" in nothing.json()["reason"]
        assert (await post("hello")).json()["reason_code"] == "broken_interchange"

    calling(gateway_over(store, keys=keys, translators=translators_of({}, {})), story)
    assert len(store.stored) == 2
    assert [reason for _, reason in store.quarantined] == [
        "not_taken",
        "not_taken",
        "broken_interchange",
    ]


# Who may send


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_both_keys_work_while_they_are_rotated(gateway: Gateway, key: str) -> None:
    async def story(caller: Caller) -> None:
        assert (await caller.send(order(), key=key)).status_code == 202

    calling(gateway, story)


@pytest.mark.parametrize(
    "options",
    [
        {"key": "another"},
        {"source": "stranger"},
        {"key": "market-key"},
        {"headers": {"x-omniflow-signature": ""}},
        {"headers": {"x-omniflow-signature": "v1=é"}},
        {"headers": {"x-omniflow-timestamp": "now"}},
        {"headers": {"x-omniflow-source": "market"}},
    ],
)
def test_what_is_not_signed_by_its_source_is_refused_and_not_kept(
    gateway: Gateway, store: FakeStore, options: dict[str, Any]
) -> None:
    headers = {
        name: value.encode() if isinstance(value, str) else value
        for name, value in options.pop("headers", {}).items()
    }

    async def story(caller: Caller) -> None:
        answer = await caller.send(order("A1"), headers=headers, **options)
        assert answer.status_code == 401
        assert answer.json()["reason_code"] == "not_authenticated"

    calling(gateway, story)
    assert not store.stored
    assert not store.quarantined


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_recorded_request_is_refused(gateway: Gateway, store: FakeStore, seconds: int) -> None:
    async def story(caller: Caller) -> None:
        caller.at = NOW + timedelta(seconds=seconds)
        assert (await caller.send(order("A1"))).status_code == 401

    calling(gateway, story)
    assert not store.stored


def test_one_source_cannot_send_in_the_name_of_another(gateway: Gateway, store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.send(order("A1"), source="market", key="market-key")
        assert (answer.status_code, answer.json()["reason_code"]) == (422, "source_mismatch")

    calling(gateway, story)
    assert not store.stored


# Limits


def test_a_body_over_the_limit_is_refused_before_it_is_read(
    gateway: Gateway, store: FakeStore
) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.post(b" " * (1024 * 1024 + 1))
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

        async def drip() -> Any:
            for _ in range(20):
                yield b" " * 100_000

        headers = {"content-type": "application/cloudevents+json"}
        chunked = await caller.client.post(f"/v1/events/{WEB}", content=drip(), headers=headers)
        assert chunked.status_code == 413

    calling(gateway, story)
    assert not store.quarantined


def test_a_batch_has_a_largest_number_of_events(store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        assert (await caller.send_batch(*[order(str(i)) for i in range(3)])).status_code == 413

    calling(gateway_over(store, limits=limits(batch_events=2)), story)


def test_a_source_that_sends_too_fast_is_told_when_to_come_again(store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        statuses = [(await caller.send(order(str(i)))).status_code for i in range(3)]
        assert statuses == [202, 202, 429]
        refused = await caller.send_batch(order("A"), order("B"))
        assert int(refused.headers["retry-after"]) >= 19
        other = await caller.send(order("A1", source="market"), source="market", key="market-key")
        assert other.status_code == 202

    slow = limits(events_per_second=0.1, burst_events=2)
    calling(gateway_over(store, limits=slow), story)


def test_the_limits_are_the_homes_policy_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    shipped = (SHIPPED / "operations.yaml").read_text()
    policy = shipped.replace("batch_events: 1000", "batch_events: 10")
    (tmp_path / "operations.yaml").write_text(policy)
    settings = {"policies": str(tmp_path), "limits": {"query_skus": 5}}
    assert limits_of(settings) == limits(batch_events=10, query_skus=5)
    assert limits_of({}) == limits()
    with pytest.raises(EnvironmentProblem, match="query_skus"):
        limits_of({"limits": {"query_skus": 0}})


def test_tokens_come_back_with_time() -> None:
    now = [0.0]
    rates = RateLimiter(limits(events_per_second=2, burst_events=4), lambda: now[0])
    assert rates.take("web", 4) == 0
    assert rates.take("web", 1) == 0.5
    now[0] = 0.5
    assert rates.take("web", 1) == 0
    now[0] = 100
    assert rates.take("web", 5) == 0.5
    assert rates.take("web", 4) == 0


def test_posts_that_wait_together_share_a_transaction_and_a_full_queue_says_so(
    store: FakeStore,
) -> None:
    async def story(caller: Caller) -> None:
        store.open.clear()
        first = asyncio.create_task(caller.send(order("0")))
        while not caller_gateway._writer._queue.empty() or not caller_gateway._writer._waiting:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(caller.send(order(str(i)))) for i in range(1, 5)]
        while caller_gateway._writer._waiting < 5:
            await asyncio.sleep(0.001)
        refused = await caller.send(order("6"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["reason_code"] == "overloaded"
        assert not any(task.done() for task in (first, *others))
        store.open.set()
        answers = await asyncio.gather(first, *others)
        assert [answer.status_code for answer in answers] == [202] * 5

    caller_gateway = gateway_over(store, limits=limits(waiting_events=5, transaction_events=3))
    calling(caller_gateway, story)
    assert store.groups == [1, 3, 1]


# When things go wrong


def test_a_database_that_is_away_is_no_stack_trace(gateway: Gateway, store: FakeStore) -> None:
    async def story(caller: Caller) -> None:
        store.is_away = True
        answer = await caller.send(order("A1"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["reason_code"] == "store_unavailable"
        assert "secret-host" not in answer.text
        assert (await caller.ask(f"/v1/orders/{WEB}/A1")).status_code == 503
        assert (await caller.client.get("/readyz")).status_code == 503
        assert (await caller.client.get("/healthz")).status_code == 200
        store.is_away = False
        assert (await caller.send(order("A1"))).json()["outcome"] == "accepted"
        assert (await caller.client.get("/readyz")).status_code == 200

    calling(gateway, story)


def test_a_post_that_breaks_the_store_does_not_take_others_along(
    gateway: Gateway, store: FakeStore
) -> None:
    async def story(caller: Caller) -> None:
        store.breaks_on = "order-B"
        store.open.clear()
        tasks = [asyncio.create_task(caller.send(order(name))) for name in ("A", "B", "C")]
        while gateway._writer._waiting < 3:
            await asyncio.sleep(0.001)
        store.open.set()
        answers = await asyncio.gather(*tasks)
        assert [answer.status_code for answer in answers] == [202, 500, 202]
        assert "Jane" not in answers[1].text

    calling(gateway, story)


def test_what_was_taken_is_written_before_the_gateway_ends(
    gateway: Gateway, store: FakeStore
) -> None:
    async def story(caller: Caller) -> None:
        store.open.clear()
        tasks = [asyncio.create_task(caller.send(order(str(i)))) for i in range(3)]
        while gateway._writer._waiting < 3:
            await asyncio.sleep(0.001)
        asyncio.get_running_loop().call_later(0.05, store.open.set)
        await gateway.stop()
        assert [(await task).status_code for task in tasks] == [202] * 3

    calling(gateway, story)
    assert len(store.stored) == 3


# Answers out


def test_a_channel_may_ask_where_its_order_stands(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.ask(f"/v1/orders/{WEB}/A%2F1")
        assert answer.status_code == 200
        assert (answer.json()["order_number"], answer.json()["status"]) == ("A/1", "allocated")
        unknown = await caller.ask(f"/v1/orders/{WEB}/unknown")
        assert (unknown.status_code, unknown.json()["reason_code"]) == (404, "unknown_order")

    calling(gateway, story)


def test_a_channel_may_ask_what_it_may_sell(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        answer = await caller.ask(f"/v1/availability/{WEB}?sku=MUG&sku=CUP&sku=MUG")
        assert [(item["sku"], item["quantity"]) for item in answer.json()["items"]] == [
            *(("MUG", 4), ("CUP", 4))
        ]
        for query in (
            "",
            "?sku=",
            "?sku=A%00",
            "?sku=%ff",
            "?" + "&".join(["sku=A"] * 0 + ["x=1"]),
        ):
            assert (await caller.ask(f"/v1/availability/{WEB}{query}")).status_code == 422

    calling(gateway, story)


def test_a_source_sees_only_the_channels_that_it_may(store: FakeStore) -> None:
    keys = FakeKeys({WEB: [KEY], "crm": ["crm-key"]})

    async def story(caller: Caller) -> None:
        target = f"/v1/orders/{WEB}/A1"
        assert (await caller.ask("/v1/orders/market/A1")).status_code == 403
        assert (await caller.ask(target, "crm", "crm-key")).status_code == 200
        assert (await caller.ask("/v1/orders/market/A1", "crm", "crm-key")).status_code == 403
        assert (await caller.ask(target, "crm", KEY)).status_code == 401
        assert (await caller.client.get(target)).status_code == 401
        headers = sign(KEY, b"GET /v1/orders/web_shop/other", NOW, WEB)
        assert (await caller.client.get(target, headers=headers)).status_code == 401

    calling(gateway_over(store, keys=keys, readers={"crm": frozenset({WEB})}), story)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events/web_shop", 405),
        ("DELETE", "/v1/orders/web_shop/A1", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/v1/events/", 404),
        ("POST", "/v1/events/Web%20Shop", 404),
        ("POST", "/v1/events/a/b", 404),
        ("GET", "/v1/orders/web_shop", 404),
        ("HEAD", "/healthz", 200),
    ],
)
def test_what_is_not_there_is_said_so(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    async def story(caller: Caller) -> None:
        assert (await caller.client.request(method, path)).status_code == status

    calling(gateway, story)


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/plain"}, {"content-encoding": "gzip"}, {"content-type": ""}]
)
def test_a_content_that_nobody_understands_is_refused(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    async def story(caller: Caller) -> None:
        assert (await caller.send(order("A1"), headers=headers)).status_code == 415

    calling(gateway, story)


# What operators see


def test_the_metrics_count_events_and_never_strangers_names(gateway: Gateway) -> None:
    async def story(caller: Caller) -> None:
        await caller.send(order("A1"))
        await caller.send(order("A1"))
        await caller.send(order("A2"), source="stranger_1")
        text = (await caller.client.get("/metrics")).text
        assert f'omniflow_gateway_events_total{{outcome="accepted",source="{WEB}"}} 1.0' in text
        assert f'omniflow_gateway_events_total{{outcome="duplicate",source="{WEB}"}} 1.0' in text
        assert 'omniflow_gateway_requests_total{source="unknown",status="401"} 1.0' in text
        assert "stranger_1" not in text

    calling(gateway, story)


def test_a_refusal_is_logged_with_its_correlation_and_without_its_payload(
    gateway: Gateway,
) -> None:
    async def story(caller: Caller) -> None:
        event = order("A1", [line(quantity=-1)])
        event["data"]["ship_to"]["name"] = "Jane Doe"
        answer = await caller.send(event, headers={"x-correlation-id": "call-7"})
        assert answer.headers["x-correlation-id"] == "call-7"
        made_up = await caller.send(event, headers={"x-correlation-id": "a b\tc"})
        assert len(made_up.headers["x-correlation-id"]) == 16

    with structlog.testing.capture_logs() as logs:
        calling(gateway, story)
    refusals = [entry for entry in logs if entry["event"] == "request"]
    assert refusals[0]["correlation_id"] == "call-7"
    assert (refusals[0]["reason_code"], refusals[0]["status"]) == ("negative_quantity", 422)
    assert "Jane" not in str(logs)
