"""The envelope around every event: CloudEvents 1.0, structured JSON, with our extension attributes.

CloudEvents allows only lower-case letters and digits in attribute names, hence ``legalentity`` and
``correlationid`` here and ``legal_entity`` and ``correlation_id`` in tables.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.contracts.fields import Code, Key

EventTime = Annotated[datetime, Meta(tz=True, description="When it happened; with a zone")]
EventType = Annotated[str, Meta(pattern=r"^retail\.[a-z_]+\.[a-z_]+\.v[1-9]\d*$")]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One CloudEvent. ``subject`` is the business key that orders events among themselves."""

    specversion: Literal["1.0"] = "1.0"
    id: Key
    source: Key
    type: EventType
    subject: Key
    time: EventTime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    legalentity: Code
    brand: Code
    region: Code
    channel: Code
    correlationid: Key
    traceparent: Annotated[str, Meta(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None = None
    data: msgspec.Raw
