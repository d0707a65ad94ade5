"""The gateway's process: ``python -m orchestration.gateway --settings FILE``.

The settings are a JSON object of ``database_url``, ``keys_file`` (``{"source": {"current": …,
"previous": …}}``) and, optionally, ``host``, ``port``, ``log_level``, ``policies`` (the home's
folder), ``limits`` (where they are to differ from its policy), ``readers``
(``{"source": ["channel it may ask about"]}``), ``shops`` (Shopify shops by source) and
``suppliers`` (by source of their interchanges, whose business they are: ``legal_entity``,
``brand``, ``region``, ``channel``, ``our_identity``). They come in a file because a command line is
for everybody to read.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
import uvicorn

from assets.contracts.admission import Receipt, Refusal, Submission
from assets.contracts.answers import OrderStatus, SkuAvailability
from assets.errors import BadInput, ContractViolation, EnvironmentProblem, PolicyError
from assets.operations_policy import Limits
from resources.channels.shopify.documents import named_by_topic
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.translation import translate
from resources.edi.documents import Scope
from resources.edi.interchange import BrokenInterchange
from resources.edi.understanding import Understood, interchanges, understand
from resources.operational_store import inquiries
from resources.operational_store.connection import as_environment_problem
from resources.operational_store.door import Door
from resources.policy_book import SHIPPED, read_operations
from sensors.gateway.app import Gateway
from sensors.gateway.ports import StoreUnavailable, Translated, Translator

#: A sender waits for an answer; rather tell it to come again than let it hang.
STATEMENT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 5
#: Whose business suppliers' messages are, where the settings do not say; and what we are called.
SUPPLIER_DEFAULTS = {
    "legal_entity": "house",
    "brand": "house",
    "region": "house",
    "channel": "head_office",
    "our_identity": "OMNIFLOW",
}
#: How soon a changed file of keys counts.
KEYS_RELOAD_SECONDS = 1.0

_READY = sa.text("select not pg_is_in_recovery() and to_regclass('event_inbox') is not null")


class FileKeys:
    """The keys of the home's file, read again when it changes: rotating needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._checked_at = 0.0
        self._changed_at = -1
        self._keys: dict[str, tuple[str, ...]] = {}

    def keys(self, source: str) -> Sequence[str]:
        """The keys of a source, none for a stranger."""
        now = time.monotonic()
        if now - self._checked_at > KEYS_RELOAD_SECONDS:
            self._checked_at = now
            self._reload()
        return self._keys.get(source, ())

    def _reload(self) -> None:
        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at == self._changed_at:
                return
            content = json.loads(self._path.read_text())
            self._keys = {
                source: tuple(key for name in ("current", "previous") if (key := pair.get(name)))
                for source, pair in content.items()
            }
            self._changed_at = changed_at
        except (OSError, ValueError, AttributeError) as error:
            # The keys that we know go on to work; a broken file must not lock everybody out.
            structlog.get_logger("gateway").error("keys_unreadable", error=type(error).__name__)


class ShopifyWebhook:
    """A shop's own webhooks as our events, told apart by Shopify's topic header."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Translated:
        """Translate one webhook.

        Raises:
            ContractViolation: If it is no JSON object, or an object of an unexpected shape.
        """
        try:
            payload = msgspec.json.decode(body, type=dict[str, Any])
            document = named_by_topic(headers.get("x-shopify-topic", ""), payload)
            translation = translate(document, self._shop)
        except RecursionError as error:
            raise ContractViolation("malformed_json", "it is nested too deeply") from error
        except msgspec.DecodeError as error:
            raise ContractViolation("malformed_json", "it is no JSON object") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ContractViolation("schema_violation", "it is no document of Shopify") from error
        events = [msgspec.json.encode(envelope) for envelope in translation.envelopes]
        return Translated(events, translation.not_taken)


class SupplierInterchanges:
    """Interchanges of suppliers, X12 or EDIFACT, as our events; X12 is answered by its 997s.

    An interchange that is broken is not taken, with its segment and reason; the others go on.
    """

    def __init__(self, source: str, scope: Scope, us: str) -> None:
        self._source = source
        self._scope = scope
        self._us = us

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Translated:
        """Translate what was posted.

        Raises:
            ContractViolation: If it is neither X12 nor EDIFACT.
        """
        del headers
        understood: list[Understood] = []
        broken: list[str] = []
        try:
            parts = list(interchanges(body.decode("latin-1"), "the body"))
        except BadInput as error:
            raise ContractViolation("broken_interchange", str(error)) from error
        for number, (standard, content) in enumerate(parts, 1):
            try:
                understood.append(understand(standard, content, self._source, self._scope))
            except BrokenInterchange as error:
                broken.append(
                    f"interchange {number}, segment {error.position} ({error.tag}): {error.reason}"
                )
        events = [event for one in understood for _, event in one.events]
        return Translated(events, broken, functools.partial(self._reply, understood))

    def _reply(
        self, understood: Sequence[Understood], taken: Sequence[bool]
    ) -> tuple[bytes, bytes]:
        outcomes = iter(taken)
        answers = []
        for one in understood:
            good = [message for message, _ in one.events if next(outcomes)]
            answers.append(one.answer(good, self._us, datetime.now(UTC)) or "")
        return "".join(answers).encode("ascii", "replace"), b"application/edi-x12"


class Store:
    """The door and the inquiries over one engine, each call in a transaction of its own."""

    def __init__(self, url: str, door: Door) -> None:
        timeout = f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS * 1000}"
        self._engine = sa.create_engine(
            url,
            pool_size=3,
            pool_pre_ping=True,
            # An error's text must not carry a customer's order into the log.
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": timeout},
        )
        self._door = door

    def take(self, submissions: Sequence[Submission], refusals: Sequence[Refusal]) -> list[Receipt]:
        """Let everything in and commit."""
        with self._transaction() as connection:
            receipts = self._door.admit(connection, submissions)
            self._door.refuse(connection, refusals)
        return receipts

    def is_ready(self) -> bool:
        """Whether the door's table can be reached and written."""
        try:
            with self._transaction() as connection:
                return bool(connection.scalar(_READY))
        except StoreUnavailable:
            return False

    def order_status(self, channel: str, order_number: str) -> OrderStatus | None:
        """Where an order stands."""
        with self._transaction() as connection:
            return inquiries.order_status(connection, channel, order_number)

    def availability(self, channel: str, skus: Sequence[str]) -> list[SkuAvailability]:
        """What a channel may sell."""
        with self._transaction() as connection:
            return inquiries.availability(connection, channel, skus)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as error:
            problem = as_environment_problem(error)
            if problem is None:
                raise
            raise StoreUnavailable(str(problem)) from error


def build_gateway(
    database_url: str,
    keys_file: Path,
    translators: Mapping[str, Translator] | None = None,
    limits: Limits | None = None,
    readers: Mapping[str, frozenset[str]] | None = None,
) -> Gateway:
    """The gateway over a real door. Who may send is said by who has a key."""
    store = Store(database_url, Door())
    return Gateway(
        intake=store,
        inquiries=store,
        keys=FileKeys(keys_file),
        translators=translators or {},
        limits=limits or read_operations().gateway,
        readers=readers or {},
    )


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of the gateway's process.

    Raises:
        EnvironmentProblem: If the file cannot be read or says too little.
    """
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"cannot read the gateway's settings {path}: {error}") from error
    missing = {"database_url", "keys_file"} - set(settings)
    if missing:
        raise EnvironmentProblem(f"{path} does not say {', '.join(sorted(missing))}")
    return dict(settings)


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """The limits of the home's policy, unless the settings say otherwise.

    Raises:
        PolicyError: If the policy cannot be used.
        EnvironmentProblem: If what the settings say is no limit.
    """
    limits = read_operations(Path(settings.get("policies") or SHIPPED)).gateway
    said = {**msgspec.structs.asdict(limits), **(settings.get("limits") or {})}
    try:
        return msgspec.convert(said, Limits)
    except msgspec.ValidationError as error:
        raise EnvironmentProblem(f"the gateway's limits: {error}") from error


def translators_of(
    shops: Mapping[str, Mapping[str, Any]], suppliers: Mapping[str, Mapping[str, str]]
) -> dict[str, Translator]:
    """The translators of the settings, and of a shop and suppliers called as their adapters are."""
    default = Shop()
    declared = [Shop(**{**fields, "source": source}) for source, fields in shops.items()]
    translators: dict[str, Translator] = {
        shop.source: ShopifyWebhook(shop) for shop in (default, *declared)
    }
    for source, fields in {"supplier_x12": {}, "supplier_edifact": {}, **suppliers}.items():
        said = {**SUPPLIER_DEFAULTS, **fields}
        us = said.pop("our_identity")
        translators[source] = SupplierInterchanges(source, Scope(**said), us)
    return translators


def log_structured(level: str) -> None:
    """One JSON object a line on standard output; requests below ``level`` cost nothing."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="The gateway.")
    parser.add_argument("--settings", type=Path, required=True)
    try:
        settings = read_settings(parser.parse_args(arguments).settings)
        limits = limits_of(settings)
    except (EnvironmentProblem, PolicyError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    level = settings.get("log_level") or "INFO"
    log_structured(level)
    app = build_gateway(
        settings["database_url"],
        Path(settings["keys_file"]),
        translators=translators_of(settings.get("shops") or {}, settings.get("suppliers") or {}),
        limits=limits,
        readers={
            source: frozenset(channels)
            for source, channels in (settings.get("readers") or {}).items()
        },
    )
    uvicorn.run(
        app,
        host=settings.get("host") or "127.0.0.1",
        port=settings.get("port") or 8010,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level=level.lower(),
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=10,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
