"""kill -9 of the gateway while partners post: who has a 202 is in the inbox, nobody is twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from assets.contracts.signing import sign
from sensors.gateway.app import BATCH, STRUCTURED
from tests.contracts.events import WEB, body, order
from tests.gateway.test_process import KEY, rows, running

CLIENTS = 5
EVENTS_EACH = 60
KILLS = 2


@dataclass
class Partner:
    """Posts until it hears a 202, wherever the gateway is at the moment."""

    address: str = ""
    acknowledged: set[str] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    lost: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post_all(self, posts: list[list[dict[str, Any]]]) -> None:
        with httpx.Client(trust_env=False, timeout=10) as client:
            for events in posts:
                while not self._post(client, events):
                    time.sleep(0.02)

    def _post(self, client: httpx.Client, events: list[dict[str, Any]]) -> bool:
        content = body(events if len(events) > 1 else events[0])
        kind = BATCH if len(events) > 1 else STRUCTURED
        headers = {"content-type": kind, **sign(KEY, content, datetime.now(UTC), WEB)}
        try:
            url = f"{self.address}/v1/events/{WEB}"
            answer = client.post(url, content=content, headers=headers)
        except httpx.TransportError:
            with self.lock:
                self.lost += 1
            return False
        with self.lock:
            self.answers.append(answer.status_code)
            if answer.status_code == 202:
                self.acknowledged.update(event["id"] for event in events)
        return answer.status_code == 202


def posts_of(client: int) -> Iterator[list[dict[str, Any]]]:
    """Half of the clients post one by one, the others in batches."""
    events = [order(f"{client}-{number}") for number in range(EVENTS_EACH)]
    size = 4 if client % 2 else 1
    for start in range(0, len(events), size):
        yield events[start : start + size]


def test_whoever_has_a_202_is_in_the_inbox_once_though_the_gateway_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(5)
    partner = Partner()
    whole = CLIENTS * EVENTS_EACH
    with ThreadPoolExecutor(CLIENTS) as threads, ExitStack() as stack:
        clients = []
        for kill in range(KILLS):
            gateway = stack.enter_context(running(tmp_path, database_url))
            partner.address = gateway.address
            clients = clients or [
                threads.submit(partner.post_all, list(posts_of(client)))
                for client in range(CLIENTS)
            ]
            enough = whole * (kill + chance.uniform(0.3, 0.7)) / (KILLS + 1)
            while len(partner.acknowledged) < enough:
                assert not any(client.done() for client in clients), "a client gave up"
                time.sleep(0.001)
            gateway.process.kill()
            gateway.process.wait()
            with partner.lock:
                told = set(partner.acknowledged)
            assert len(told) < whole, "there was nobody left to disturb"
            stored = [row[0] for row in rows(database_url, "select event_id from event_inbox")]
            assert told <= set(stored)
        partner.address = stack.enter_context(running(tmp_path, database_url)).address
        for client in clients:
            client.result(60)
    assert set(partner.answers) == {202}
    assert partner.lost >= KILLS, "every kill is noticed by somebody"
    sent = sorted(event["id"] for c in range(CLIENTS) for post in posts_of(c) for event in post)
    assert rows(database_url, "select event_id from event_inbox order by event_id") == [
        (event_id,) for event_id in sorted(sent)
    ]
    assert rows(database_url, "select count(*) from event_identity") == [(whole,)]
    assert rows(database_url, "select count(*) from quarantined_event") == [(0,)]
    assert rows(
        database_url, "select sum(accepted), sum(received) - sum(duplicates) from door_tally"
    ) == [(whole, whole)]
