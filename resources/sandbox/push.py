"""Pushes due events to the gateway as signed webhooks, for homes that have one.

An event counts as handed over when the gateway has taken a position on it: stored, recognised, or
kept aside with a reason. Anything else leaves it due for the next time.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
import msgspec

from assets.contracts.signing import sign
from assets.errors import EnvironmentProblem
from resources.http import async_client, retry_after
from resources.sandbox.events import Page
from resources.sandbox.partner import PartnerSystem

BATCH = 100
_CONTENT_TYPE = "application/cloudevents-batch+json"
_MOST_TRIES = 20
_LONGEST_WAIT_SECONDS = 5.0
# The gateway answers these after it has dealt with every event of the batch.
_HANDED_OVER = frozenset({200, 201, 202, 207, 409, 422})


class Due(Protocol):
    """What is due of each partner; the retailer is one."""

    systems: dict[str, PartnerSystem]

    def page(self, code: str, until: datetime, limit: int) -> Page:
        """Due events of one partner."""
        ...

    def acknowledge(self, code: str, token: str) -> None:
        """Forget the events of a page."""
        ...


class SourceTally(msgspec.Struct):
    """What was pushed for one source, and what stopped it."""

    delivered: int = 0
    remaining: int = 0
    error: str | None = None


class PushTally(msgspec.Struct):
    """What one advance did; sources with nothing due are left out."""

    delivered: int
    remaining: int
    sources: dict[str, SourceTally]


class _Key(msgspec.Struct):
    current: str


class Gateway:
    """The product's front door, and the keys to sign with; they are read again for each advance."""

    def __init__(self, url: str, secrets: Path) -> None:
        self._url = url.rstrip("/")
        self._secrets = secrets
        self._client = async_client()

    async def push(self, due: Due, until: datetime) -> PushTally:
        """Push everything that is due, master data first, each source in order of time.

        Raises:
            EnvironmentProblem: If the keys cannot be read.
        """
        keys = self._keys()
        tallies: dict[str, SourceTally] = {}
        for code, system in due.systems.items():
            tally = await self._push_source(due, code, until, keys.get(code))
            tally.remaining = system.queue.due(until)
            if tally != SourceTally():
                tallies[code] = tally
        return PushTally(
            sum(tally.delivered for tally in tallies.values()),
            sum(tally.remaining for tally in tallies.values()),
            tallies,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _push_source(
        self, due: Due, code: str, until: datetime, key: _Key | None
    ) -> SourceTally:
        tally = SourceTally()
        while (page := due.page(code, until, BATCH)).events:
            if key is None:
                tally.error = "there is no signing key for this source"
                break
            tally.error = await self._send(code, b"[" + b",".join(page.events) + b"]", key.current)
            if tally.error is not None:
                break
            due.acknowledge(code, page.token)
            tally.delivered += len(page.events)
        return tally

    async def _send(self, code: str, body: bytes, key: str) -> str | None:
        """One batch, with patience; the reason if it could not be handed over."""
        reason = ""
        for tried in range(_MOST_TRIES):
            headers = {
                "content-type": _CONTENT_TYPE,
                # Signed anew each time: an old timestamp would be refused.
                **sign(key, body, datetime.now(UTC), code),
            }
            wait = min(0.1 * 2**tried, _LONGEST_WAIT_SECONDS)
            try:
                response = await self._client.post(
                    f"{self._url}/v1/events/{code}", content=body, headers=headers
                )
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.status_code in _HANDED_OVER:
                    return None
                reason = f"HTTP {response.status_code}"
                if response.status_code not in {429, 503}:
                    return reason
                asked_for = retry_after(response)
                wait = wait if asked_for is None else min(asked_for, _LONGEST_WAIT_SECONDS)
            await asyncio.sleep(wait)
        return reason

    def _keys(self) -> dict[str, _Key]:
        try:
            return msgspec.json.decode(self._secrets.read_bytes(), type=dict[str, _Key])
        except (OSError, msgspec.DecodeError) as error:
            raise EnvironmentProblem(f"the keys in {self._secrets} cannot be read") from error
