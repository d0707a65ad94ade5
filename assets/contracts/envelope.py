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
TraceParent = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z",
        description="W3C trace context; says nothing about the business, so it is not hashed",
    ),
]
EventType = Annotated[str, Meta(pattern=r"^retail\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*\Z")]


#: Why something did not pass the door. Senders program against these: never rename one.
ReasonCode = Literal[
    "amount_too_large",
    "body_too_large",
    "bundle_of_itself",
    "control_character",
    "draft_type",
    "duplicate_line_number",
    "duplicate_sku",
    "empty_order",
    "empty_return",
    "id_conflict",
    "list_too_long",
    "malformed_json",
    "missing_field",
    "money_precision",
    "negative_money",
    "negative_quantity",
    "not_cloudevents",
    "not_money",
    "not_taken",
    "pickup_of_a_parcel",
    "retired_type",
    "schema_violation",
    "source_mismatch",
    "text_too_long",
    "time_in_future",
    "time_out_of_range",
    "time_without_zone",
    "unknown_enum",
    "unknown_field",
    "unknown_source",
    "unknown_type",
    "wrong_type",
]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One CloudEvent. ``subject`` is the business key that orders events among themselves."""

    specversion: Literal["1.0"] = "1.0"
    id: Key
    source: Key
    type: EventType
    subject: Key
    time: EventTime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, Meta(max_length=500)] | None = None
    legalentity: Code
    brand: Code
    region: Code
    channel: Code
    correlationid: Key
    traceparent: TraceParent | None = None
    data: msgspec.Raw


class ArrivingEnvelope(Envelope, frozen=True, kw_only=True):
    """An envelope that somebody else wrote: the version is theirs to say, not ours to assume."""

    specversion: Literal["1.0"]
