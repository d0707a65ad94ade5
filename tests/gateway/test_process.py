"""The gateway as it runs: a process of its own, over HTTP, with a real database behind it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from assets.contracts.signing import query_content, sign
from resources.operational_store import embedded
from resources.operational_store.migrate import upgrade
from sensors.gateway.messages import BATCH, STRUCTURED
from tests.contracts.events import WEB, body, line, order

PROJECT = Path(__file__).parents[2]
KEY = "k" * 64


@dataclass
class Running:
    """A gateway's process and how to talk to it."""

    process: subprocess.Popen[str]
    address: str
    keys_file: Path
    output: Path

    def post(
        self, event: Any, content_type: str = STRUCTURED, key: str = KEY, timeout: float = 20
    ) -> httpx.Response:
        content = body(event)
        headers = {"content-type": content_type, **sign(key, content, datetime.now(UTC), WEB)}
        url = f"{self.address}/v1/events/{WEB}"
        return httpx.post(url, content=content, headers=headers, timeout=timeout, trust_env=False)

    def get(self, target: str) -> httpx.Response:
        headers = sign(KEY, query_content("GET", target), datetime.now(UTC), WEB)
        return httpx.get(f"{self.address}{target}", headers=headers, trust_env=False)


@contextmanager
def running(folder: Path, database_url: str) -> Iterator[Running]:
    keys_file = folder / "sources.json"
    keys_file.write_text(json.dumps({WEB: {"current": KEY, "previous": "p" * 64}}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings_file = folder / "gateway.json"
    settings_file.write_text(
        json.dumps({"database_url": database_url, "keys_file": str(keys_file), "port": port})
    )
    output = folder / "gateway.log"
    command = [sys.executable, "-m", "orchestration.gateway", "--settings", str(settings_file)]
    with output.open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, text=True)
    gateway = Running(process, f"http://127.0.0.1:{port}", keys_file, output)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"{gateway.address}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield gateway
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, database_url) as gateway:
        yield gateway


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def test_what_was_answered_202_is_in_the_database_and_nothing_twice(
    gateway: Running, database_url: str
) -> None:
    events = [order(f"A{number % 30}") for number in range(120)]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(gateway.post, events))
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["outcome"] == "accepted" for answer in answers) == 30
    changed = order("A1", [line(quantity=9)])
    assert gateway.post(changed).status_code == 409
    assert gateway.post([order("B1"), order("B2", [line(sku="")])], BATCH).status_code == 207
    assert rows(database_url, "select count(*), count(distinct event_id) from event_inbox") == [
        (31, 31)
    ]
    assert rows(
        database_url, "select event_id, reason_code, position from quarantined_event order by 1"
    ) == [("order-A1", "id_conflict", "webhook"), ("order-B2", "schema_violation", "batch[1]")]
    assert rows(
        database_url,
        "select sum(received), sum(accepted), sum(duplicates), sum(quarantined) from door_tally",
    ) == [(123, 31, 90, 2)]
    # Signed with a key that was put into the file a moment ago.
    gateway.keys_file.write_text(json.dumps({WEB: {"current": "n" * 64, "previous": KEY}}))
    deadline = time.monotonic() + 10
    while gateway.post(order("C1"), key="n" * 64).status_code == 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert gateway.post(order("C1"), key="p" * 64).status_code == 401
    assert gateway.get(f"/v1/orders/{WEB}/A1").status_code == 404
    empty = gateway.get(f"/v1/availability/{WEB}?sku=MUG").json()
    assert empty == {
        "channel": WEB,
        "items": [{"sku": "MUG", "quantity": 0, "as_of": None, "later": []}],
    }
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(20) in (0, -signal.SIGTERM)
    logged = gateway.output.read_text()
    assert "id_conflict" in logged
    assert "MUG" not in logged
    assert "Traceback" not in logged


def test_a_database_that_comes_back_is_used_again(tmp_path: Path) -> None:
    # A server of its own, and not in pytest's folder, which the server's user may not enter.
    with tempfile.TemporaryDirectory(prefix="omniflow-test-") as name:
        Path(name).chmod(0o755)
        data_dir = Path(name) / "postgres"
        try:
            url = embedded.start(data_dir, durable=False)
            upgrade(url)
            with running(tmp_path, url) as gateway:
                assert gateway.post(order("A1")).status_code == 202
                embedded.stop(data_dir)
                away = gateway.post(order("A2"))
                assert (away.status_code, away.headers["retry-after"]) == (503, "5")
                assert httpx.get(f"{gateway.address}/readyz", trust_env=False).status_code == 503
                assert httpx.get(f"{gateway.address}/healthz", trust_env=False).status_code == 200
                embedded.start(data_dir, durable=False)
                assert gateway.post(order("A2")).status_code == 202
                assert gateway.post(order("A1")).json()["outcome"] == "duplicate"
        finally:
            embedded.stop(data_dir, immediately=True)


def test_a_process_without_usable_settings_says_why(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    command = [sys.executable, "-m", "orchestration.gateway", "--settings"]
    result = subprocess.run(
        [*command, str(tmp_path / "settings.json")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "does not say database_url, keys_file" in result.stderr


def test_it_starts_without_dagster_pandas_or_great_expectations() -> None:
    program = (
        "import sys, orchestration.gateway;"
        "print([m for m in ('dagster', 'pandas', 'great_expectations') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


class _Signing(requests.auth.AuthBase):
    """Signs whatever is sent, so that generated requests come further than the signature."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        content = request.body or b""
        if isinstance(content, str):
            content = content.encode()
        if request.method == "GET":
            content = query_content("GET", str(request.path_url))
        request.headers.update(sign(KEY, content, datetime.now(UTC), WEB))
        return request


def test_the_interface_does_what_its_description_says(gateway: Running) -> None:
    document = httpx.get(f"{gateway.address}/openapi.json", trust_env=False).json()
    for schema in document["paths"].values():
        for operation in schema.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in ("source", "channel"):
                    parameter["schema"] = {"enum": [WEB, "another"]}
    api = schemathesis.openapi.from_dict(document)
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    tried: list[str] = []
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=15,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy())
        def conforms(case: Any) -> None:
            response = case.call_and_validate(
                base_url=gateway.address, checks=checks, auth=_Signing(), timeout=20
            )
            assert response.status_code < 500

        conforms()
        tried.append(operation.label)
    described = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert len(described) >= 5
    assert set(tried) == described
