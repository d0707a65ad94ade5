"""`omniflow up`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands._opening import (
    Json,
    moved_ports,
    opened_home,
    progress,
    report,
    tell_moved_ports,
)


def command(
    json: Json = False,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, and stop everything on Ctrl-C.")
    ] = False,
) -> None:
    """Start everything and print the addresses; nothing to do when it already runs."""
    from assets.errors import EnvironmentProblem
    from orchestration import services, supervisor

    home = opened_home()
    if foreground:
        with supervisor.exclusive(home):
            if services.recorded(home, services.SUPERVISOR) is not None:
                raise EnvironmentProblem(f"{home.path} is already up; `omniflow down` stops it")
            ports = supervisor.prepare(home)
        tell_moved_ports(home)
        for name in ("webserver", "gateway"):
            if name in ports:
                typer.echo(f"{name:<12}http://{home.environment.host}:{ports[name]}", err=True)
        supervisor.Supervisor(home, ports).run()
        return
    with progress(quiet=json) as say:
        supervisor.up(home, say)
    health = services.health(home)
    if json:
        report(
            {
                "home": str(home.path),
                "services": services.as_json(health),
                "moved_ports": moved_ports(home),
            }
        )
        return
    tell_moved_ports(home)
    for entry in health:
        if entry.address:
            typer.echo(f"{entry.name:<12}{entry.address}")
    typer.echo(f"{'home':<12}{home.path}")
