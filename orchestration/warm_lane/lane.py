"""The process that waits with everything imported, and forks for each run that it is given.

One thread and no connection to anything, since neither survives a fork in good order (the
allocator of Arrow keeps one more, and stops it around a fork by itself). It says for
each process that died without a word that its run failed, from a process forked for that.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import sqlalchemy as sa
from dagster import DagsterInstance
from dagster._cli.api import _execute_run_command_body
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import deserialize_value
from dagster._utils.interrupts import capture_interrupts

from orchestration.warm_lane.talking import read_line

_LOOK_SECONDS = 0.05


class Lane:
    """Forks, and looks after what it has forked.

    Attributes:
        runs: Run and instance by process.
    """

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.runs: dict[int, tuple[str, str]] = {}
        self._parent = os.getppid()

    def serve(self) -> None:
        """Answer until told to stop, or until whoever started us is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            while os.getppid() == self._parent:
                if selector.select(_LOOK_SECONDS):
                    connection, _ = self._listening.accept()
                    with connection:
                        self._answer(connection)
                self._bury()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(1.0)
        # Whoever asks and leaves, or asks nonsense, is not worth a lane.
        with suppress(OSError, ValueError, KeyError):
            said: dict[str, Any] = json.loads(read_line(connection))
            if "start" in said:
                answer: dict[str, Any] = {"process": self._start(said["start"], said["instance"])}
            elif "interrupt" in said:
                answer = {"is_known": self._interrupt(said["interrupt"])}
            else:
                answer = {"runs": len(self.runs)}
            connection.sendall(json.dumps(answer).encode() + b"\n")

    def _start(self, run_id: str, instance: str) -> str:
        pid = os.fork()
        if not pid:
            self._become(partial(_execute, run_id, instance))
        self.runs[pid] = (run_id, instance)
        return f"{pid}/{psutil.Process(pid).create_time()}"

    def _interrupt(self, run_id: str) -> bool:
        pids = [pid for pid, (known, _) in self.runs.items() if known == run_id]
        for pid in pids:
            os.kill(pid, signal.SIGINT)
        return bool(pids)

    def _bury(self) -> None:
        """Take note of processes that have ended; of each that did not end well its run failed."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            run = self.runs.pop(pid, None)
            if run is not None and status and not os.fork():
                self._become(partial(_report_dead, *run))

    def _become(self, work: Callable[[], int]) -> None:
        """What a forked process does, and its end; nothing of the lane outlives the fork."""
        self._listening.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        code = 1
        try:
            code = work()
        except BaseException as error:  # noqa: BLE001 - it ends here, whatever it was
            sys.stderr.write(f"warm lane: {type(error).__name__}: {error}\n")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _execute(run_id: str, instance: str) -> int:
    ref = deserialize_value(instance, InstanceRef)
    with capture_interrupts(), DagsterInstance.from_ref(ref) as opened:
        # What a run in the lane prints is not worth the processes that would keep it.
        opened._compute_log_manager = NoOpComputeLogManager()
        opened._compute_log_manager.register_instance(opened)
        _keep_connections(opened)
        return _execute_run_command_body(run_id, opened, lambda _: None, False)


def _keep_connections(opened: DagsterInstance) -> None:
    """Dagster opens a connection for each event that it stores; a run in the lane keeps one."""
    storages: tuple[Any, ...] = (opened._event_storage, opened._run_storage)
    for storage in storages:
        url = storage.postgres_url
        storage._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")


def _report_dead(run_id: str, instance: str) -> int:
    with DagsterInstance.from_ref(deserialize_value(instance, InstanceRef)) as opened:
        run = opened.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            opened.report_run_failed(run, "its process in the warm lane died")
    return 0


def _rehearse() -> None:
    """Import and read, once for all runs, what each of them would after the fork.

    Opening an instance and a job imports two hundred modules, so both are done here: the instance
    of a process that has none of its own lives in memory, and the job does nothing. The store has
    its policies and no connection.
    """
    # For their effect.
    import dagster_postgres  # noqa: F401
    from dagster._core.storage import local_compute_log_manager  # noqa: F401

    from orchestration import operations
    from orchestration.dagster_resources import access
    from orchestration.warm_lane import launcher  # noqa: F401

    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def rehearsal() -> None:
        nothing()

    operations.defs.get_repository_def().get_all_jobs()
    with DagsterInstance.ephemeral() as instance:
        rehearsal.execute_in_process(instance=instance)
    access("")


def open_lane(path: Path) -> None:
    """Import what runs need, listen, and serve until SIGTERM."""
    _rehearse()
    gc.collect()
    gc.freeze()
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(64)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            Lane(listening).serve()
        finally:
            path.unlink(missing_ok=True)
