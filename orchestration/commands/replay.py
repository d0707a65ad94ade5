"""`omniflow replay`."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands._opening import (
    Json,
    moved_ports,
    report,
    tell_moved_ports,
    working_home,
)


def command(
    path: Annotated[Path, typer.Argument(help="A folder of files, or one file.")],
    layout: Annotated[str, typer.Option(help="How the files are laid out.")],
    since: Annotated[
        str | None, typer.Option("--from", help="First local day, YYYY-MM-DD.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last local day, YYYY-MM-DD.")] = None,
    quantum: Annotated[
        str | None,
        typer.Option(help="Length of a decision window: 1d, 6h, 1h …; else the policy says."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, max=100_000, help="Events at most in one transaction.")
    ] = 2_000,
    marts: Annotated[bool, typer.Option(help="Export the facts and build the marts.")] = True,
    plan: Annotated[
        bool, typer.Option(help="Plan replenishment by the demand, and meet it again.")
    ] = True,
    json: Json = False,
) -> None:
    """Bring files through every hop: door, flows, sandbox partners, lake and marts."""
    from dataclasses import asdict

    from assets.errors import BadInput
    from orchestration.replay import Request, replay
    from resources.layouts.registry import layout as known_layout

    if not path.exists():
        raise BadInput(f"{path} does not exist")
    request = Request(
        path=path,
        layout=layout,
        since=_day(since, "--from"),
        until=_day(until, "--to"),
        quantum=None if quantum is None else _quantum(quantum),
        batch_size=batch_size,
        builds_marts=marts,
        plans=plan,
    )
    if request.since and request.until and request.since > request.until:
        raise BadInput("--from is after --to")
    # A name that nobody knows must not make a home and start a database.
    known_layout(layout)
    with working_home() as home:
        if json or not sys.stderr.isatty():
            done = replay(home, request)
        else:
            from orchestration.commands._replay_view import watching
            from resources.policy_book import read_operations

            window = request.quantum or read_operations(home.policies).replay.decision_window
            with watching(window) as watch:
                done = replay(home, request, watch)
    if json:
        report({**asdict(done), "moved_ports": moved_ports(home)})
    else:
        from orchestration.commands._replay_view import show

        tell_moved_ports(home)
        show(done)


def _day(text: str | None, option: str):  # type: ignore[no-untyped-def]
    from datetime import date

    from assets.errors import BadInput

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text} is not a day like 2011-01-31") from error


def _quantum(text: str) -> timedelta:
    from assets.errors import BadInput

    match = re.fullmatch(r"(\d+)([dhm])", text)
    if match is None or not int(match[1]):
        raise BadInput(f"--quantum {text} is not a length of time like 1d, 6h or 30m")
    unit = {"d": "days", "h": "hours", "m": "minutes"}[match[2]]
    return timedelta(**{unit: int(match[1])})
