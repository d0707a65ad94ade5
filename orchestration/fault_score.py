"""Compares the sandbox's answer key with what the home made of it: misses and false alarms.

The one reader of the answer key. A fault is met when the home shows its expected outcome and the
event, command or order that was struck came to its right end; anything else is a miss. A case, a
quarantined event or units of drift that no fault explains are a false alarm, whatever its reason;
drift that is merely late is none, since partners hear of everything after it happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assets.contracts.registry import CONTRACTS
from assets.order_to_fulfillment.rules import ENDED_BY_US
from assets.ports import CaseType
from orchestration.fault_evidence import Evidence, Quarantined, gather
from orchestration.home import Home
from resources.operational_store.store import OperationalStore
from resources.sandbox.answer_key import Drift, Fault, Outcome, read
from resources.sandbox.faults import CATALOGUE, INTERRUPTIONS

_ENDED_UNPAID = frozenset({"declined", "cancelled", "expired"})


@dataclass(frozen=True)
class KindScore:
    """One kind of fault: how many were injected, and how many came out as expected."""

    kind: str
    injected: int
    as_expected: int

    @property
    def missed(self) -> int:
        """How many did not."""
        return self.injected - self.as_expected


@dataclass(frozen=True)
class Miss:
    """One fault that came out otherwise."""

    kind: str
    business_key: str
    reference: str
    expected: str
    found: str


@dataclass(frozen=True)
class FaultScore:
    """The whole score.

    Attributes:
        kinds: One for each, in the catalogue's order.
        not_due: Faults that were to strike after the home's time.
        misses: Each of them.
        false_alarms: (what, how many), most first.
        orders: How many the home has.
        most_false_alarms_percent: False alarms in a hundred orders that a good home may have.
    """

    kinds: list[KindScore]
    not_due: int
    misses: list[Miss]
    false_alarms: list[tuple[str, int]]
    orders: int
    most_false_alarms_percent: float

    @property
    def injected(self) -> int:
        """All faults that have struck."""
        return sum(kind.injected for kind in self.kinds)

    @property
    def false_alarm_count(self) -> int:
        """All false alarms."""
        return sum(count for _, count in self.false_alarms)

    @property
    def is_good(self) -> bool:
        """Whether nothing was missed and few alarms were false."""
        most = self.orders * self.most_false_alarms_percent / 100
        return not self.misses and self.false_alarm_count <= most


def score_home(home: Home, store: OperationalStore) -> FaultScore | None:
    """The score of a home, ``None`` where no sandbox has worked."""
    faults = read(home.path / "sandbox")
    if faults is None:
        return None
    with store.transaction() as connection:
        scoring = store.policies.operations.fault_scoring
        return judge(faults, gather(connection, faults), scoring.most_false_alarms_percent)


def judge(
    faults: Sequence[Fault], evidence: Evidence, most_false_alarms_percent: float
) -> FaultScore:
    """Compare what was injected with what was found."""
    due = [fault for fault in faults if fault.at <= evidence.now]
    misses = []
    for fault in due:
        found = _what_is_wrong(fault, evidence)
        if found:
            misses.append(
                Miss(fault.kind, fault.business_key, fault.reference, fault.expected, found)
            )
    injected = Counter(fault.kind for fault in due)
    missed = Counter(miss.kind for miss in misses)
    return FaultScore(
        kinds=[
            KindScore(kind.name, injected[kind.name], injected[kind.name] - missed[kind.name])
            for kind in CATALOGUE
        ],
        not_due=len(faults) - len(due),
        misses=misses,
        false_alarms=_false_alarms(due, evidence),
        orders=evidence.orders,
        most_false_alarms_percent=most_false_alarms_percent,
    )


def _what_is_wrong(fault: Fault, evidence: Evidence) -> str:
    """What is not as expected of one fault, empty where all is."""
    if fault.drift is not None:
        wrong = _drift_is_wrong(fault, fault.drift, evidence)
        if wrong:
            return wrong
    outcome = Outcome.parse(fault.expected)
    if outcome.kind == "quarantined":
        row = Quarantined(fault.partner, fault.reference, outcome.code)
        if row not in evidence.quarantine:
            return "it is not in quarantine for this reason"
        return _unsettled(fault, evidence)
    if outcome.kind == "case":
        return _case_is_wrong(fault, outcome.code, evidence)
    return _ABSORBED.get(fault.kind, _unsettled)(fault, evidence)


def _case_is_wrong(fault: Fault, case_type: str, evidence: Evidence) -> str:
    wanted = (case_type, fault.business_key)
    found = [case for case in evidence.cases if (case.case_type, case.business_key) == wanted]
    if not found:
        status, _ = evidence.order_states.get(fault.business_key, ("unknown", 0))
        if fault.kind == "late_cancellation" and status in ENDED_BY_US:
            # Nobody had the goods: it was over before it was taken back, which the key cannot know.
            return ""
        return "there is no such case"
    is_over = fault.business_key in evidence.delivered
    if fault.kind == "carrier_silence" and found[0].is_open == is_over:
        return "delivered, and still open" if is_over else "closed before it was delivered"
    if fault.over_at is not None and fault.over_at <= evidence.now and found[0].is_open:
        return "put right, and still open"
    return ""


def _drift_is_wrong(fault: Fault, drift: Drift, evidence: Evidence) -> str:
    """Whether exactly the units of a fault got its reason; others may be late beside it."""
    shown = {
        as_of: coded
        for as_of, coded in evidence.drift.get(fault.business_key, {}).items()
        if drift.as_of <= as_of <= drift.last_as_of
    }
    for coded in shown.values():
        units = coded.get(drift.reason_code, 0)
        is_late = drift.reason_code == "late"
        if units == drift.units or (is_late and 0 < drift.units < units):
            return ""
    last = shown[max(shown)] if shown else {}
    said = ", ".join(f"{units:+d} {reason}" for reason, units in last.items())
    return f"{drift.units:+d} {drift.reason_code} were coded {said or 'as no drift'}"


def _drift_was_noticed(fault: Fault, evidence: Evidence) -> str:
    """What cures itself asks nobody."""
    return _asked_about(fault.business_key, evidence)


def _unsettled(fault: Fault, evidence: Evidence) -> str:
    """An event that was struck is applied, once, and nobody was asked about it."""
    settled = evidence.events.get((fault.partner, fault.reference))
    if settled is None:
        return "the event never came in"
    if settled.status != "applied":
        return f"the event is {settled.status}"
    if not settled.is_booked_once:
        return "the ledger does not show it exactly once"
    return _asked_about(f"{fault.partner}/{fault.reference}", evidence)


def _told_twice(fault: Fault, evidence: Evidence) -> str:
    """An event that was told twice counts as once, whatever the flow made of the first."""
    settled = evidence.events.get((fault.partner, fault.reference))
    if settled is not None and settled.status == "quarantined":
        conflict = Quarantined(fault.partner, fault.reference, "id_conflict")
        return "taken for another event" if conflict in evidence.quarantine else ""
    return _unsettled(fault, evidence)


def _undelivered(fault: Fault, evidence: Evidence) -> str:
    status = evidence.commands.get(fault.reference, "unknown")
    if status != "delivered":
        return f"the command is {status}"
    return _asked_about(f"{fault.partner}/{fault.business_key}", evidence)


def _not_ended(fault: Fault, evidence: Evidence) -> str:
    status, held = evidence.order_states.get(fault.business_key, ("unknown", 0))
    if status not in _ENDED_UNPAID:
        return f"the order is {status}"
    return f"the order still holds {held} units" if held else ""


def _asked_about(business_key: str, evidence: Evidence) -> str:
    for case in evidence.cases:
        if case.business_key == business_key:
            return f"a case {case.case_type} was opened"
    return ""


#: How each kind that is to be absorbed is looked after; the others are events of one telling.
_ABSORBED: dict[str, Callable[[Fault, Evidence], str]] = {
    "duplicate_delivery": _told_twice,
    "payment_decline": _not_ended,
    "stock_late": _drift_was_noticed,
    "stock_miscount": _drift_was_noticed,
    **dict.fromkeys(INTERRUPTIONS, _undelivered),
}


def _false_alarms(faults: Sequence[Fault], evidence: Evidence) -> list[tuple[str, int]]:
    expected = [(fault, Outcome.parse(fault.expected)) for fault in faults]
    # A flow that cannot take an event opens a case and sets the event aside, under one code.
    set_aside = {(fault.partner, fault.reference, outcome.code) for fault, outcome in expected}
    asked_for = {
        (outcome.code, fault.business_key) for fault, outcome in expected if outcome.kind == "case"
    }
    foreseen = asked_for | _what_follows(faults)
    alarms: Counter[str] = Counter()
    for row in evidence.quarantine:
        if (row.source, row.event_id, row.reason_code) not in set_aside:
            alarms[f"quarantined: {row.reason_code}"] += 1
    for case in evidence.cases:
        if (case.case_type, case.business_key) not in foreseen:
            alarms[f"case: {case.case_type}"] += 1
    differing = {
        (fault.business_key, fault.drift.reason_code) for fault in faults if fault.drift is not None
    }
    for key, by_snapshot in evidence.drift.items():
        for reason in (reason for coded in by_snapshot.values() for reason in coded):
            if reason != "late" and (key, reason) not in differing:
                alarms[f"drift: {reason}"] += 1
    return sorted(alarms.items(), key=lambda alarm: (-alarm[1], alarm[0]))


def _what_follows(faults: Sequence[Fault]) -> set[tuple[str, str]]:
    """Cases that faults lead to beside their own, as (type, business key).

    A parcel of which nothing is heard is late before it is silent, and a source that sends much
    that is broken is somebody's business as a whole.
    """
    follows: set[tuple[str, str]] = set()
    for fault in faults:
        if fault.kind == "carrier_silence":
            order = fault.business_key.rpartition("/")[0]
            follows.add((CaseType.CARRIER_DELAY, order))
        elif fault.kind == "malformed":
            follows |= {
                (CaseType.CONTRACT_VIOLATION, f"{fault.partner}/{event_type}")
                for event_type in CONTRACTS
            }
    return follows
