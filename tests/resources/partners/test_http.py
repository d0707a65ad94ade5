from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import httpx
import pytest
import respx

from assets.errors import EnvironmentProblem, PartnerRejected, PartnerUnavailable
from resources.http import PartnerBusy, async_client, client, exchange, is_loopback, retry_after


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
    ],
)
def test_loopback_is_known_by_its_address(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_loopback_client_reaches_no_other_machine() -> None:
    with respx.mock(assert_all_called=False) as wire, client(loopback_only=True) as session:
        wire.route()
        with pytest.raises(EnvironmentProblem, match="not crm"):
            session.get("https://crm.example/")
        assert not wire.calls

    async def ask() -> None:
        async with async_client(loopback_only=True) as asking:
            await asking.get("https://crm.example/")

    with pytest.raises(EnvironmentProblem, match="not crm"):
        asyncio.run(ask())


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_unavailable(status: int) -> None:
    with respx.mock, client() as session:
        respx.get("http://crm.test/x").respond(status)
        with pytest.raises(PartnerUnavailable, match=f"crm: HTTP {status} for GET /x"):
            exchange(session, "crm", session.build_request("GET", "http://crm.test/x"))


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_another_attempt_cannot_change_is_rejected(status: int) -> None:
    with respx.mock, client() as session:
        respx.get("http://crm.test/x").respond(status)
        with pytest.raises(PartnerRejected):
            exchange(session, "crm", session.build_request("GET", "http://crm.test/x"))


def test_a_busy_partner_says_how_long() -> None:
    with respx.mock, client() as session:
        respx.get("http://crm.test/x").respond(503, headers={"Retry-After": "7"})
        with pytest.raises(PartnerBusy) as caught:
            exchange(session, "crm", session.build_request("GET", "http://crm.test/x"))
    assert caught.value.retry_after == 7


def test_a_date_to_come_back_at_is_understood_and_nonsense_is_not() -> None:
    later = formatdate(time.time() + 60, usegmt=True)
    wait = retry_after(httpx.Response(503, headers={"Retry-After": later}))
    assert wait == pytest.approx(60, abs=2)
    assert retry_after(httpx.Response(503, headers={"Retry-After": "soon"})) is None
    assert retry_after(httpx.Response(503)) is None
