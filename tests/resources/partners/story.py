"""What the partner tests tell their stories with: a clock to set, an outbox to fill, a sandbox."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from msgspec.structs import replace

from assets.commerce.identifiers import command_id
from resources.partners import Partner
from resources.policy_book import read_operations

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
PATIENT = read_operations().partner_calls
IMPATIENT = replace(PATIENT, quick_wait_seconds=0.001, longest_quick_wait_seconds=0.001)


@dataclass
class SetClock:
    at: datetime = T0

    def effective_at(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class SandboxProcess:
    state: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with socket.socket() as probe:
            # As servers do: the port of one that was killed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "resources.sandbox", "--port", str(self.port)]
        self.process = subprocess.Popen([*command, "--state", str(self.state)])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/healthz")
            except httpx.TransportError:
                assert self.process.poll() is None, "the sandbox stopped at once"
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the sandbox did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def post(self, path: str, body: object) -> Any:
        response = httpx.post(self.url + path, json=body)
        assert response.is_success, response.text
        return response.json()

    def get(self, path: str, **parameters: str) -> Any:
        response = httpx.get(self.url + path, params=parameters)
        assert response.is_success, response.text
        return response.json()


def partner(code: str, url: str, **changes: Any) -> Partner:
    values: dict[str, Any] = {"kind": "crm", "owner": "integration", "is_sandbox": True}
    return Partner(code=code, base_url=f"{url}/{code}", **{**values, **changes})


def message(order: str, template: str = "order_confirmed") -> dict[str, Any]:
    return {"order_number": order, "customer_id": "c-1", "template": template}


@dataclass
class Outbox:
    engine: sa.Engine
    written: list[uuid.UUID] = field(default_factory=list)

    def put(
        self,
        partner: str,
        command_type: str,
        *commands: tuple[str, dict[str, Any]],
        owner: str = "order_desk",
    ) -> None:
        """Commands as the flows write them: whom they are for is part of the payload."""
        rows = []
        for business_key, payload in commands:
            identity = command_id(partner, command_type, business_key, len(self.written))
            self.written.append(identity)
            scope = {
                "legal_entity": "retailer_uk",
                "brand": "house",
                "region": "uk",
                "channel": "web_shop",
                "correlation_id": business_key,
            }
            rows.append(
                {
                    "id": identity,
                    "partner": partner,
                    "type": command_type,
                    "key": business_key,
                    "payload": json.dumps({**scope, **payload}),
                    "owner": owner,
                    "at": T0,
                }
            )
        with self.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "insert into command_outbox (command_id, partner, command_type, business_key,"
                    " correlation_id, payload, owner, effective_at) values (:id, :partner, :type,"
                    " :key, :key, cast(:payload as json), :owner, :at)"
                ),
                rows,
            )

    def statuses(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, status in self.ask(
            "select business_key, status from command_outbox order by outbox_sequence"
        ):
            found.setdefault(key, []).append(status)
        return found

    def ask(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), parameters)]

    def change(self, statement: str, **parameters: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), parameters)


class LosesAnswers(httpx.HTTPTransport):
    """The partner does what it is told, and its answer is lost on the way back."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if self.left:
            self.left -= 1
            response.close()
            raise httpx.ReadTimeout("the answer took too long", request=request)
        return response


class Listens(httpx.HTTPTransport):
    """Hears everything that is said to a partner."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return super().handle_request(request)

    @property
    def commands(self) -> list[list[dict[str, Any]]]:
        bodies = [json.loads(request.content) for request in self.requests]
        return [body.get("commands", [body]) for body in bodies]


class Plays:
    """A partner whose answers a test decides: takes all commands but those it was told to refuse.

    ``refuse`` and ``fail`` hold business keys; ``status`` answers every request while it is set.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.refuse: set[str] = set()
        self.fail: set[str] = set()
        self.seen: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        commands = json.loads(request.content)["commands"]
        keys = [command["business_key"] for command in commands]
        self.seen.append(keys)
        if self.status is not None:
            return httpx.Response(self.status, headers=self.headers)
        if self.fail.intersection(keys):
            return httpx.Response(500)
        results = [
            {"command_id": command["command_id"], "status": "rejected", "reason": "unknown address"}
            if command["business_key"] in self.refuse
            else {"command_id": command["command_id"], "status": "accepted"}
            for command in commands
        ]
        return httpx.Response(200, json={"results": results})
