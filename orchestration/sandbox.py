"""The sandbox process of a home: started when a replay or demo needs it, stopped with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from assets.errors import EnvironmentProblem
from orchestration.home import Home
from orchestration.processes import Running, running, stop_orphan


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; its address is good for its own home only."""

    process: Running
    url: str

    @property
    def session(self) -> httpx.Client:
        """Connections to it."""
        return self.process.session

    def tell(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to one of its own addresses.

        Raises:
            EnvironmentProblem: If it does not do it.
        """
        try:
            response = self.session.post(f"{self.url}{path}", json=dict(body), timeout=120)
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            reason = error.response.text[:300]
            raise EnvironmentProblem(f"the sandbox refused {path}: {reason}") from error
        except httpx.HTTPError as error:
            raise EnvironmentProblem(f"the sandbox does not answer: {error}") from error
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def running_sandbox(home: Home, gateway_url: str | None = None) -> Iterator[Sandbox]:
    """Start this home's sandbox with what it remembers, and stop it at the end.

    Args:
        home: Whose sandbox.
        gateway_url: Where it pushes events to, in a home that has a gateway.

    Raises:
        EnvironmentProblem: If it does not come up.
    """
    host = home.environment.host
    state = home.path / "sandbox"
    state.mkdir(exist_ok=True)
    # Two sandboxes must not write one journal.
    stop_orphan(home, "sandbox", str(state))
    command = [sys.executable, "-m", "resources.sandbox", "--host", host, "--state", str(state)]
    command += ["--home", home.describe()["id"]]
    if gateway_url is not None:
        command += ["--gateway", gateway_url, "--secrets", str(home.secrets / "sources.json")]
    with running(home, "sandbox", lambda port: [*command, "--port", str(port)]) as process:
        yield Sandbox(process, home.sandbox_url)
