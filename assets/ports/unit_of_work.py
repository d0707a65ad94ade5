"""One transaction of one flow, its time and its policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from assets.ports.approvals import ApprovalRequest, Approvals
from assets.ports.cases import Case, Cases
from assets.ports.columns import Columns
from assets.ports.master_data import MasterData
from assets.ports.messages import Command, Inbox
from assets.ports.notifications import Notice
from assets.ports.orders import Orders
from assets.ports.pickups import Pickups
from assets.ports.purchasing import Purchasing
from assets.ports.stock import Stock
from assets.ports.supply import Supply
from assets.ports.synchronisation import Synchronisation


class Clock(Protocol):
    """Effective time (real, or a replay's simulated time) and the wall's."""

    def effective_at(self) -> datetime: ...
    def wall(self) -> datetime: ...


class PolicyBook(Protocol):
    """Policies by flow, resolved for a region and brand, most specific scope first."""

    def resolve(self, policy: str, region: str, brand: str) -> Mapping[str, Any]: ...
    def policy_hash(self, policy: str) -> str: ...
    def __hash__(self) -> int: ...


class UnitOfWork(Protocol):
    """One transaction of one flow: everything in it is stored, or nothing is."""

    @property
    def inbox(self) -> Inbox: ...
    @property
    def master_data(self) -> MasterData: ...
    @property
    def stock(self) -> Stock: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def synchronisation(self) -> Synchronisation: ...
    @property
    def pickups(self) -> Pickups: ...
    @property
    def supply(self) -> Supply: ...
    @property
    def purchasing(self) -> Purchasing: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def policies(self) -> PolicyBook: ...
    @property
    def effective_at(self) -> datetime: ...

    def append(self, table: str, columns: Columns) -> None:
        """Append facts to a table; ``effective_at`` is added where the table has it."""
        ...

    def known(self, table: str, column: str, ids: Iterable[str]) -> set[str]:
        """Those of these ids that a table of facts holds already in a column."""
        ...

    def send(self, commands: Iterable[Command]) -> None: ...
    def open_cases(self, cases: Iterable[Case]) -> None: ...
    def notify(self, notices: Iterable[Notice]) -> None:
        """Have people told; the same notice twice is told once."""
        ...

    def request_approvals(self, requests: Iterable[ApprovalRequest]) -> None:
        """Ask people for consent; what another content is asked about the same is asked anew."""
        ...

    def withdraw_approvals(
        self, subject_type: str, subject_keys: Iterable[str], reason: str
    ) -> None:
        """Nothing is to be decided about these any more."""
        ...

    def close_cases(self, case_type: str, business_keys: Iterable[str], resolution: str) -> None:
        """Close those of these cases that are open, saying why they are over."""
        ...
