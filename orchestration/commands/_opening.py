"""How a command gets at its home and speaks to whoever called it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.commerce.calendar import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.home import Home

Json = Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")]


def opened_home() -> Home:
    """The home of this environment, made when there is none."""
    from orchestration.environment import Environment
    from orchestration.home import open_home

    return open_home(Environment.read())


def existing_home() -> Home | None:
    """The home of this environment, or ``None``: a question must not make one."""
    from orchestration.environment import Environment
    from orchestration.home import open_home

    environment = Environment.read()
    return open_home(environment) if (environment.home / "home.json").exists() else None


def home_with_database() -> Home:
    """The home, its operational store running and migrated: what most commands need."""
    from orchestration import supervisor

    home = opened_home()
    log_to(home.logs / "commands.log")
    with supervisor.exclusive(home):
        supervisor.start_database(home)
    return home


@contextmanager
def working_home() -> Iterator[Home]:
    """The home for a long piece of work; one that fails leaves nothing running that it started."""
    from orchestration import supervisor

    home = opened_home()
    log_to(home.logs / "commands.log")
    with supervisor.running_database(home):
        yield home


def tell_moved_ports(home: Home) -> None:
    """Say to a person which services listen elsewhere than they would."""
    for moved in home.moved_ports.values():
        typer.echo(str(moved), err=True)


def moved_ports(home: Home) -> list[dict[str, object]]:
    """The same for a program."""
    return [asdict(moved) for moved in home.moved_ports.values()]


def log_to(path: Path) -> None:
    """Keep the log out of what a person or a program reads from a command."""
    import logging

    import structlog

    lines = _Lines(path)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.msg(self.format(record))

    # Libraries that warn would otherwise do so on stderr.
    logging.basicConfig(handlers=[Handler()], format="%(asctime)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: lines,
    )


class _Lines:
    """Appends lines to a file that nobody has to close."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def msg(self, line: str) -> None:
        # A log that cannot be written is no reason to fail.
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    debug = info = warning = error = critical = exception = msg


def report(content: Mapping[str, object]) -> None:
    """Print a report for a program."""
    sys.stdout.write(json_text(content) + "\n")


def json_text(content: Any) -> str:
    """A report as JSON: instants as ISO 8601 in UTC, amounts as text, ids as text."""
    return json.dumps(content, indent=2, ensure_ascii=False, default=lambda it: str(plain(it)))


def plain(value: Any) -> Any:
    """A value as JSON can say it exactly; instants in UTC, ending in Z."""
    match value:
        case datetime():
            # What has no zone comes from a warehouse, which keeps UTC.
            return utc_text(value if value.tzinfo else value.replace(tzinfo=UTC))
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
    return value


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 contact``, ``2 contacts``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is being waited for; only where a person looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update
