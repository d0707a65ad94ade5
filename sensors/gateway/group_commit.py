"""Posts that arrive together share a transaction, and each is answered after its commit.

A commit costs a flush to disk whatever it holds. One thread writes; while it waits for the disk
the next group gathers by itself, so nobody waits for company when there is none.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from assets.contracts.admission import Receipt, Refusal, Submission
from assets.operations_policy import Limits
from sensors.gateway.metrics import Metrics
from sensors.gateway.ports import Intake, StoreUnavailable

_log = structlog.get_logger("gateway")


class Overloaded(Exception):
    """Too much is waiting for the database already."""


@dataclass(slots=True, eq=False)
class _Entry:
    submissions: Sequence[Submission]
    refusals: Sequence[Refusal]
    future: asyncio.Future[list[Receipt]]

    @property
    def size(self) -> int:
        return len(self.submissions) + len(self.refusals)


class GroupCommit:
    """One writer for a gateway's process."""

    def __init__(self, intake: Intake, limits: Limits, metrics: Metrics) -> None:
        self._intake = intake
        self._limits = limits
        self._metrics = metrics
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._waiting = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to write; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, name="group-commit", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what is waiting, then end."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def submit(
        self, submissions: Sequence[Submission], refusals: Sequence[Refusal] = ()
    ) -> asyncio.Future[list[Receipt]]:
        """Receipts of the submissions, once everything is committed.

        Raises:
            Overloaded: If too much is waiting already.
        """
        size = len(submissions) + len(refusals)
        if self._waiting + size > self._limits.waiting_events or self._loop is None:
            raise Overloaded
        self._waiting += size
        self._metrics.waiting.set(self._waiting)
        entry = _Entry(submissions, refusals, self._loop.create_future())
        self._queue.put(entry)
        return entry.future

    def _write(self) -> None:
        is_open = True
        held: _Entry | None = None
        while is_open or held is not None:
            first = held if held is not None else self._queue.get()
            if first is None:
                return
            group, held, is_open = self._gather(first, is_open=is_open)
            outcomes = self._take(group)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._resolve, group, outcomes)

    def _gather(self, first: _Entry, *, is_open: bool) -> tuple[list[_Entry], _Entry | None, bool]:
        group, size = [first], first.size
        while True:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return group, None, is_open
            if entry is None:
                return group, None, False
            if size + entry.size > self._limits.transaction_events:
                return group, entry, is_open
            group.append(entry)
            size += entry.size

    def _take(self, group: Sequence[_Entry]) -> list[list[Receipt] | Exception]:
        submissions = [item for entry in group for item in entry.submissions]
        refusals = [item for entry in group for item in entry.refusals]
        self._metrics.group_events.observe(len(submissions) + len(refusals))
        try:
            receipts = self._intake.take(submissions, refusals)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", events=len(submissions), reason=str(error))
            return [error] * len(group)
        except Exception as error:  # noqa: BLE001  a post that breaks the store must not take others along
            _log.error("group_failed", events=len(submissions), error=type(error).__name__)
            if len(group) == 1:
                return [error]
            return [outcome for entry in group for outcome in self._take([entry])]
        outcomes: list[list[Receipt] | Exception] = []
        at = 0
        for entry in group:
            end = at + len(entry.submissions)
            outcomes.append(receipts[at:end])
            at = end
        return outcomes

    def _resolve(
        self, group: Sequence[_Entry], outcomes: Sequence[list[Receipt] | Exception]
    ) -> None:
        for entry, outcome in zip(group, outcomes, strict=True):
            self._waiting -= entry.size
            if entry.future.done():
                continue
            if isinstance(outcome, Exception):
                entry.future.set_exception(outcome)
            else:
                entry.future.set_result(outcome)
        self._metrics.waiting.set(self._waiting)
