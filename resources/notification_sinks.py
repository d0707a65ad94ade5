"""Where people are told: files and the log of a process, and any service that apprise knows.

A sink is a name in the policy; its address is a secret of the home, in a file of its own, since it
often holds a token. In a home whose time is simulated every sink is a folder: what a replay finds
out about last year must not ring anybody's telephone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import structlog
import yaml

from assets.errors import PolicyError

CONSOLE = "console"
FILE = "file"
#: Services that are given the message's id as an idempotency key, so that they can tell a repeat.
_TAKE_KEYS = ("json://", "jsons://", "xml://", "xmls://", "form://", "forms://")
_log = structlog.get_logger(__name__)


class SinkUnavailable(Exception):
    """A sink did not take a message; it may later."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient is told."""

    message_id: str
    recipient: str
    title: str
    body: str


class Sink(Protocol):
    """Somewhere a message can go."""

    def send(self, message: Message) -> None:
        """Have it taken.

        Raises:
            SinkUnavailable: If it was not.
        """
        ...


class ConsoleSink:
    """The log of the process that delivers."""

    def send(self, message: Message) -> None:
        """Write one line."""
        _log.warning(
            "notification",
            recipient=message.recipient,
            title=message.title,
            body=message.body,
            message_id=message.message_id,
        )


@dataclass(frozen=True)
class FolderSink:
    """A folder with one file a message, by recipient; the same message again is the same file."""

    folder: Path

    def send(self, message: Message) -> None:
        """Write it whole or not at all."""
        folder = self.folder / message.recipient
        path = folder / f"{message.message_id}.txt"
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(f"{message.title}\n\n{message.body}\n", "utf-8")
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise SinkUnavailable(error.strerror or type(error).__name__) from error


@dataclass(frozen=True)
class ServiceSink:
    """Any service that apprise has a URL for."""

    urls: tuple[str, ...]

    def send(self, message: Message) -> None:
        """Send it to each of them; all of them again where one did not take it."""
        # Only homes that have such a sink pay for its import.
        import apprise

        service = apprise.Apprise()
        for url in self.urls:
            if not service.add(_with_key(url, message.message_id)):
                raise SinkUnavailable("its address is none that apprise knows")
        body = f"{message.body}\n\n{message.message_id}"
        if not service.notify(title=message.title, body=body):
            raise SinkUnavailable("it did not take the message")


def _with_key(url: str, message_id: str) -> str:
    if not url.startswith(_TAKE_KEYS):
        return url
    return f"{url}{'&' if '?' in url else '?'}+Idempotency-Key={quote(message_id)}"


class SinkBook:
    """The sinks of one home, by name."""

    def __init__(self, folder: Path, services: Mapping[str, tuple[str, ...]]) -> None:
        self._folder = folder
        self._services = services
        self._is_quiet = False

    @classmethod
    def load(cls, folder: Path, addresses: Path) -> SinkBook:
        """The sinks of a home.

        Args:
            folder: Where messages lie that go to files.
            addresses: YAML with one URL, or a list of them, by name of a sink; may be missing.

        Raises:
            PolicyError: If the file is malformed; what it says is not repeated, it is secret.
        """
        if not addresses.exists():
            return cls(folder, {})
        try:
            held = yaml.safe_load(addresses.read_text("utf-8")) or {}
        except yaml.YAMLError as error:
            raise PolicyError(f"{addresses.name} is not YAML") from error
        if not isinstance(held, dict):
            raise PolicyError(f"{addresses.name} names no sinks")
        services: dict[str, tuple[str, ...]] = {}
        for name, urls in held.items():
            listed = [urls] if isinstance(urls, str) else urls
            if not isinstance(listed, list) or not all(isinstance(url, str) for url in listed):
                raise PolicyError(f"{addresses.name}: the sink {name} is neither a URL nor several")
            services[str(name)] = tuple(listed)
        return cls(folder, services)

    def only_files(self) -> SinkBook:
        """The same names, all of them folders of the home: for replays and demos."""
        quiet = SinkBook(self._folder, self._services)
        quiet._is_quiet = True
        return quiet

    def sink(self, name: str) -> Sink:
        """The sink of a name.

        Raises:
            SinkUnavailable: If the home has no address for it.
        """
        if name == FILE:
            return FolderSink(self._folder / FILE)
        if self._is_quiet:
            return FolderSink(self._folder / name)
        if name in self._services:
            return ServiceSink(self._services[name])
        if name == CONSOLE:
            return ConsoleSink()
        raise SinkUnavailable(f"the home has no address for {name}")
