"""Starts a run at once, through the webserver: Dagster's sensors may only ask for one every 5 s."""

from __future__ import annotations

import functools

import dagster as dg
import httpx
from pydantic import Field

from orchestration.dagster_resources import HOME, opened
from orchestration.services import reachable_host

LOCATION = "operations"
#: Dagster's name for what a code location defines.
_REPOSITORY = "__repository__"
_LAUNCH = """
mutation Start($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, runConfigData: {}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


class RunStarter:
    """The webserver of a home, as whoever wants a run started sees it.

    Args:
        address: Its URL, ``None`` where everything is left to Dagster's sensors.
        session: Connections to it.
    """

    def __init__(self, address: str | None, session: httpx.Client) -> None:
        self._address = address
        self._session = session

    def start(self, job: str) -> str | None:
        """Start a job of the light location; gives the run's id, nothing where that cannot be."""
        if self._address is None:
            return None
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": _REPOSITORY,
            "pipelineName": job,
        }
        asked = {"query": _LAUNCH, "variables": {"selector": selector}}
        try:
            answer = self._session.post(f"{self._address}/graphql", json=asked)
            said = answer.raise_for_status().json()["data"]["launchRun"]
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            return None
        return str(said["run"]["runId"]) if said["__typename"] == "LaunchRunSuccess" else None


@functools.cache
def _starter(home: str) -> RunStarter:
    here = opened(home)
    session = httpx.Client(timeout=10.0, trust_env=False)
    if not here.run_policy().at_once:
        return RunStarter(None, session)
    return RunStarter(f"http://{reachable_host(here)}:{here.port('webserver')}", session)


class RunStarterResource(dg.ConfigurableResource["RunStarter"]):
    """Starts runs of a home at once; whoever asks for it is given a `RunStarter`."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> RunStarter:
        """The one of this process."""
        del context
        return _starter(self.home)
