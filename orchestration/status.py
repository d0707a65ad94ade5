"""How a home is doing: its processes, its database, what waits in its queues.

Every part is asked for on its own, so that one which is missing or broken hides no other.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from assets.errors import EnvironmentProblem, RetailFlowError
from orchestration import services as service_list
from orchestration.environment import shown
from orchestration.home import Home
from orchestration.services import SUPERVISOR, ServiceHealth
from resources.operational_store import connection, embedded

LEAST_FREE_BYTES = 1024 * 1024 * 1024

INBOX = """
    select
        count(*) filter (where status = 'pending'),
        coalesce(round(extract(epoch from
            now() - min(recorded_at) filter (where status = 'pending'))), 0)::bigint,
        count(*) filter (where status = 'waiting')
    from event_inbox
    where status in ('pending', 'waiting')
"""
OUTBOX = """
    select
        count(*) filter (where status = 'pending'),
        coalesce(round(extract(epoch from
            now() - min(recorded_at) filter (where status = 'pending'))), 0)::bigint,
        count(*) filter (where status = 'dead')
    from command_outbox
    where status <> 'delivered'
"""
CLOCK = "select mode from home_clock"
PARTNERS = """
    select partner, breaker, consecutive_failures, open_until, last_success_at, last_error
    from partner_health
    order by partner
"""


@dataclass
class Status:
    """One look at a home."""

    home: str
    database: str
    database_reachable: bool = False
    supervisor_pid: int | None = None
    services: Sequence[ServiceHealth] = ()
    inbox: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[str, int] = field(default_factory=dict)
    partners: list[dict[str, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether everything that should run runs and answers.

        A partner that is away is no reason to say no: it is not ours, its commands wait for it, and
        a new home has none until a replay or a demo starts the sandbox.
        """
        return (
            self.database_reachable
            and self.supervisor_pid is not None
            and all(entry.state == "healthy" for entry in self.services)
        )

    def as_json(self) -> dict[str, object]:
        """The whole report as plain values."""
        return {
            "home": self.home,
            "healthy": self.healthy,
            "database": {"url": self.database, "reachable": self.database_reachable},
            "supervisor_pid": self.supervisor_pid,
            "services": service_list.as_json(self.services),
            "inbox": dict(self.inbox),
            "outbox": dict(self.outbox),
            "partners": [dict(partner) for partner in self.partners],
            "problems": self.problems,
        }


def of(home: Home) -> Status:
    """Look at everything of this home; starts and changes nothing."""
    found = Status(home=str(home.path), database=shown(home.database_url))
    supervisor = service_list.recorded(home, SUPERVISOR)
    found.supervisor_pid = supervisor.pid if supervisor else None
    if home.embedded and not embedded.is_running(home.postgres):
        found.problems.append("the database is not running; `omniflow up` starts it")
    else:
        try:
            with connection.connect(home.database_url) as database:
                found.database_reachable = True
                _backlogs(found, database)
        except EnvironmentProblem as problem:
            found.problems.append(str(problem))
    _say_who_is_sandbox(found, home)
    found.services = service_list.health(home)
    free = shutil.disk_usage(home.path).free
    if free < LEAST_FREE_BYTES:
        found.problems.append(f"the disk of the home is nearly full: {free // 2**20} MB free")
    return found


def _backlogs(found: Status, database: psycopg.Connection[tuple[object, ...]]) -> None:
    inbox = connection.rows(database, INBOX)
    if inbox:
        names = ("pending", "oldest_pending_seconds", "waiting")
        found.inbox = dict(zip(names, inbox[0], strict=True))
    outbox = connection.rows(database, OUTBOX)
    if outbox:
        names = ("pending", "oldest_pending_seconds", "dead")
        found.outbox = dict(zip(names, outbox[0], strict=True))
    clock = connection.rows(database, CLOCK)
    pending = found.inbox.get("pending", 0)
    if pending and clock == [("simulated",)]:
        found.problems.append(
            f"{pending:,} pending events wait for a replay: time in this home is simulated, and"
            " only `omniflow replay` moves it (a demo begins anew)"
        )
    keys = ("partner", "breaker", "consecutive_failures", "open_until", "last_success_at")
    for *row, last_error in connection.rows(database, PARTNERS) or []:
        partner = dict(zip(keys, row, strict=True))
        is_away = partner["breaker"] != "closed" or last_error is not None
        found.partners.append({**partner, "last_error": last_error, "is_away": is_away})


def _say_who_is_sandbox(found: Status, home: Home) -> None:
    try:
        sandbox = {partner.code for partner in home.partner_book() if partner.is_sandbox}
    except RetailFlowError as problem:
        found.problems.append(str(problem))
        sandbox = set()
    for partner in found.partners:
        partner["is_sandbox"] = partner["partner"] in sandbox
