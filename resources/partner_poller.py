"""Fetches events of partners that do not push: a page, its admission and its token in one commit.

The token of a stored page is kept beside it and shown to the partner with the next request. A crash
between the two repeats the page, and the door recognises every event of it.

A poll of several pages may be a load, which is judged before it is accepted: its events wait from
the first page on (`resources.bulk_loads`). A poll of one page, as nearly all are, goes on at once.
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

from assets.bulk_loads.policy import BulkLoadPolicy
from assets.contracts.admission import Receipt, Submission
from assets.errors import PartnerUnavailable
from assets.operations_policy import Resilience
from resources import bulk_loads
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
    """What one poll brought, in events; conflicts count as quarantined, where they are kept.

    Of the accepted ones ``staged`` wait until the gate of bulk loads has judged them; among these
    may be some of a poll that was interrupted.
    """

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    staged: int = 0

    def __add__(self, other: PollTally) -> PollTally:
        return PollTally(
            self.received + other.received,
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            self.staged + other.staged,
        )


class _Page(msgspec.Struct):
    events: list[msgspec.Raw]
    token: str
    more: bool


_page = msgspec.json.Decoder(_Page).decode


class PartnerPoller:
    """Polls one partner.

    Args:
        loads: What makes a poll a load; without it every poll is accepted as it comes.
    """

    def __init__(
        self,
        engine: sa.Engine,
        door: AdmitsEvents,
        partner: Partner,
        *,
        resilience: Resilience,
        session: httpx.Client | None = None,
        page: int = PAGE,
        loads: BulkLoadPolicy | None = None,
    ) -> None:
        self._engine = engine
        self._door = door
        self._partner = partner
        self._session = session or client(loopback_only=partner.is_sandbox)
        self._resilience = resilience
        self._page = page
        self._loads = loads

    def poll(self, until: datetime) -> PollTally:
        """Admit everything that is due.

        Raises:
            PartnerUnavailable: If the partner does not answer; what was stored before stays.
            PartnerRejected: If it refuses to be asked like this.
        """
        tally = PollTally()
        is_more = True
        with self._engine.connect() as connection:
            while is_more:
                with connection.begin():
                    stands = bulk_loads.standing(connection, self._partner.code)
                page = attempt(partial(self._fetch, until, stands.token), self._resilience)
                is_part = self._may_be_a_load(page, stands)
                if page.events or is_part:
                    with connection.begin():
                        tally += self._admit(connection, page, is_part=is_part)
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

    def _may_be_a_load(self, page: _Page, stands: bulk_loads.Standing) -> bool:
        """Whether the page is of a poll that must come in whole before anybody consumes it."""
        if self._loads is None:
            return False
        return stands.is_arriving or page.more or len(page.events) >= self._loads.least

    def _admit(self, connection: sa.Connection, page: _Page, *, is_part: bool) -> PollTally:
        code = self._partner.code
        submissions = [
            Submission(code, bytes(event), f"poll {code}[{position}]")
            for position, event in enumerate(page.events)
        ]
        receipts = self._door.admit(connection, submissions)
        outcomes = [receipt.outcome for receipt in receipts]
        if page.events:
            self._keep_token(connection, page.token)
        staged = 0
        if is_part and self._loads is not None:
            accepted = [r.event_id for r in receipts if r.outcome == "accepted" and r.event_id]
            bulk_loads.stage(connection, code, accepted)
            if not page.more:
                staged = bulk_loads.end_arrival(connection, code, self._loads)
        return PollTally(
            received=len(outcomes),
            accepted=outcomes.count("accepted"),
            duplicates=outcomes.count("duplicate"),
            quarantined=outcomes.count("conflict") + outcomes.count("quarantined"),
            staged=staged,
        )

    def _keep_token(self, connection: sa.Connection, token: str) -> None:
        connection.execute(
            sa.text(
                "insert into partner_health (partner, event_cursor) values (:partner, :token)"
                " on conflict (partner) do update set event_cursor = excluded.event_cursor"
            ),
            {"partner": self._partner.code, "token": token},
        )
