"""What the outside tells us through environment variables, read in this one place only.

Everything else takes an `Environment` or a value from it as a parameter, so a test or a second
home beside the first needs no changed variables.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from assets.errors import EnvironmentProblem

# Below 32768, where the system starts to hand out ports of its own choice.
DEFAULT_PORTS: Mapping[str, int] = MappingProxyType(
    {"gateway": 8010, "webserver": 3010, "operations": 4010, "analytics": 4110, "sandbox": 8110}
)
HIGHEST_PORT = 32767
PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Environment:
    """One reading of the environment.

    Attributes:
        home: The home folder, absolute (OMNIFLOW_HOME, else ``.omniflow`` where we are).
        database_url: A PostgreSQL to use instead of the embedded one, in psycopg 3 form
            (OMNIFLOW_DATABASE_URL).
        dagster_database_url: Dagster's own database when it cannot be made beside the first
            (OMNIFLOW_DAGSTER_DATABASE_URL).
        host: The address services bind to (OMNIFLOW_HOST); loopback unless told otherwise.
        requested_ports: Ports asked for by name (OMNIFLOW_GATEWAY_PORT and its like); one of
            these that is taken is an error, a default that is taken is moved.
        log_level: OMNIFLOW_LOG_LEVEL, ``INFO`` unless told otherwise.
        token: Of the person who acts (OMNIFLOW_TOKEN); no process that we start is given it.
    """

    home: Path
    database_url: str | None = None
    dagster_database_url: str | None = None
    host: str = "127.0.0.1"
    requested_ports: Mapping[str, int] = field(default_factory=dict)
    log_level: str = "INFO"
    token: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> Environment:
        """Read the variables once; an empty one counts as absent.

        Raises:
            EnvironmentProblem: If a variable says something that cannot be meant.
        """
        source = os.environ if variables is None else variables
        given = {name: value.strip() for name, value in source.items() if value.strip()}
        database_url = given.get("OMNIFLOW_DATABASE_URL")
        dagster_url = given.get("OMNIFLOW_DAGSTER_DATABASE_URL")
        ports = {}
        for service in DEFAULT_PORTS:
            name = f"OMNIFLOW_{service.upper()}_PORT"
            if name in given:
                ports[service] = _port(name, given[name])
        if len(set(ports.values())) < len(ports):
            raise EnvironmentProblem("two OMNIFLOW_…_PORT variables ask for the same port")
        level = given.get("OMNIFLOW_LOG_LEVEL", "INFO").upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise EnvironmentProblem(f"OMNIFLOW_LOG_LEVEL={level} is not a level")
        return cls(
            home=Path(given.get("OMNIFLOW_HOME", ".omniflow")).expanduser().absolute(),
            database_url=psycopg_url(database_url) if database_url else None,
            dagster_database_url=psycopg2_url(dagster_url) if dagster_url else None,
            host=given.get("OMNIFLOW_HOST", "127.0.0.1"),
            requested_ports=MappingProxyType(ports),
            log_level=level,
            token=given.get("OMNIFLOW_TOKEN"),
        )

    def for_children(self, dagster_home: Path) -> dict[str, str]:
        """The variables of a process we start: ours made explicit, telemetry off."""
        # Not resolved: the programs of an environment lie beside its link, not beside its target.
        binaries = str(Path(sys.executable).parent)
        inherited = {name: value for name, value in os.environ.items() if name != "OMNIFLOW_TOKEN"}
        return {
            **inherited,
            "OMNIFLOW_HOME": str(self.home),
            "DAGSTER_HOME": str(dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
            "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
        }


def psycopg_url(url: str) -> str:
    """The URL as SQLAlchemy wants it for psycopg 3, whatever dialect it was given in."""
    return _with_driver(url, "psycopg")


def psycopg2_url(url: str) -> str:
    """The same URL for psycopg 2, the only driver dagster-postgres knows."""
    return _with_driver(url, "psycopg2")


def libpq_url(url: str) -> str:
    """The same URL for psycopg itself and for PostgreSQL's own programs."""
    return _with_driver(url, None)


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    scheme, rest = url.split("://", 1)
    authority, slash, tail = rest.partition("/")
    _, question, query = tail.partition("?") if slash else ("", "", "")
    return f"{scheme}://{authority}/{database}{question}{query}"


def database_of(url: str) -> str:
    """The name of the database that a URL names."""
    return urlsplit(url).path.lstrip("/")


def shown(url: str) -> str:
    """The URL as it may be printed: without its password."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", url)


def _with_driver(url: str, driver: str | None) -> str:
    match = re.fullmatch(r"postgres(?:ql)?(?:\+\w+)?://(.+)", url)
    if match is None:
        raise EnvironmentProblem(
            "the database URL must look like postgresql://user:password@host:port/database"
        )
    if not database_of(url):
        raise EnvironmentProblem(f"the database URL names no database: {shown(url)}")
    return f"postgresql{'+' + driver if driver else ''}://{match[1]}"


def _port(name: str, value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 65535:
        raise EnvironmentProblem(f"{name}={value} is not a port number")
    return int(value)
