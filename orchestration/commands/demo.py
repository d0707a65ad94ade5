"""`omniflow demo`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from orchestration.commands._opening import Json, log_to, moved_ports, report, tell_moved_ports


def command(
    json: Json = False,
    seed: Annotated[
        str | None, typer.Option(help="Another seed is another week, with other faults.")
    ] = None,
) -> None:
    """Trade a week of a small retailer in a home of its own, and show what it came to."""
    import time
    from dataclasses import asdict

    from orchestration import supervisor
    from orchestration.commands._demo_view import progress, show
    from orchestration.demo import SEED, demo_home, run
    from orchestration.environment import Environment
    from orchestration.scorecard import score

    began = time.perf_counter()
    home = demo_home(Environment.read())
    log_to(home.logs / "commands.log")
    with (
        progress(quiet=json or not sys.stderr.isatty()) as say,
        supervisor.running_database(home),
    ):
        finished = run(home, say, seed or SEED)
        say("reading the scorecard", None)
        card = score(finished)
    seconds = time.perf_counter() - began
    if json:
        report(
            {
                **asdict(card),
                "fill_rate": round(card.fill_rate, 4),
                "seconds": round(seconds, 1),
                "moved_ports": moved_ports(home),
            }
        )
    else:
        tell_moved_ports(home)
        show(finished, card, seconds)
    if not card.is_sound:
        raise typer.Exit(1)
