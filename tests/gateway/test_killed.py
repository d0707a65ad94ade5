"""kill -9 of the gateway while partners post: who has a 202 is in the inbox, nobody is twice."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from assets.contracts.signing import sign
from sensors.gateway.messages import BATCH, STRUCTURED
from tests.contracts.events import WEB, body, order
from tests.gateway.test_process import KEY, rows, running

CLIENTS = 5
KILLS = 2
#: Acknowledged between one kill and the next, and after the last.
EVENTS_BETWEEN = (40, 120)
PATIENCE_SECONDS = 120


@dataclass
class Partner:
    """Posts new events until it is over, each until it hears a 202, wherever the gateway is."""

    address: str = ""
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    answers: set[int] = field(default_factory=set)
    lost: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post_on(self, client_number: int) -> None:
        """Half of the clients post one by one, the others in batches."""
        size = 4 if client_number % 2 else 1
        deadline = time.monotonic() + PATIENCE_SECONDS
        with httpx.Client(trust_env=False, timeout=10) as client:
            for start in itertools.count(0, size):
                if self.over.is_set():
                    return
                events = [order(f"{client_number}-{start + at}") for at in range(size)]
                with self.lock:
                    self.sent.update(event["id"] for event in events)
                while not self._post(client, events):
                    assert time.monotonic() < deadline, "the gateway does not come back"
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
            self.answers.add(answer.status_code)
            if answer.status_code == 202:
                self.acknowledged.update(event["id"] for event in events)
        return answer.status_code == 202

    def await_acknowledged(self, more: int) -> None:
        """Wait until so many more events have their 202."""
        enough = len(self.acknowledged) + more
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.acknowledged) < enough:
            assert time.monotonic() < deadline, "nobody is answered"
            time.sleep(0.001)


def test_whoever_has_a_202_is_in_the_inbox_once_though_the_gateway_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(5)
    partner = Partner()
    with ThreadPoolExecutor(CLIENTS) as threads, ExitStack() as stack:
        # Before the threads are waited for: whatever fails here must not leave them posting.
        stack.callback(partner.over.set)
        clients: list[Future[None]] = []
        for _ in range(KILLS):
            gateway = stack.enter_context(running(tmp_path, database_url))
            partner.address = gateway.address
            clients = clients or [
                threads.submit(partner.post_on, number) for number in range(CLIENTS)
            ]
            partner.await_acknowledged(chance.randint(*EVENTS_BETWEEN))
            gateway.process.kill()
            gateway.process.wait()
            with partner.lock:
                told = set(partner.acknowledged)
            stored = [row[0] for row in rows(database_url, "select event_id from event_inbox")]
            assert told <= set(stored)
        partner.address = stack.enter_context(running(tmp_path, database_url)).address
        partner.await_acknowledged(chance.randint(*EVENTS_BETWEEN))
        partner.over.set()
        for client in clients:
            client.result(PATIENCE_SECONDS)
    assert partner.answers == {202}
    assert partner.lost >= KILLS, "every kill is noticed by somebody"
    assert partner.acknowledged == partner.sent
    whole = len(partner.sent)
    assert rows(database_url, "select event_id from event_inbox order by event_id") == [
        (event_id,) for event_id in sorted(partner.sent)
    ]
    assert rows(database_url, "select count(*) from event_identity") == [(whole,)]
    assert rows(database_url, "select count(*) from quarantined_event") == [(0,)]
    assert rows(
        database_url, "select sum(accepted), sum(received) - sum(duplicates) from door_tally"
    ) == [(whole, whole)]
