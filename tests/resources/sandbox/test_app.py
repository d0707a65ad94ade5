from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from starlette.testclient import TestClient
from werkzeug import Request, Response

from assets.contracts.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from resources.sandbox.app import build
from resources.sandbox.push import Gateway
from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import MONDAY, command, open_retailer

KEY = "k" * 64
UNTIL = {"until": "2026-12-31T00:00:00Z"}


@pytest.fixture
def retailer(tmp_path: Path) -> Retailer:
    customers = [{"customer_number": f"C-{n}", "country": "GB"} for n in range(250)]
    return open_retailer(tmp_path, starts_at=MONDAY.isoformat(), customers=customers)


@pytest.fixture
def gateway(httpserver: HTTPServer, tmp_path: Path) -> Gateway:
    secrets = tmp_path / "sources.json"
    secrets.write_text(json.dumps({"crm": {"current": KEY, "previous": "x"}}))
    return Gateway(httpserver.url_for(""), secrets)


@pytest.fixture
def sandbox(retailer: Retailer, gateway: Gateway) -> Iterator[TestClient]:
    with TestClient(build(retailer, gateway)) as client:
        yield client


def test_what_is_due_is_pushed_signed_in_batches_of_a_hundred(
    sandbox: TestClient, httpserver: HTTPServer
) -> None:
    sizes = []

    def take(request: Request) -> Response:
        body = request.get_data()
        signed = request.headers[TIMESTAMP_HEADER], request.headers[SIGNATURE_HEADER]
        assert is_signed([KEY], body, *signed, datetime.now(UTC))
        assert request.content_type == "application/cloudevents-batch+json"
        sizes.append(len(json.loads(body)))
        return Response(status=202)

    httpserver.expect_request("/v1/events/crm", method="POST").respond_with_handler(take)
    tally = sandbox.post("/sandbox/v1/advance", json=UNTIL).json()
    assert (tally["delivered"], tally["remaining"]) == (250, 0)
    assert sizes == [100, 100, 50]
    httpserver.check_assertions()
    assert sandbox.post("/sandbox/v1/advance", json=UNTIL).json()["delivered"] == 0


def test_a_gateway_that_is_busy_is_asked_again(sandbox: TestClient, httpserver: HTTPServer) -> None:
    for status in (503, 429, 202, 202, 202):
        httpserver.expect_ordered_request("/v1/events/crm").respond_with_data(
            status=status, headers={"Retry-After": "0"}
        )
    assert sandbox.post("/sandbox/v1/advance", json=UNTIL).json()["delivered"] == 250


def test_what_the_gateway_does_not_take_stays_due(
    sandbox: TestClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/events/crm").respond_with_data(status=401)
    tally = sandbox.post("/sandbox/v1/advance", json=UNTIL).json()
    assert tally["sources"] == {"crm": {"delivered": 0, "remaining": 250, "error": "HTTP 401"}}


def test_nothing_is_pushed_without_a_gateway(retailer: Retailer) -> None:
    with TestClient(build(retailer, None)) as sandbox:
        assert sandbox.post("/sandbox/v1/advance", json=UNTIL).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nobody/v1/events?until=2026-01-01T00:00:00Z", None, 404),
        ("GET", "/crm/v1/events", None, 400),
        ("GET", "/crm/v1/events?until=2026-01-01T00:00:00", None, 400),
        ("GET", "/crm/v1/events?until=2026-01-01T00:00:00Z&limit=0", None, 400),
        ("GET", "/crm/v1/events?until=2026-01-01T00:00:00Z&acknowledge=x", None, 400),
        ("GET", "/crm/v1/availability", None, 404),
        ("POST", "/crm/v1/commands", {"commands": [{}]}, 400),
        ("POST", "/sandbox/v1/configure", {"sead": "x"}, 400),
        ("POST", "/sandbox/v1/configure", {"faults": {"late": 2}}, 400),
        ("POST", "/sandbox/v1/configure", {"faults": {"late_cancellation": 0.1}}, 400),
        ("POST", "/sandbox/v1/trading", {"starts_at": "2026-01-01T00:00:00Z", "days": 0}, 400),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    sandbox: TestClient, tmp_path: Path, method: str, path: str, body: object, status: int
) -> None:
    before = (tmp_path / "sandbox.jsonl").read_bytes()
    response = sandbox.request(method, path, json=body)
    assert response.status_code == status
    assert response.json()["error"]
    assert (tmp_path / "sandbox.jsonl").read_bytes() == before


def test_a_single_command_must_carry_its_own_id_as_idempotency_key(sandbox: TestClient) -> None:
    wanted = command("message.send", "N-1", {"order_number": "N-1", "template": "order_shipped"})
    path = "/crm/v1/commands/message.send"
    assert sandbox.post(path, json=wanted).status_code == 400
    headers = {"Idempotency-Key": wanted["command_id"]}
    assert sandbox.post(path, json=wanted, headers=headers).json()["status"] == "accepted"
    assert sandbox.post(path, json=wanted, headers=headers).json()["status"] == "duplicate"
    wrong = command("message.send", "N-2", {"order_number": "N-2", "template": "greeting"})
    headers = {"Idempotency-Key": wrong["command_id"]}
    assert sandbox.post(path, json=wrong, headers=headers).status_code == 422
    messages = sandbox.get("/crm/v1/messages", params={"order_number": "N-1"}).json()["messages"]
    assert [message["template"] for message in messages] == ["order_shipped"]
