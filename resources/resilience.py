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
from resources.http import PartnerBusy

T = TypeVar("T")
Breakage = Literal["closed", "open", "half_open"]
_LONGEST_ERROR = 500


@dataclass(frozen=True)
class Resilience:
    """How patient we are with partners.

    Attributes:
        quick_attempts: Tries within one attempt.
        quick_wait_seconds: Before the second try; it doubles, with jitter.
        longest_quick_wait_seconds: A partner that asks for more is left to a later call.
        first_backoff_seconds: Before a failed command is tried by a later call; it doubles.
        longest_backoff_seconds: Where the doubling ends.
        most_attempts: Failed attempts of one command before it is dead; with the waits between
            them, almost three hours.
        isolate_after: Failed attempts after which a command travels alone, so that one poisonous
            command cannot fail a batch for ever.
        failures_until_open: Failed attempts in a row that open the breaker.
        open_seconds: How long it stays open.
    """

    quick_attempts: int = 3
    quick_wait_seconds: float = 0.1
    longest_quick_wait_seconds: float = 2.0
    first_backoff_seconds: float = 2.0
    longest_backoff_seconds: float = 900.0
    most_attempts: int = 20
    isolate_after: int = 2
    failures_until_open: int = 5
    open_seconds: float = 30.0

    def backoff(self, attempts: int, asked_for: float = 0.0) -> timedelta:
        """How long after that many failed attempts to wait, or longer where the partner asks."""
        doubled = self.first_backoff_seconds * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=max(asked_for, min(self.longest_backoff_seconds, doubled)))


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
            " (partner, breaker, consecutive_failures, open_until, last_success_at, last_error)"
            " values (:partner, :state, :failures, :open_until, :success, :error)"
            " on conflict (partner) do update set breaker = excluded.breaker,"
            " consecutive_failures = excluded.consecutive_failures,"
            " open_until = excluded.open_until,"
            " last_success_at = coalesce(excluded.last_success_at, partner_health.last_success_at),"
            " last_error = excluded.last_error"
        ),
        {
            "partner": partner,
            "state": breaker.state,
            "failures": breaker.consecutive_failures,
            "open_until": breaker.open_until,
            "success": now if error is None else None,
            "error": None if error is None else error[:_LONGEST_ERROR],
        },
    )
