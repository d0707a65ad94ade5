"""Cases that stand as long as something is wrong with the platform: asked of the data each time.

Each is opened when its cause is found, left alone while that lasts, and closed when it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from assets.operations_policy import EventHandling
from assets.ports import Case, CaseType
from resources.operational_store.bulk import fetch
from resources.operational_store.cases import open_keys
from resources.operational_store.unit_of_work import SqlUnitOfWork


def report_lag(handling: EventHandling, unit_of_work: SqlUnitOfWork) -> int:
    """While too much waits in the inbox, or for too long; gives how many events wait."""
    ((waiting, seconds),) = fetch(
        unit_of_work.connection,
        "select count(*), coalesce(extract(epoch from now() - min(recorded_at)), 0)::bigint"
        " from (select recorded_at from event_inbox where status = 'pending'"
        " order by inbox_id limit %s) as waiting",
        handling.lag_alarm_events,
    )
    lags = waiting >= handling.lag_alarm_events or seconds >= handling.lag_alarm_seconds
    reason = f"{waiting} events or more wait, the oldest for {seconds} s"
    cases = [Case(CaseType.INBOX_LAG, "inbox", reason)] if lags else []
    _stand(CaseType.INBOX_LAG, cases, "what waited was handled", unit_of_work)
    return int(waiting)


def report_policies(refused: str | None, unit_of_work: SqlUnitOfWork) -> None:
    """While the last good policies hold, because those of the home cannot be meant."""
    reason = f"the last good policies hold: {refused}"
    cases = [] if refused is None else [Case(CaseType.POLICY_REFUSED, "policies", reason)]
    _stand(CaseType.POLICY_REFUSED, cases, "the policies are in force", unit_of_work)


def report_partners(
    owners: Mapping[str, str], patience: timedelta, now: datetime, unit_of_work: SqlUnitOfWork
) -> int:
    """While a partner does not answer, once that has lasted; gives how many are away that long.

    Args:
        owners: Who looks after each partner.
        patience: How long one may be away.
        now: By the wall.
        unit_of_work: The transaction.
    """
    rows = fetch(
        unit_of_work.connection,
        "select partner, away_since, last_error from partner_health where away_since <= %s",
        now - patience,
    )
    cases = [
        Case(
            CaseType.PARTNER_UNAVAILABLE,
            partner,
            f"{partner} has not answered since {since:%Y-%m-%d %H:%M} UTC: {error}",
            brought_by=owners[partner],
        )
        for partner, since, error in rows
        if partner in owners
    ]
    _stand(CaseType.PARTNER_UNAVAILABLE, cases, "the partner answers again", unit_of_work)
    return len(cases)


def _stand(
    case_type: CaseType, cases: Iterable[Case], cured: str, unit_of_work: SqlUnitOfWork
) -> None:
    """Have exactly these cases of a type open; one that stands already is not counted up."""
    wanted = {case.business_key: case for case in cases}
    known = open_keys(unit_of_work.connection, case_type)
    gone = sorted(known - wanted.keys())
    if gone:
        unit_of_work.close_cases(case_type, gone, cured)
    unit_of_work.open_cases(case for key, case in wanted.items() if key not in known)
