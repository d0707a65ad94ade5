"""Who may ask, and how often: the signature and the rate of every request.

Each service of the gateway asks here before it does anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from assets.contracts.signing import (
    SIGNATURE_HEADER,
    SOURCE_HEADER,
    TIMESTAMP_HEADER,
    is_signed,
    query_content,
)
from sensors.gateway.limits import RateLimiter
from sensors.gateway.messages import Refused, Request
from sensors.gateway.ports import KeyBook


@dataclass
class Access:
    """Signatures and rates of one gateway.

    Attributes:
        keys: Who may sign.
        readers: Sources that may ask about channels other than themselves.
        rates: What each source has used up.
        wall: The wall's time.
    """

    keys: KeyBook
    readers: Mapping[str, frozenset[str]]
    rates: RateLimiter
    wall: Callable[[], datetime]

    def authenticate(self, request: Request, source: str, content: bytes) -> None:
        """Let the source in that signed the content, or nobody."""
        headers = request.headers
        if not is_signed(
            self.keys.keys(source),
            content,
            headers.get(TIMESTAMP_HEADER, ""),
            headers.get(SIGNATURE_HEADER, ""),
            self.wall(),
        ):
            # One answer for a stranger, a wrong key and an old request: it teaches nothing.
            raise Refused(401, "not_authenticated")
        request.source = source

    def allow(self, request: Request, events: int) -> None:
        """Count what a request brings against the rate of its source."""
        request.events = events
        wait = self.rates.take(request.source, events)
        if wait > 0:
            raise Refused(429, "rate_limited", retry_after=wait)

    def authenticate_query(self, request: Request, channel: str) -> None:
        """Let a question about a channel in, if its source may ask about that one."""
        source = request.headers.get(SOURCE_HEADER, "")
        # A HEAD is signed as the GET that it stands for.
        self.authenticate(request, source, query_content("GET", request.target))
        self.allow(request, 1)
        if channel != source and channel not in self.readers.get(source, frozenset()):
            raise Refused(403, "not_your_channel")
