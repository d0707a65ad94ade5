"""`omniflow down`."""

from __future__ import annotations

import typer

from orchestration.commands._opening import Json, existing_home, report


def command(json: Json = False) -> None:
    """Stop everything of this home, the embedded database included."""
    home = existing_home()
    stopped: list[str] = []
    if home is not None:
        from orchestration import supervisor
        from orchestration.processes import stop_orphan

        # What a replay or a demo left that was killed.
        stop_orphan(home, "gateway", "orchestration.gateway")
        stop_orphan(home, "sandbox", str(home.path / "sandbox"))
        stopped = supervisor.down(home)
    if json:
        report({"stopped": stopped})
    else:
        typer.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
