"""Dagster's view of a home: resources that open it when they are first used, once a process."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from orchestration.environment import Environment
from orchestration.home import Home, open_home

if TYPE_CHECKING:
    from resources.store_access import StoreAccess

HOME = "The home folder; by default what the environment says."


@functools.cache
def opened(home: str) -> Home:
    """The home of a resource's configuration, opened once a process."""
    environment = Environment.read()
    if home:
        environment = replace(environment, home=Path(home).absolute())
    return open_home(environment)


@functools.cache
def access(home: str) -> StoreAccess:
    """The operational store of a home: its connections are shared by all ticks of a process."""
    from resources.partners import SHIPPED, PartnerBook
    from resources.store_access import StoreAccess

    here = opened(home)

    def partners() -> PartnerBook:
        own = here.path / "policies" / "partners.yaml"
        sandbox_url = f"http://127.0.0.1:{here.port('sandbox')}"
        return PartnerBook.load(own if own.exists() else SHIPPED, sandbox_url=sandbox_url)

    return StoreAccess(here.database_url, here.path / "policies", partners)


class OperationalStoreResource(dg.ConfigurableResource["StoreAccess"]):
    """The operational store of a home; whoever asks for it is given a `StoreAccess`."""

    home: str = Field(default="", description=HOME)

    def create_resource(self, context: dg.InitResourceContext) -> StoreAccess:
        """Open it, or give what this process has open already."""
        del context
        return access(self.home)
