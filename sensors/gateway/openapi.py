"""The interface for those who call it: OpenAPI 3.1, made from the published contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.contracts.registry import CONTRACTS
from assets.contracts.schemas import envelope_schema, schema_of
from assets.contracts.signing import (
    SIGNATURE_HEADER,
    SOURCE_HEADER,
    TIMESTAMP_HEADER,
    WINDOW_SECONDS,
)
from assets.operations_policy import Limits

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"}
_RESULT = {
    "type": "object",
    "required": ["outcome", "status"],
    "properties": {
        "outcome": {"enum": ["accepted", "duplicate", "conflict", "quarantined"]},
        "status": {"enum": [202, 409, 422]},
        "id": {"type": "string"},
        "reason_code": {"type": "string"},
        "reason": {"type": "string"},
        "pointer": {"type": "string"},
    },
    "additionalProperties": False,
}
_BATCH_RESULT = {
    "type": "object",
    "required": ["results"],
    "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}}},
    "additionalProperties": False,
}
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "reason_code", "correlation_id"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "reason_code": {"type": "string"},
        "correlation_id": {"type": "string"},
        "detail": {"type": "string"},
    },
    "additionalProperties": False,
}
_QUANTITY = {"type": "integer"}
_ORDER_STATUS = {
    "type": "object",
    "required": ["channel", "order_number", "status", "lines", "fulfilment"],
    "properties": {
        "channel": {"type": "string"},
        "order_number": {"type": "string"},
        "status": {"type": "string"},
        "ordered_at": {"type": "string", "format": "date-time"},
        "promised_date": {"type": "string", "format": "date"},
        "currency_code": {"type": "string"},
        "total_amount": {"type": "string"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "line_number": {"type": "integer"},
                    "sku": {"type": "string"},
                    "ordered_quantity": _QUANTITY,
                    "promised_quantity": _QUANTITY,
                    "unfilled_quantity": _QUANTITY,
                    "unfilled_reason_code": {"type": ["string", "null"]},
                },
            },
        },
        "fulfilment": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "fulfilment_order_id": {"type": "string"},
                    "status": {"type": "string"},
                    "quantity": _QUANTITY,
                    "shipment_number": {"type": ["string", "null"]},
                },
            },
        },
    },
}
_AVAILABILITY = {
    "type": "object",
    "required": ["channel", "items"],
    "properties": {
        "channel": {"type": "string"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["sku", "quantity", "as_of"],
                "properties": {
                    "sku": {"type": "string"},
                    "quantity": _QUANTITY,
                    "as_of": {"type": ["string", "null"], "format": "date-time"},
                },
            },
        },
    },
}


def document(limits: Limits) -> dict[str, Any]:
    """The whole interface. Schemas of event data keep their own definitions beside them."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "omniflow gateway",
            "version": "1",
            "description": (
                "Signed events in, governed answers out. Sign HMAC-SHA256 over"
                " `timestamp.content` with one of your keys; content is the body, or"
                " `GET target` of a query, or the sorted `ce-` header lines, an empty line and"
                " the body of an event in binary mode."
            ),
        },
        "paths": _paths(limits),
        "components": {
            "securitySchemes": {
                "signature": _header(SIGNATURE_HEADER, "`v1=` and the HMAC in hexadecimal"),
                "timestamp": _header(
                    TIMESTAMP_HEADER,
                    f"Seconds since 1970, UTC; at most {WINDOW_SECONDS} seconds from now",
                ),
                "source": _header(SOURCE_HEADER, "Who asks; its key signs"),
            },
            "schemas": {
                "Event": envelope_schema(),
                "Result": _RESULT,
                "BatchResult": _BATCH_RESULT,
                "Problem": _PROBLEM,
                "OrderStatus": _ORDER_STATUS,
                "Availability": _AVAILABILITY,
                **{event_type: schema_of(contract) for event_type, contract in CONTRACTS.items()},
            },
        },
    }


def _paths(limits: Limits) -> dict[str, Any]:
    signed_post: list[dict[str, list[str]]] = [{"signature": [], "timestamp": []}]
    signed_query: list[dict[str, list[str]]] = [{"signature": [], "timestamp": [], "source": []}]
    return {
        "/v1/events/{source}": {
            "post": {
                "operationId": "postEvents",
                "summary": "Send one event or a batch; answered after it is stored for good",
                "security": signed_post,
                "parameters": [_in_path("source", _NAME)],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/cloudevents+json": {"schema": _ref("Event")},
                        "application/cloudevents-batch+json": {
                            "schema": {
                                "type": "array",
                                "maxItems": limits.batch_events,
                                "items": _ref("Event"),
                            }
                        },
                        "application/edi-x12": {"schema": {"type": "string"}},
                    },
                },
                "responses": {
                    "200": {
                        "description": "A supplier's interchanges, answered by their 997s",
                        "content": {"application/edi-x12": {"schema": {"type": "string"}}},
                    },
                    "202": _response("Stored, or known already", "Result", "BatchResult"),
                    "207": _response("Of a batch, some events were refused", "BatchResult"),
                    "409": _response("The id came before with another body", "Result"),
                    "422": _response("Kept in quarantine, never applied", "Result"),
                    **_problems(400, 401, 404, 413, 415, 429, 503),
                },
            }
        },
        "/v1/orders/{channel}/{order_number}": {
            "get": {
                "operationId": "getOrderStatus",
                "summary": "Where an order stands",
                "security": signed_query,
                "parameters": [
                    _in_path("channel", _NAME),
                    _in_path("order_number", {"type": "string", "minLength": 1, "maxLength": 128}),
                ],
                "responses": {
                    "200": _response("The order", "OrderStatus"),
                    **_problems(401, 403, 404, 429, 503),
                },
            }
        },
        "/v1/availability/{channel}": {
            "get": {
                "operationId": "getAvailability",
                "summary": "What a channel may sell of these SKUs",
                "security": signed_query,
                "parameters": [
                    _in_path("channel", _NAME),
                    {
                        "name": "sku",
                        "in": "query",
                        "required": True,
                        "schema": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": limits.query_skus,
                            "items": {"type": "string", "minLength": 1, "maxLength": 64},
                        },
                    },
                ],
                "responses": {
                    "200": _response("Quantities as last published", "Availability"),
                    **_problems(401, 403, 404, 422, 429, 503),
                },
            }
        },
        "/healthz": _plain("getHealth", "The process lives"),
        "/readyz": {
            "get": {
                **_plain("getReadiness", "The store takes events")["get"],
                "responses": {"200": {"description": "Ready"}, **_problems(503)},
            }
        },
        "/metrics": _plain("getMetrics", "Counters for Prometheus"),
        "/openapi.json": _plain("getInterface", "This document"),
    }


def _in_path(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _header(name: str, description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _response(description: str, *names: str) -> dict[str, Any]:
    schema: dict[str, Any] = (
        _ref(names[0]) if len(names) == 1 else {"anyOf": [_ref(name) for name in names]}
    )
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {
        str(status): {"description": "Refused; see reason_code", "content": content}
        for status in statuses
    }


def _plain(operation: str, summary: str) -> dict[str, Any]:
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "responses": {"200": {"description": "Fine"}},
        }
    }
