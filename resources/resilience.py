"""Retrying what may pass, and leaving a partner alone that does not answer.

Two time scales: a blip is retried within the attempt (seconds, stamina); an outage is retried by
later calls (`next_attempt_at` on the command, the circuit breaker on the partner). The breaker's
state lies in `partner_health`, because a dispatcher that starts anew, or a second one beside it,
must not begin by knocking again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar

import sqlalchemy as sa
import stamina

from assets.errors import PartnerUnavailable
from assets.operations_policy import Resilience
from resources.http import PartnerBusy

T = TypeVar("T")
Breakage = Literal["closed", "open", "half_open"]
_LONGEST_ERROR = 500


def attempt(send: Callable[[], T], resilience: Resilience) -> T:
    """Do it, and again after a short wait as long as the partner is only unavailable.

    Raises:
        PartnerUnavailable: If it still is after the last try.
    """

    def worth_waiting(error: Exception) -> bool | float:
        if isinstance(error, PartnerBusy):
            wait = error.retry_after
            return wait if wait <= resilience.longest_quick_wait_seconds else False
        return isinstance(error, PartnerUnavailable)

    patiently = stamina.RetryingCaller(
        attempts=resilience.quick_attempts,
        timeout=None,
        wait_initial=resilience.quick_wait_seconds,
        wait_max=resilience.longest_quick_wait_seconds,
        wait_jitter=resilience.quick_wait_seconds,
    )
    return patiently(worth_waiting, send)


@dataclass(frozen=True)
class Breaker:
    """One partner's circuit breaker. Open: nobody knocks. Half open: one knocks for all."""

    state: Breakage = "closed"
    consecutive_failures: int = 0
    open_until: datetime | None = None

    def on(self, now: datetime) -> Breaker:
        """The breaker as it is now: what was open long enough is half open."""
        if self.state == "open" and (self.open_until is None or self.open_until <= now):
            return replace(self, state="half_open", open_until=None)
        return self

    def succeeded(self) -> Breaker:
        """After an answer, whatever it said."""
        return Breaker()

    def failed(self, now: datetime, resilience: Resilience, asked_for: float = 0.0) -> Breaker:
        """After no answer; one failure is enough to close the door again that was ajar."""
        failures = self.consecutive_failures + 1
        if self.state == "closed" and failures < resilience.failures_until_open:
            return replace(self, consecutive_failures=failures)
        wait = timedelta(seconds=max(asked_for, resilience.open_seconds))
        return Breaker("open", failures, now + wait)


def read_breaker(connection: sa.Connection, partner: str) -> Breaker:
    """The breaker as it was last written."""
    row = connection.execute(
        sa.text(
            "select breaker, consecutive_failures, open_until from partner_health"
            " where partner = :partner"
        ),
        {"partner": partner},
    ).one_or_none()
    return Breaker() if row is None else Breaker(row[0], row[1], row[2])


def write_breaker(
    connection: sa.Connection,
    partner: str,
    breaker: Breaker,
    now: datetime,
    error: str | None,
) -> None:
    """Keep the breaker, and with it when the partner last answered or what it last said."""
    connection.execute(
        sa.text(
            "insert into partner_health"
            " (partner, breaker, consecutive_failures, open_until, last_success_at, last_error,"
            " away_since) values"
            " (:partner, :state, :failures, :open_until, :success, :error, :away_since)"
            " on conflict (partner) do update set breaker = excluded.breaker,"
            " consecutive_failures = excluded.consecutive_failures,"
            " open_until = excluded.open_until,"
            " last_success_at = coalesce(excluded.last_success_at, partner_health.last_success_at),"
            " last_error = excluded.last_error,"
            " away_since = case when excluded.away_since is not null"
            " then coalesce(partner_health.away_since, excluded.away_since) end"
        ),
        {
            "partner": partner,
            "state": breaker.state,
            "failures": breaker.consecutive_failures,
            "open_until": breaker.open_until,
            "success": now if error is None else None,
            "error": None if error is None else error[:_LONGEST_ERROR],
            "away_since": None if breaker.state == "closed" else now,
        },
    )
