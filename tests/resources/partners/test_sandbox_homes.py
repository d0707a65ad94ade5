"""A sandbox plays for one home: what another home sends to its port never reaches it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from resources.sandbox.app import build, only_for
from resources.sandbox.journal import Journal
from resources.sandbox.retailer import Retailer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/homes/ours/crm/v1/messages", 200),
        ("/homes/theirs/crm/v1/messages", 503),
        ("/crm/v1/messages", 503),
    ],
)
def test_only_its_own_home_reaches_a_sandbox(tmp_path: Path, path: str, status: int) -> None:
    retailer = Retailer(Journal(tmp_path))
    app = only_for("ours", build(retailer, None))

    async def ask() -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return (await client.get(path)).status_code

    assert asyncio.run(ask()) == status
    retailer.close()
