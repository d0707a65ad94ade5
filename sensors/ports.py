"""What sensors need of the world. They are given it; they know neither tables nor partners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from assets.ports import CaseType, Tally


class MicroBatch(Tally, Protocol):
    """What handling a micro-batch did; ``rows`` were added by table."""

    rows: Counter[str]


class Listener(Protocol):
    """An ear at the database."""

    def heard(self, seconds: float) -> bool:
        """Whether something was said since the last time, waiting that long at most."""
        ...


class Timed(Protocol):
    """A home with a time of its own."""

    def time_is_simulated(self) -> bool:
        """Whether a replay or demo moves the time here; then nobody else may."""
        ...


class Audible(Timed, Protocol):
    """A store that says when something waits in it."""

    def listening(self, channel: str) -> AbstractContextManager[Listener]:
        """Listen from now on: what was said before is not heard."""
        ...


class InboxStore(Audible, Protocol):
    """The store of events that arrive."""

    def drain_waiting(self) -> Iterator[tuple[str, MicroBatch]]:
        """Handle what waits now, consumer by consumer; nothing where somebody else does already."""
        ...


class Told(Protocol):
    """What sending did, to partners or to people."""

    @property
    def delivered(self) -> int:
        """Taken."""
        ...

    @property
    def retried(self) -> int:
        """Failed for now."""
        ...

    @property
    def dead(self) -> int:
        """Given up; somebody has a case of it."""
        ...


class Sent(Told, Protocol):
    """What a dispatch did, in commands."""

    @property
    def remaining(self) -> int:
        """Still waiting."""
        ...


class OutboxStore(Audible, Protocol):
    """The store of commands that wait to be sent."""

    def dispatch(self) -> Sent:
        """Send whatever may be sent now."""
        ...


class Fetched(Protocol):
    """What one partner had to say, or why it could not be asked."""

    @property
    def partner(self) -> str:
        """Its code."""
        ...

    @property
    def accepted(self) -> int:
        """Events that were new."""
        ...

    @property
    def unavailable(self) -> str | None:
        """Why it was not asked."""
        ...


class PartnerStore(Timed, Protocol):
    """Partners that are asked because they do not tell."""

    def poll_partners(self) -> Sequence[Fetched]:
        """Ask each of them once."""
        ...

    def report_partners(self) -> int:
        """Open a case for each partner that is away for too long; gives how many are."""
        ...

    def breakers(self) -> Mapping[str, str]:
        """State of the circuit breaker by partner."""
        ...


class SpikeStore(Protocol):
    """Whoever knows of spikes and plans."""

    def time_is_simulated(self) -> bool:
        """Whether a replay or demo moves the time of this home."""
        ...

    def has_unplanned_spike(self) -> bool:
        """Whether a spike was found after the last plan was made."""
        ...


class LoadStore(Timed, Protocol):
    """Bulk loads that wait for their gate."""

    def loads_awaiting_gate(self) -> Sequence[str]:
        """Partners whose loads have come and are not judged yet."""
        ...


class PromiseStore(Timed, Protocol):
    """Promises of stock, which end or change by time alone."""

    def report_overdue(self) -> int:
        """Open a case for each event that has waited for too long; gives how many."""
        ...

    def report_silence(self) -> int:
        """Open a case for each parcel of which its carrier says nothing; gives how many."""
        ...

    def keep_promises(self) -> int:
        """Serve who waits for supply and promise anew what is late; gives how many moved."""
        ...

    def expire_reservations(self) -> int:
        """End what was not paid in time; gives the orders."""
        ...

    def reconcile(self) -> int:
        """Compare what other systems believe of our stock; gives the snapshots."""
        ...

    def publish_availability(self) -> int:
        """Tell channels what changed; gives the lines."""
        ...


class ApprovalStore(Timed, Protocol):
    """What waits for people's consent."""

    def expire_approvals(self) -> int:
        """Deny what nobody has consented to in time; gives how many."""
        ...


class NotificationStore(Timed, Protocol):
    """Messages that wait to be delivered."""

    def deliver_notifications(self) -> Told:
        """Tell people what waits to be told."""
        ...


class RunStarter(Protocol):
    """Where a run can be started at once."""

    def start(self, job: str) -> str | None:
        """Start a job; gives the run's id, nothing where that cannot be."""
        ...


class PlaybookStore(Audible, Protocol):
    """Cases that wait for a playbook."""

    def alone(self, work: str) -> AbstractContextManager[bool]:
        """Whether nobody else does this work at the moment, until the block ends."""
        ...

    def waiting_playbooks(self) -> Sequence[str]:
        """Playbooks with a case on which they are to act by now."""
        ...


class CaseStore(Timed, Protocol):
    """Where what needs a person is written, and seen to."""

    def report_lag(self) -> int:
        """Open a case while too much waits in the inbox; gives how many events wait."""
        ...

    def report_policies(self) -> None:
        """Open a case where a policy cannot be meant, so that the last good ones hold."""
        ...

    def report_quarantine(self) -> int:
        """Open a case for each source of which much was refused; gives how many."""
        ...

    def route_cases(self) -> int:
        """Give cases an owner and a due time that have none; gives how many."""
        ...

    def escalate(self) -> int:
        """Take the rungs of the ladder whose time has come; gives how many."""
        ...

    def case_figures(self) -> dict[str, int]:
        """How many cases there are by state, all in all and by queue."""
        ...

    def open_case(self, case_type: CaseType, business_key: str, reason: str) -> None:
        """Open a case, or count it up."""
        ...
