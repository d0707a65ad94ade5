"""The home: the one folder that holds everything a running installation keeps.

A home moves between versions of this product, so its layout has a format number: an older one is
migrated when it is opened, a newer one is refused before anything in it is touched.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.errors import EnvironmentProblem, PolicyError
from orchestration.environment import (
    DEFAULT_PORTS,
    HIGHEST_PORT,
    Environment,
    database_of,
    psycopg2_url,
    with_database,
)

if TYPE_CHECKING:
    from assets.operations_policy import Runs
    from resources.notification_sinks import SinkBook
    from resources.partners import PartnerBook

FORMAT = 1
#: A socket's address holds 108 bytes.
LONGEST_SOCKET_PATH = 100
FOLDERS = ("lake", "warehouse", "dagster", "logs", "run", "secrets")
Description = dict[str, Any]
# Format n -> the step that makes it n + 1. None yet: format 1 is the first.
STEPS: Mapping[int, Callable[[Description], Description]] = {}
OPERATIONAL_DATABASE = "omniflow"


@dataclass(frozen=True)
class SourceKeys:
    """The two keys a source may sign with, so that it can change one while the other is valid."""

    current: str
    previous: str


@dataclass(frozen=True)
class MovedPort:
    """A service that listens elsewhere than it would: another program has its port."""

    service: str
    wanted_port: int
    port: int

    def __str__(self) -> str:
        """The same as a sentence."""
        return (
            f"port {self.wanted_port} is taken by another program:"
            f" the {self.service} listens on {self.port}"
        )


@dataclass(frozen=True)
class Home:
    """An opened home.

    Attributes:
        moved_ports: By service, what `claim_ports` had to move since the home was opened.
    """

    path: Path
    environment: Environment
    moved_ports: dict[str, MovedPort] = field(default_factory=dict, compare=False)

    @property
    def policies(self) -> Path:
        """Folder of the home's own policies; those that are not there are the shipped ones."""
        return self.path / "policies"

    @property
    def postgres(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def lake(self) -> Path:
        """Parquet copies of operational facts."""
        return self.path / "lake"

    @property
    def warehouse(self) -> Path:
        """What dbt built and published."""
        return self.path / "warehouse"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.path / "dagster"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Pid files and locks; meaningless after a reboot."""
        return self.path / "run"

    @property
    def audit_head(self) -> Path:
        """The end of the audit's chain, outside of the database."""
        return self.path / "audit_head.json"

    @property
    def secrets(self) -> Path:
        """Keys; for the owner's eyes only."""
        return self.path / "secrets"

    @property
    def embedded(self) -> bool:
        """Whether the database is the home's own."""
        return self.environment.database_url is None

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL (psycopg 3) of the operational store, whether or not it is running."""
        if self.environment.database_url is not None:
            return self.environment.database_url
        from resources.operational_store import embedded

        return embedded.url(self.postgres, OPERATIONAL_DATABASE)

    @property
    def dagster_database_url(self) -> str:
        """SQLAlchemy URL (psycopg 2) of Dagster's own database on the same server."""
        if self.environment.dagster_database_url is not None:
            return self.environment.dagster_database_url
        name = "dagster" if self.embedded else f"{database_of(self.database_url)}_dagster"
        return psycopg2_url(with_database(self.database_url, name))

    def describe(self) -> Description:
        """What home.json says."""
        return _read_json(self.path / "home.json")

    @property
    def sandbox_url(self) -> str:
        """Where this home's own sandbox is while a replay or demo runs; no other home's answers."""
        address = f"http://{self.environment.host}:{self.port('sandbox')}"
        return f"{address}/homes/{self.describe()['id']}"

    def partner_book(self) -> PartnerBook:
        """The home's own partners, or those of a new home: its sandbox.

        Raises:
            PolicyError: If its file is malformed or contradicts itself.
        """
        from resources.partners import SHIPPED, PartnerBook

        own = self.policies / "partners.yaml"
        return PartnerBook.load(own if own.exists() else SHIPPED, sandbox_url=self.sandbox_url)

    @property
    def warm_lane_socket(self) -> Path:
        """Where the warm lane listens; elsewhere if the home's path is too long for a socket."""
        path = self.run / "warm_lane.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        return Path(tempfile.gettempdir()) / f"omniflow-{self.describe()['id']}-lane.sock"

    def run_policy(self) -> Runs:
        """How runs are started here; as the last good policy says where a newer one is refused.

        Raises:
            PolicyError: If there is no good one.
        """
        from resources.policy_book import kept_in, read_operations

        kept = kept_in(self.policies)
        try:
            return read_operations(self.policies).runs
        except PolicyError:
            if not kept.exists():
                raise
            return read_operations(kept).runs

    def sink_book(self) -> SinkBook:
        """Where people of this home are told.

        Raises:
            PolicyError: If the file with the addresses is malformed.
        """
        from resources.notification_sinks import SinkBook

        return SinkBook.load(self.path / "notifications", self.secrets / "notification_sinks.yaml")

    def port(self, service: str) -> int:
        """The port of a service: as asked for, else as recorded, else the default."""
        requested = self.environment.requested_ports.get(service)
        recorded = self.describe().get("ports", {}).get(service)
        return int(requested or recorded or DEFAULT_PORTS[service])

    def claim_ports(self, services: Iterable[str]) -> dict[str, int]:
        """Choose a free port for each service that is about to start, and record the choice.

        What is not as it was recorded, or as it is by default, is in `moved_ports`.

        Raises:
            EnvironmentProblem: If a port that was asked for by name is taken.
        """
        with self._changing() as description:
            recorded: dict[str, int] = description.setdefault("ports", {})
            for service in services:
                requested = self.environment.requested_ports.get(service)
                if requested is not None:
                    if not is_free(self.environment.host, requested):
                        raise EnvironmentProblem(
                            f"port {requested} is taken (OMNIFLOW_{service.upper()}_PORT asks for"
                            " it); choose another or stop what holds it"
                        )
                    recorded[service] = requested
                    continue
                others = {port for name, port in recorded.items() if name != service}
                first = recorded.get(service, DEFAULT_PORTS[service])
                chosen = self._next_free(service, first, others)
                recorded[service] = chosen
                if chosen != first and first not in others:
                    # Tried a second time within one command, it is still the first that it lost.
                    lost = self.moved_ports.get(service)
                    wanted = lost.wanted_port if lost else first
                    self.moved_ports[service] = MovedPort(service, wanted, chosen)
            return dict(recorded)

    def _next_free(self, service: str, first: int, others: set[int]) -> int:
        for port in chain((first,), range(DEFAULT_PORTS[service], HIGHEST_PORT + 1)):
            if port not in others and is_free(self.environment.host, port):
                return port
        raise EnvironmentProblem(f"no free port for {service} below {HIGHEST_PORT + 1}")

    def source_keys(self, sources: Iterable[str]) -> dict[str, SourceKeys]:
        """The signing keys of each source; a source without any is given a pair."""
        path = self.secrets / "sources.json"
        with _locked(self.path / ".secrets.lock"):
            known: dict[str, dict[str, str]] = _read_json(path) if path.exists() else {}
            missing = [source for source in sources if source not in known]
            for source in missing:
                known[source] = {
                    "current": secrets.token_hex(32),
                    "previous": secrets.token_hex(32),
                }
            if missing or not path.exists():
                _write_json(path, known)
        return {source: SourceKeys(**keys) for source, keys in known.items()}

    @contextmanager
    def _changing(self) -> Iterator[Description]:
        with _locked(self.path / ".home.lock"):
            description = self.describe()
            yield description
            _write_json(self.path / "home.json", description)


def open_home(environment: Environment) -> Home:
    """Open the home of this environment, making or migrating it first.

    Raises:
        EnvironmentProblem: If the folder cannot be used, or a newer version made it.
    """
    path = environment.home
    description_path = path / "home.json"
    # Looked at before anything is written: a newer home must come out of this untouched.
    if description_path.exists():
        migrated(_read_json(description_path), path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        # A database's own user must be able to pass; what is private has its own mode.
        for name in FOLDERS:
            (path / name).mkdir(exist_ok=True)
        (path / "secrets").chmod(0o700)
        with _locked(path / ".home.lock"):
            if description_path.exists():
                found = _read_json(description_path)
                wanted = migrated(found, path)
            else:
                if (path / "postgres" / "PG_VERSION").exists():
                    raise EnvironmentProblem(
                        f"{path} holds a database but no home.json; restore a backup instead"
                    )
                found = {}
                created_at = datetime.now(UTC).isoformat(timespec="seconds")
                wanted = {"format": FORMAT, "id": str(uuid.uuid4()), "created_at": created_at}
            if wanted != found:
                _write_json(description_path, wanted)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentProblem(f"the home {path} cannot be used: {reason}") from error
    return Home(path=path, environment=environment)


def migrated(
    description: Description,
    path: Path,
    steps: Mapping[int, Callable[[Description], Description]] = STEPS,
    target: int = FORMAT,
) -> Description:
    """Bring the description of a home to the format of this version."""
    found = description.get("format")
    if not isinstance(found, int):
        raise EnvironmentProblem(f"{path / 'home.json'} says no format; it is damaged")
    if found > target:
        raise EnvironmentProblem(
            f"the home {path} was made by a newer omniflow (format {found}, this one knows"
            f" {target}): use that version, or another OMNIFLOW_HOME"
        )
    for number in range(found, target):
        description = {**steps[number](description), "format": number + 1}
    return description


def is_free(host: str, port: int) -> bool:
    """Whether a service could listen there now."""
    for address in {host, "127.0.0.1"}:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError as error:
                raise EnvironmentProblem(f"port {port} needs rights we do not have") from error
            except OSError:
                return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise EnvironmentProblem(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise EnvironmentProblem(f"{path} is damaged: not an object")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write aside and rename, so that a reader or a crash never meets half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=2, sort_keys=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
