"""What whoever runs the platform may change: how patient, how much at once, how far ahead.

No decision about an order rests on these values, so they are not kept with the decisions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.bulk_loads.policy import BulkLoadPolicy
from assets.decisions.typed_policy import policy_reader

AtLeastOne = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]


class ReplayPace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a replay moves through time.

    Attributes:
        decision_window_hours: Length of a window, unless the command says another.
        longest_wait_for_partners_days: Answers that are due later than this after the last event
            are not waited for.
    """

    decision_window_hours: AtLeastOne
    longest_wait_for_partners_days: AtLeastOne

    @property
    def decision_window(self) -> timedelta:
        """Length of a window."""
        return timedelta(hours=self.decision_window_hours)

    @property
    def longest_wait_for_partners(self) -> timedelta:
        """How long after the last event partners may take."""
        return timedelta(days=self.longest_wait_for_partners_days)


class EventHandling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How events that cannot be applied are dealt with.

    Attributes:
        most_failures: Failures in a row, halving included, after which it is not the events that
            are wrong.
        most_attempts: Attempts of one batch that another worker was in the way of.
        snapshots_per_batch: Snapshots of other systems that are compared in one transaction; those
            of one place and instant stay together.
        quarantined_for_a_case: Refused events of one source and type, or rows of its files, from
            which on its owner is to look.
        lag_alarm_events: Events that wait to be handled, from which on somebody is to look.
        lag_alarm_seconds: Or one that waits for longer.
    """

    most_failures: AtLeastOne
    most_attempts: AtLeastOne
    snapshots_per_batch: AtLeastOne
    quarantined_for_a_case: AtLeastOne
    lag_alarm_events: AtLeastOne
    lag_alarm_seconds: AtLeastOne


class Resilience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How patient we are with partners.

    Attributes:
        quick_attempts: Tries within one attempt.
        quick_wait_seconds: Before the second try; it doubles, with jitter.
        longest_quick_wait_seconds: A partner that asks for more is left to a later call.
        first_backoff_seconds: Before a failed command is tried by a later call; it doubles.
        longest_backoff_seconds: Where the doubling ends.
        most_attempts: Failed attempts of one command before it is dead.
        isolate_after: Failed attempts after which a command travels alone.
        failures_until_open: Failed attempts in a row that open the breaker.
        open_seconds: How long it stays open.
        case_after_minutes: How long a partner is away before somebody is to call there.
    """

    quick_attempts: AtLeastOne
    quick_wait_seconds: Seconds
    longest_quick_wait_seconds: Seconds
    first_backoff_seconds: Seconds
    longest_backoff_seconds: Seconds
    most_attempts: AtLeastOne
    isolate_after: AtLeastOne
    failures_until_open: AtLeastOne
    open_seconds: Seconds
    case_after_minutes: AtLeastOne

    def backoff(self, attempts: int, asked_for: float = 0.0) -> timedelta:
        """How long after that many failed attempts to wait, or longer where the partner asks."""
        doubled = self.first_backoff_seconds * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=max(asked_for, min(self.longest_backoff_seconds, doubled)))


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one sender may ask of the gateway, and all of them together.

    What one event may hold is said by the contracts and is the same at every door.

    Attributes:
        request_bytes: What one batch may hold.
        batch_events: How many events one batch may hold.
        events_per_second: What one source may send in the long run.
        burst_events: What one source may send at once.
        waiting_events: What may wait for the database.
        transaction_events: What one group commit takes.
        query_skus: What one availability query may ask for.
    """

    request_bytes: AtLeastOne
    batch_events: AtLeastOne
    events_per_second: Positive
    burst_events: Positive
    waiting_events: AtLeastOne
    transaction_events: AtLeastOne
    query_skus: AtLeastOne


class FaultScoring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When what was made of seeded faults is good.

    Attributes:
        most_false_alarms_percent: Alarms that mean nothing, in a hundred orders.
    """

    most_false_alarms_percent: Annotated[float, Meta(ge=0, le=100)]


class Runs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Dagster's runs are started.

    Attributes:
        warm_lane: Whether those that are marked for it are forked from a process that is ready.
        at_once: Whether streaming sensors start them themselves.
    """

    warm_lane: bool
    at_once: bool


class OperationsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform's processes need to know."""

    replay: ReplayPace
    event_handling: EventHandling
    partner_calls: Resilience
    runs: Runs
    bulk_loads: BulkLoadPolicy
    gateway: Limits
    fault_scoring: FaultScoring


#: The typed policy of the platform, from its values.
operations_policy = policy_reader("operations", OperationsPolicy)
