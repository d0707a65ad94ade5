"""Fetches events of partners that do not push: a page, its admission and its token in one commit.

The token of a stored page is kept beside it and shown to the partner with the next request. A crash
between the two repeats the page, and the door recognises every event of it. So does a second poller
of the same partner, which is why a poller need not look up again what it stored last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import httpx
import msgspec
import sqlalchemy as sa

from assets.contracts.admission import Receipt, Submission
from assets.errors import PartnerUnavailable
from assets.operations_policy import Resilience
from resources.http import client, exchange
from resources.partners import Partner
from resources.resilience import attempt

PAGE = 500


class AdmitsEvents(Protocol):
    """The door, as a poller needs it."""

    def admit(self, connection: sa.Connection, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store what is new and sound inside the caller's transaction."""
        ...


@dataclass(frozen=True)
class PollTally:
    """What one poll brought, in events; conflicts count as quarantined, where they are kept."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def __add__(self, other: PollTally) -> PollTally:
        return PollTally(
            self.received + other.received,
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
        )


class _Page(msgspec.Struct):
    events: list[msgspec.Raw]
    token: str
    more: bool


_page = msgspec.json.Decoder(_Page).decode


class PartnerPoller:
    """Polls one partner."""

    def __init__(
        self,
        engine: sa.Engine,
        door: AdmitsEvents,
        partner: Partner,
        *,
        resilience: Resilience,
        session: httpx.Client | None = None,
        page: int = PAGE,
    ) -> None:
        self._engine = engine
        self._door = door
        self._partner = partner
        self._session = session or client(loopback_only=partner.is_sandbox)
        self._resilience = resilience
        self._page = page
        self._token: str | None = None

    def poll(self, until: datetime) -> PollTally:
        """Admit everything that is due.

        Raises:
            PartnerUnavailable: If the partner does not answer; what was stored before stays.
            PartnerRejected: If it refuses to be asked like this.
        """
        tally = PollTally()
        is_more = True
        if self._token is None:
            self._token = self._stored_token()
        while is_more:
            page = attempt(partial(self._fetch, until, self._token), self._resilience)
            if page.events:
                with self._engine.begin() as connection:
                    tally += self._admit(connection, page)
                self._token = page.token
            is_more = page.more
        return tally

    def close(self) -> None:
        """Let the connection to the partner go."""
        self._session.close()

    def _fetch(self, until: datetime, token: str | None) -> _Page:
        parameters = {"until": until.astimezone(UTC).isoformat(), "limit": str(self._page)}
        if token is not None:
            parameters["acknowledge"] = token
        url = self._partner.url("events")
        request = self._session.build_request("GET", url, params=parameters)
        answer = exchange(self._session, self._partner.code, request)
        try:
            return _page(answer.content)
        except msgspec.DecodeError as error:
            reason = f"answer not understood: {error}"
            raise PartnerUnavailable(self._partner.code, reason) from error

    def _admit(self, connection: sa.Connection, page: _Page) -> PollTally:
        code = self._partner.code
        submissions = [
            Submission(code, bytes(event), f"poll {code}[{position}]")
            for position, event in enumerate(page.events)
        ]
        outcomes = [receipt.outcome for receipt in self._door.admit(connection, submissions)]
        connection.execute(
            sa.text(
                "insert into partner_health (partner, event_cursor) values (:partner, :token)"
                " on conflict (partner) do update set event_cursor = excluded.event_cursor"
            ),
            {"partner": code, "token": page.token},
        )
        return PollTally(
            received=len(outcomes),
            accepted=outcomes.count("accepted"),
            duplicates=outcomes.count("duplicate"),
            quarantined=outcomes.count("conflict") + outcomes.count("quarantined"),
        )

    def _stored_token(self) -> str | None:
        with self._engine.begin() as connection:
            cursor: str | None = connection.execute(
                sa.text("select event_cursor from partner_health where partner = :partner"),
                {"partner": self._partner.code},
            ).scalar_one_or_none()
        return cursor
