"""The one place where HTTP clients are made and where an answer becomes one of our errors.

Every client has timeouts, bounded connections and our name. A client made for loopback only takes
no proxy from the environment and refuses any other host, so that a replay or a demo cannot reach
a real partner whatever its configuration says.
"""

from __future__ import annotations

import ipaddress
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx

from assets.errors import EnvironmentProblem, PartnerRejected, PartnerUnavailable

USER_AGENT = f"omniflow/{version('omniflow')}"
# Reading is long because a batch of 500 commands is one answer.
TIMEOUT = httpx.Timeout(connect=3.0, read=30.0, write=30.0, pool=30.0)
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0)
# Beside what HTTP calls temporary: refused credentials are a fault of the connection. It passes
# when somebody has changed the key, and must not have killed all commands that waited by then.
_MAY_PASS = frozenset({401, 403, 407, 408, 425, 429})


class PartnerBusy(PartnerUnavailable):
    """The partner said how long to leave it alone.

    Attributes:
        retry_after: Seconds to wait, as the partner put it.
    """

    def __init__(self, partner: str, reason: str, retry_after: float) -> None:
        super().__init__(partner, reason)
        self.retry_after = retry_after


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its address, or by the one name that means it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def client(*, timeout: httpx.Timeout = TIMEOUT, loopback_only: bool = False) -> httpx.Client:
    """A client for threads; one is enough for a process."""
    return httpx.Client(
        timeout=timeout,
        limits=LIMITS,
        headers={"user-agent": USER_AGENT},
        trust_env=not loopback_only,
        event_hooks={"request": [_refuse_strangers]} if loopback_only else {},
    )


def async_client(
    *, timeout: httpx.Timeout = TIMEOUT, loopback_only: bool = False
) -> httpx.AsyncClient:
    """A client for an event loop."""

    async def refuse_strangers(request: httpx.Request) -> None:
        _refuse_strangers(request)

    return httpx.AsyncClient(
        timeout=timeout,
        limits=LIMITS,
        headers={"user-agent": USER_AGENT},
        trust_env=not loopback_only,
        event_hooks={"request": [refuse_strangers]} if loopback_only else {},
    )


def _refuse_strangers(request: httpx.Request) -> None:
    if not is_loopback(request.url.host):
        raise EnvironmentProblem(
            f"only sandbox partners on this machine may be reached here, not {request.url.host}"
        )


def exchange(session: httpx.Client, partner: str, request: httpx.Request) -> httpx.Response:
    """Send one request to a partner, once.

    Raises:
        PartnerUnavailable: No answer, or one that says that another time may do.
        PartnerRejected: An answer that another attempt cannot change.
    """
    try:
        response = session.send(request)
    except httpx.TransportError as error:
        reason = f"{_in_words(error)} at {request.url.host}: {error}".rstrip(": ")
        raise PartnerUnavailable(partner, reason) from error
    status = response.status_code
    if response.is_success:
        return response
    reason = f"HTTP {status} for {request.method} {request.url.path}"
    if status in _MAY_PASS or status >= 500:
        wait = retry_after(response)
        if wait is not None:
            raise PartnerBusy(partner, reason, wait)
        raise PartnerUnavailable(partner, reason)
    raise PartnerRejected(partner, reason)


def _in_words(error: httpx.TransportError) -> str:
    # A person reads this in a case or at a terminal, and does not know the classes of a library.
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "cannot be reached" if isinstance(error, httpx.ConnectError) else "connection lost"


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that an answer asks us to wait (RFC 9110, 10.2.3: seconds or a date)."""
    text: str = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - time.time())
