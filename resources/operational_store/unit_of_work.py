"""One transaction of one flow over PostgreSQL: the ports of `assets.ports`, set-based."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cache

import msgspec
import psycopg
import sqlalchemy as sa

from assets.approvals import service as approvals
from assets.commerce.identifiers import command_id_text
from assets.exception_routing import service as exception_routing
from assets.facts import in_columns
from assets.notifications import service as notifications
from assets.ports import ApprovalRequest, Case, Columns, Command, Notice, PolicyBook
from resources.operational_store.approvals import SqlApprovals
from resources.operational_store.bulk import copy_into, execute, fetch
from resources.operational_store.cases import SqlCases, close_cases, open_cases
from resources.operational_store.inbox import SqlInbox
from resources.operational_store.master_data import SqlMasterData
from resources.operational_store.orders import SqlOrders
from resources.operational_store.pickups import SqlPickups
from resources.operational_store.purchasing import SqlPurchasing
from resources.operational_store.schema import metadata
from resources.operational_store.stock import SqlStock
from resources.operational_store.supply import SqlSupply
from resources.operational_store.synchronisation import SqlSynchronisation

OUTBOX_CHANNEL = "omniflow_outbox"
#: What another worker's transaction may do to ours; tried again, it sees what the other one left.
IN_THE_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,
)
_encode = msgspec.json.Encoder(decimal_format="string").encode

_OUTBOX = (
    "command_id",
    "partner",
    "command_type",
    "business_key",
    "correlation_id",
    "payload",
    "owner",
)


@cache
def _has_effective(table: str) -> bool:
    return "effective_at" in metadata.tables[table].columns


class SqlUnitOfWork:
    """Everything that a flow stores in one transaction; the caller commits.

    Attributes:
        connection: The transaction, for what resources do in it beside the flows.
    """

    def __init__(
        self, connection: sa.Connection, effective_at: datetime, policies: PolicyBook
    ) -> None:
        self.connection = connection
        self._effective_at = effective_at
        self.policies = policies
        self.inbox = SqlInbox(connection, effective_at)
        self.master_data = SqlMasterData(connection, effective_at)
        self.stock = SqlStock(
            connection, effective_at, policies.policy_hash("inventory"), self.inbox.earliest
        )
        self.synchronisation = SqlSynchronisation(connection)
        self.orders = SqlOrders(connection, effective_at)
        self.pickups = SqlPickups(connection, effective_at)
        self.supply = SqlSupply(connection, effective_at)
        self.purchasing = SqlPurchasing(connection, effective_at)
        self.cases = SqlCases(connection)
        self.approvals = SqlApprovals(connection)
        self.rows: Counter[str] = Counter()
        self.cases_opened = 0
        self.commands_sent = 0

    @property
    def effective_at(self) -> datetime:
        """The instant at which this batch is decided."""
        return self._effective_at

    def append(self, table: str, columns: Columns) -> None:
        """Append facts to a table; ``effective_at`` is added where the table has it."""
        if _has_effective(table):
            count = len(next(iter(columns.values())))
            columns = {**columns, "effective_at": [self._effective_at] * count}
        self.rows[table] += copy_into(self.connection, table, columns)

    def known(self, table: str, column: str, ids: Iterable[str]) -> set[str]:
        """Those of these ids that a table of facts holds already in a column."""
        rows = fetch(
            self.connection,
            f"select distinct {column}::text from {table} where {column} = any(%s::uuid[])",
            list(ids),
        )
        return {row[0] for row in rows}

    def send(self, commands: Iterable[Command]) -> None:
        """Put commands into the outbox; a command that is there already stays as it is."""
        rows = []
        for command in commands:
            scope = command.scope
            payload = {
                **command.payload,
                "legal_entity": scope.legal_entity,
                "brand": scope.brand,
                "region": scope.region,
                "channel": scope.channel,
                "correlation_id": scope.correlation_id,
                "effective_at": command.caused_at,
            }
            identity = command_id_text(
                command.partner, command.command_type, command.business_key, command.discriminator
            )
            rows.append(
                (
                    identity,
                    command.partner,
                    command.command_type,
                    command.business_key,
                    scope.correlation_id,
                    _encode(payload).decode(),
                    command.owner,
                )
            )
        distinct: dict[str, tuple[str, ...]] = {}
        for row in rows:
            distinct.setdefault(row[0], row)
        try:
            with self.connection.begin_nested():
                self._put_out(list(distinct.values()))
        except psycopg.errors.UniqueViolation:
            known = self.known("command_outbox", "command_id", distinct)
            self._put_out([row for identity, row in distinct.items() if identity not in known])

    def _put_out(self, rows: list[tuple[str, ...]]) -> None:
        if rows:
            self.append("command_outbox", in_columns(_OUTBOX, rows))
            self.commands_sent += len(rows)

    def open_cases(self, cases: Iterable[Case]) -> None:
        """Open cases; the same cause again counts up the case that is there and opens it again."""
        self.cases_opened += open_cases(self.connection, cases, self._effective_at)

    def close_cases(self, case_type: str, business_keys: Iterable[str], resolution: str) -> None:
        """Close those of these cases that are open, saying why they are over."""
        close_cases(self.connection, case_type, business_keys, resolution, self._effective_at)

    def notify(self, notices: Iterable[Notice]) -> None:
        """Have people told; the same notice twice is told once."""
        notifications.notify(notices, self)

    def request_approvals(self, requests: Iterable[ApprovalRequest]) -> None:
        """Ask people for consent; what another content is asked about the same is asked anew."""
        approvals.request(requests, self)

    def withdraw_approvals(
        self, subject_type: str, subject_keys: Iterable[str], reason: str
    ) -> None:
        """Nothing is to be decided about these any more."""
        approvals.withdraw(subject_type, list(subject_keys), reason, self)

    def finish(self) -> None:
        """Route what was opened, write what became of the inbox, and wake who sends commands."""
        if self.cases_opened:
            exception_routing.route(self)
        self.inbox.finish()
        if self.commands_sent:
            execute(self.connection, f"notify {OUTBOX_CHANNEL}")
