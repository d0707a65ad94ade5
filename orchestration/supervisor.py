"""Keeps a home's processes alive: `up` prepares the home and starts this as one detached process.

Runs as ``python -m orchestration.supervisor``. What it must survive: any of its children dying at
any moment, the database among them. What it need not survive is its own death; the next `up` or
`down` clears up after it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import structlog

from assets.errors import EnvironmentProblem
from orchestration import dagster_instance
from orchestration import services as service_list
from orchestration.environment import PROJECT, Environment
from orchestration.home import Home, is_free, open_home
from orchestration.services import SUPERVISOR, Service, ServiceHealth
from resources.operational_store import connection, embedded

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
# A process that lived this long was not failing at its start; its next failure is a first one.
SETTLED_SECONDS = 60.0
PROBE_EVERY_SECONDS = 10.0
# A minute of silence on a busy machine is not yet a hang; a minute and a half is.
SILENT_PROBES = 9
LOG_LIMIT_BYTES = 32 * 1024 * 1024
UP_TIMEOUT_SECONDS = 240.0
# How often `up` looks for other ports when a stranger took one between the choice and the start.
PORT_TRIES = 3

log = structlog.get_logger()


class PortTaken(EnvironmentProblem):
    """A service cannot start because somebody else listens at its port."""


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    next_start_at: float = 0.0
    backoff: float = FIRST_BACKOFF_SECONDS
    restarts: int = 0
    was_healthy: bool = False
    silent_probes: int = 0


@dataclass
class Supervisor:
    """The loop that restarts what dies."""

    home: Home
    ports: Mapping[str, int]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Supervise until told to stop, then stop everything including the embedded database."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        service_list.record(self.home, SUPERVISOR, os.getpid())
        children = [_Child(service) for service in service_list.services(self.home, self.ports)]
        self._write_restarts(children)
        prober = threading.Thread(target=self._probe, args=(children,), daemon=True)
        prober.start()
        try:
            while not self.stopping.is_set():
                self._keep_database()
                for child in children:
                    self._keep(child, children)
                self.stopping.wait(0.25)
        finally:
            log.info("supervisor_stopping")
            service_list.stop(self.home, [child.service.name for child in children])
            for child in children:
                if child.process is not None:
                    child.process.poll()
            if self.home.embedded:
                embedded.stop(self.home.postgres)
            (self.home.run / f"{SUPERVISOR}.pid").unlink(missing_ok=True)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _keep_database(self) -> None:
        if not self.home.embedded or embedded.is_running(self.home.postgres):
            return
        try:
            embedded.start(self.home.postgres)
            log.warning("database_restarted")
        except EnvironmentProblem as problem:
            log.error("database_does_not_start", reason=str(problem))
            self.stopping.wait(2)

    def _keep(self, child: _Child, children: list[_Child]) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            lived = now - child.started_at
            if lived > SETTLED_SECONDS:
                child.backoff = FIRST_BACKOFF_SECONDS
            log.warning(
                "service_died",
                service=child.service.name,
                code=code,
                lived_seconds=round(lived),
                restart_in_seconds=child.backoff,
            )
            child.process = None
            child.next_start_at = now + child.backoff
            child.backoff = min(child.backoff * 2, LONGEST_BACKOFF_SECONDS)
            child.restarts += 1
            self._write_restarts(children)
        if now >= child.next_start_at:
            self._start(child)

    def _start(self, child: _Child) -> None:
        name = child.service.name
        path = self.home.logs / f"{name}.log"
        try:
            with path.open("ab") as output:
                child.process = subprocess.Popen(
                    child.service.command,
                    cwd=PROJECT,
                    env=self.home.environment.for_children(self.home.dagster),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # A group of its own: `down` reaches the runs it started, ^C does not.
                    start_new_session=True,
                )
            service_list.record(self.home, name, child.process.pid)
        except OSError as error:
            log.error("service_does_not_start", service=name, reason=str(error))
            child.next_start_at = time.monotonic() + LONGEST_BACKOFF_SECONDS
            return
        child.started_at = time.monotonic()
        child.was_healthy = False
        child.silent_probes = 0
        log.info("service_started", service=name, pid=child.process.pid)

    def _probe(self, children: list[_Child]) -> None:
        """Kill what is alive but no longer answers; the main loop restarts it."""
        while not self.stopping.wait(PROBE_EVERY_SECONDS):
            for child in children:
                process = child.process
                if process is None or child.service.probe == "heartbeat":
                    continue
                if service_list.answers(self.home, child.service, 0.0, timeout=5.0):
                    child.was_healthy = True
                    child.silent_probes = 0
                    continue
                child.silent_probes += 1
                if child.was_healthy and child.silent_probes >= SILENT_PROBES:
                    log.warning("service_silent", service=child.service.name, pid=process.pid)
                    process.kill()
            self._limit_logs()

    def _limit_logs(self) -> None:
        """Keep one old log per process; the processes append, so theirs can be emptied."""
        for path in self.home.logs.glob("*.log"):
            if path.stat().st_size > LOG_LIMIT_BYTES:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)

    def _write_restarts(self, children: list[_Child]) -> None:
        counts = {child.service.name: child.restarts for child in children}
        path = service_list.restarts_path(self.home)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(counts))
        temporary.replace(path)


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Keep two commands that start, stop or copy the same home apart."""
    path = home.path / ".up.lock"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def start_database(home: Home) -> None:
    """Start or reach the operational store and bring it to this version's schema.

    This is all that a command needs which works without the services (marts, invariants, …). It
    goes on running for the next one; called under `exclusive`.

    Raises:
        EnvironmentProblem: If the database cannot be started, reached or migrated.
    """
    from resources.operational_store.migrate import upgrade

    with _stopped_on_failure(home):
        if home.embedded:
            embedded.start(home.postgres)
        else:
            connection.await_reachable(_maintenance(home))
        connection.create_database(home.database_url)
        upgrade(home.database_url)


@contextmanager
def running_database(home: Home) -> Iterator[None]:
    """The operational store for a long piece of work: as `start_database` leaves it.

    Work that fails leaves no database running that it started itself, as `up` does not: nobody
    would think of stopping what they were told did not work.
    """
    with exclusive(home):
        was_running = _runs_embedded(home)
        start_database(home)
    try:
        yield
    except BaseException:
        if not was_running:
            with exclusive(home):
                _stop_unsupervised(home)
        raise


@contextmanager
def _stopped_on_failure(home: Home) -> Iterator[None]:
    """Stop the embedded database again if the block fails that started it; under `exclusive`."""
    was_running = _runs_embedded(home)
    try:
        yield
    except BaseException:
        if not was_running:
            _stop_unsupervised(home)
        raise


def _runs_embedded(home: Home) -> bool:
    return home.embedded and embedded.is_running(home.postgres)


def _stop_unsupervised(home: Home) -> None:
    """A supervisor that lives keeps its database, and `down` stops both."""
    if home.embedded and service_list.recorded(home, SUPERVISOR) is None:
        embedded.stop(home.postgres)


def prepare(home: Home) -> dict[str, int]:
    """Clear up what an earlier supervisor left, and make everything ready to be supervised."""
    service_list.stop(home, service_list.recorded_names(home))
    # Counted anew: what an earlier supervisor could not start says nothing about this one.
    service_list.restarts_path(home).unlink(missing_ok=True)
    ports = home.claim_ports(service_list.listening())
    with _stopped_on_failure(home):
        start_database(home)
        prepare_dagster(home, ports)
        service_list.write_gateway_settings(home, ports)
        # A partner signs from the first day; whoever has no key is a stranger at the gateway.
        home.source_keys(partner.code for partner in home.partner_book())
    return ports


def prepare_dagster(home: Home, ports: Mapping[str, int]) -> None:
    """Give the home a Dagster that can be told things, whether or not it is running."""
    connection.create_database(home.dagster_database_url)
    dagster_instance.write(home, ports, service_list.locations())


def up(home: Home, on_progress: Callable[[str], None] = lambda _: None) -> None:
    """Start everything, detached, and return when it is healthy; nothing to do if it is.

    Until there is a supervisor, what fails leaves nothing running. From then on it goes on trying.

    Raises:
        EnvironmentProblem: If something does not become healthy; its last words are quoted.
    """
    with exclusive(home), _stopped_on_failure(home):
        for remaining in reversed(range(PORT_TRIES)):
            if service_list.recorded(home, SUPERVISOR) is None:
                on_progress("starting the database")
                prepare(home)
                _launch(home)
            try:
                await_health(home, on_progress)
                break
            except PortTaken:
                if not remaining:
                    raise
                service_list.stop(home, [SUPERVISOR])
            except KeyboardInterrupt:
                if service_list.recorded(home, SUPERVISOR) is not None:
                    raise EnvironmentProblem(
                        "interrupted; what was started goes on, `omniflow down` stops it"
                    ) from None
                raise


def _launch(home: Home) -> None:
    """Start the supervisor, detached."""
    with (home.logs / "supervisor.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.supervisor"],
            cwd=PROJECT,
            env=home.environment.for_children(home.dagster),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service_list.record(home, SUPERVISOR, process.pid)


def await_health(home: Home, on_progress: Callable[[str], None]) -> None:
    """Wait until every service answers."""
    deadline = time.monotonic() + UP_TIMEOUT_SECONDS
    while True:
        if service_list.recorded(home, SUPERVISOR) is None:
            words = service_list.last_line(home.logs / "supervisor.log")
            raise EnvironmentProblem(f"the supervisor stopped: {words or 'see its log'}")
        waiting = [entry for entry in service_list.health(home) if entry.state != "healthy"]
        if not waiting:
            return
        names = ", ".join(entry.name for entry in waiting)
        failing = [entry for entry in waiting if entry.restarts >= 3]
        if failing or time.monotonic() > deadline:
            entry = (failing or waiting)[0]
            worst = entry.name
            words = service_list.last_line(home.logs / f"{worst}.log")
            problem = PortTaken if _is_taken(home, entry) else EnvironmentProblem
            raise problem(
                f"{worst} does not become healthy: {words or 'it wrote nothing'}"
                f" (log: {home.logs / f'{worst}.log'}; `omniflow down` stops the rest)"
            )
        on_progress(f"waiting for {names}")
        time.sleep(0.3)


def _is_taken(home: Home, entry: ServiceHealth) -> bool:
    """Whether a stranger has the service's port; one that is only slow holds it itself."""
    if entry.name not in service_list.listening():
        return False
    port = home.port(entry.name)
    is_ours = entry.pid is not None and service_list.listens(entry.pid, port)
    return not is_ours and not is_free(home.environment.host, port)


def down(home: Home) -> list[str]:
    """Stop everything of this home, with or without a living supervisor.

    Returns:
        The names of what was running.
    """
    stopped: list[str] = []
    supervisor = service_list.recorded(home, SUPERVISOR)
    if supervisor is not None:
        names = service_list.recorded_names(home)
        stopped += [name for name in names if service_list.recorded(home, name) is not None]
        if home.embedded and embedded.is_running(home.postgres):
            stopped.append("database")
        # Asking stops its children too; its grace is longer than theirs.
        if service_list.stop_one(supervisor, timeout=service_list.STOP_GRACE_SECONDS + 75):
            stopped.append(SUPERVISOR)
    (home.run / f"{SUPERVISOR}.pid").unlink(missing_ok=True)
    stopped += service_list.stop(home, service_list.recorded_names(home))
    if home.embedded and embedded.stop(home.postgres):
        stopped.append("database")
    return sorted(set(stopped))


def _maintenance(home: Home) -> str:
    from orchestration.environment import with_database

    return with_database(home.database_url, "postgres")


def main() -> None:
    """Supervise the home of this environment; `up` has prepared it."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )
    home = open_home(Environment.read())
    ports = {name: home.port(name) for name in service_list.listening()}
    Supervisor(home, ports).run()


if __name__ == "__main__":
    main()
