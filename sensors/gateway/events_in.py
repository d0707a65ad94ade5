"""Events in: from a posted body in any of its content modes to what becomes of each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from cloudevents.core.bindings.http import HTTPMessage, from_binary, to_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from assets.contracts.admission import LARGEST_BODY_BYTES, Receipt, Refusal, Submission
from assets.contracts.signing import SOURCE_HEADER, binary_content
from assets.errors import ContractViolation
from assets.operations_policy import Limits
from sensors.gateway.access import Access
from sensors.gateway.group_commit import GroupCommit
from sensors.gateway.messages import (
    BATCH,
    JSON,
    STRUCTURED,
    Answer,
    BatchResult,
    EventResult,
    Headers,
    Receive,
    Refused,
    Request,
    encode,
)
from sensors.gateway.metrics import Metrics
from sensors.gateway.ports import Reply, Translator

_STATUS = {"accepted": 202, "duplicate": 202, "conflict": 409, "quarantined": 422}
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass
class EventsIn:
    """The part of the gateway that takes events.

    Attributes:
        writer: Where they go.
        access: Who may send.
        translators: By source, for partners that send payloads of their own.
        limits: How much is too much.
        metrics: Where outcomes are counted.
    """

    writer: GroupCommit
    access: Access
    translators: Mapping[str, Translator]
    limits: Limits
    metrics: Metrics

    async def post(self, request: Request, source: str, receive: Receive) -> Answer:
        """Take what a source has posted; a refusal comes before anything is stored."""
        headers = request.headers
        body = await self._read(headers, receive)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_binary = "ce-specversion" in headers and content_type not in (STRUCTURED, BATCH)
        content = binary_content(headers, body) if is_binary else body
        if headers.get(SOURCE_HEADER, source) != source:
            raise Refused(401, "not_authenticated")
        self.access.authenticate(request, source, content)
        if "content-encoding" in headers:
            raise Refused(415, "unsupported_encoding")
        if content_type == STRUCTURED:
            return await self._take_one(request, Submission(source, body, "webhook"))
        if content_type == BATCH:
            return await self._take_batch(request, body)
        if is_binary:
            return await self._take_binary(request, content_type, body)
        translator = self.translators.get(source)
        if translator is not None:
            return await self._take_translated(request, translator, body)
        raise Refused(415, "unsupported_media_type", f"send {STRUCTURED}, {BATCH} or binary mode")

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        limit = self.limits.request_bytes
        if not headers.get("content-type", "").startswith(BATCH):
            limit = min(limit, LARGEST_BODY_BYTES)
        stated = headers.get("content-length", "0")
        if not stated.isdigit() or int(stated) > limit:
            raise Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            parts, size = [body], len(body)
            while message.get("more_body", False):
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "disconnected")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
            body = b"".join(parts)
        if len(body) > limit:
            raise Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
        return body

    async def _take_one(self, request: Request, submission: Submission) -> Answer:
        self.access.allow(request, 1)
        (receipt,) = await self.writer.submit([submission])
        result = self._result(request, receipt)
        request.event_id, request.reason_code = receipt.event_id, receipt.reason_code
        return Answer(result.status, encode(result))

    async def _take_batch(self, request: Request, body: bytes) -> Answer:
        try:
            events = _decode_batch(body)
        except (ValueError, RecursionError):
            return await self._refuse(request, body, "malformed_json", "it is not a JSON array")
        if len(events) > self.limits.batch_events:
            raise Refused(413, "too_many_events", f"at most {self.limits.batch_events} a batch")
        return await self._take_many(
            request,
            [
                Submission(request.source, bytes(event), f"batch[{index}]")
                for index, event in enumerate(events)
            ],
        )

    async def _take_many(self, request: Request, submissions: list[Submission]) -> Answer:
        self.access.allow(request, len(submissions))
        receipts = await self.writer.submit(submissions) if submissions else []
        results = [self._result(request, receipt) for receipt in receipts]
        is_plain = all(result.status == 202 for result in results)
        return Answer(202 if is_plain else 207, encode(BatchResult(results)))

    async def _take_binary(self, request: Request, content_type: str, body: bytes) -> Answer:
        if content_type != JSON:
            raise Refused(415, "unsupported_media_type", f"the data of an event is {JSON}")
        attributes = {
            name: value for name, value in request.headers.items() if name.startswith("ce-")
        }
        try:
            message = HTTPMessage({**attributes, "content-type": JSON}, body)
            event = from_binary(message, JSONFormat(), CloudEvent)
            structured = to_structured(event, JSONFormat()).body
        except (BaseCloudEventException, ExceptionGroup) as error:
            return await self._refuse(request, body, "not_cloudevents", type(error).__name__)
        except (ValueError, RecursionError):
            return await self._refuse(request, body, "malformed_json", "data or time is not sound")
        return await self._take_one(request, Submission(request.source, structured, "webhook"))

    async def _take_translated(
        self, request: Request, translator: Translator, body: bytes
    ) -> Answer:
        try:
            events, not_taken, reply = translator(body, request.headers)
        except ContractViolation as violation:
            return await self._refuse(request, body, violation.reason_code, str(violation))
        if len(events) > self.limits.batch_events:
            raise Refused(413, "too_many_events", f"at most {self.limits.batch_events} a payload")
        reason = "; ".join(not_taken)
        if not_taken and not events:
            return await self._refuse(request, body, "not_taken", reason)
        if not_taken:
            # The part that is taken goes on; the rest is kept until a contract takes it.
            refusal = Refusal(request.source, body, "webhook", "not_taken", reason)
            await self.writer.submit([], [refusal])
        submissions = [
            Submission(request.source, event, f"translated[{index}]")
            for index, event in enumerate(events)
        ]
        if reply is not None:
            return await self._take_and_reply(request, submissions, reply)
        if len(submissions) == 1:
            return await self._take_one(request, submissions[0])
        return await self._take_many(request, submissions)

    async def _take_and_reply(
        self, request: Request, submissions: list[Submission], reply: Reply
    ) -> Answer:
        """The same, answered in the partner's own form, whatever became of each event."""
        self.access.allow(request, len(submissions))
        receipts = await self.writer.submit(submissions)
        results = [self._result(request, receipt) for receipt in receipts]
        body, content_type = reply([result.status == 202 for result in results])
        return Answer(200, body, content_type)

    async def _refuse(self, request: Request, body: bytes, reason_code: str, reason: str) -> Answer:
        """Keep and refuse what never became an event."""
        self.access.allow(request, 1)
        refusal = Refusal(request.source, body, "webhook", reason_code, reason)
        await self.writer.submit([], [refusal])
        request.reason_code = reason_code
        receipt = Receipt("quarantined", None, reason_code, reason, "$")
        return Answer(422, encode(self._result(request, receipt)))

    def _result(self, request: Request, receipt: Receipt) -> EventResult:
        self.metrics.count_event(request.source, receipt.outcome)
        return EventResult(
            receipt.outcome,
            _STATUS[receipt.outcome],
            receipt.event_id,
            receipt.reason_code,
            receipt.reason,
            receipt.pointer,
        )
