"""Who our partners are and how to talk to each: addresses and manners, from one YAML file.

Secrets are not here. What is said to a partner and what its answers mean is in the dispatcher and
the poller; how long to be patient is in `resilience`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
import yaml
from msgspec import Meta

from assets.contracts.fields import Code
from assets.errors import EnvironmentProblem, PolicyError
from assets.settled import settled
from resources.http import is_loopback

SHIPPED = Path(__file__).parent / "policies" / "partners.yaml"
PartnerKind = Literal[
    "erp",
    "wms",
    "supplier",
    "supplier_portal",
    "supplier_mailbox",
    "payment_provider",
    "carrier",
    "crm",
    "channel",
]


class Partner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One partner system.

    Attributes:
        base_url: Address of its interface, without the trailing ``/v1/…``.
        takes_batches: Whether many commands may travel in one request.
        batch_size: Most commands of one request, or of one database transaction.
        speaks: ``commands`` as this house writes them, or ``x12``, one interchange a request.
        our_identity: What we are called there.
        owner: Who looks after the connection.
        is_sandbox: Whether it only plays a partner; a replay talks to no other.
    """

    code: Code
    kind: PartnerKind
    base_url: str
    takes_batches: bool = True
    batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 500
    speaks: Literal["commands", "x12"] = "commands"
    our_identity: Annotated[str, Meta(min_length=2, max_length=15)] = "OMNIFLOW"
    owner: Code
    is_sandbox: bool = False

    def __post_init__(self) -> None:
        if self.speaks == "x12" and self.takes_batches:
            raise ValueError("an interchange travels alone: takes_batches must be false")

    @property
    def answers(self) -> bool:
        """Whether it has events to poll; channels and mailboxes push, and the CRM only listens."""
        return self.kind not in {"crm", "channel", "supplier_mailbox"}

    def url(self, path: str) -> str:
        """Address of one resource of the partner."""
        return f"{self.base_url}/v1/{path}"


@settled
class _PartnerFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    policy: Literal["partners"]
    owner: str
    effective_from: date
    partners: list[Partner]


class PartnerBook:
    """All partners of one home, by code."""

    def __init__(self, partners: Iterable[Partner]) -> None:
        self._partners: dict[str, Partner] = {}
        for partner in partners:
            if partner.code in self._partners:
                raise PolicyError(f"partner {partner.code} is there twice")
            self._partners[partner.code] = partner

    @classmethod
    def load(cls, path: Path = SHIPPED, *, sandbox_url: str | None = None) -> PartnerBook:
        """Read a partner file; ``{sandbox}`` in an address stands for ``sandbox_url``.

        Raises:
            PolicyError: If the file is missing, malformed, or contradicts itself.
        """
        try:
            held = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), _PartnerFile)
        except FileNotFoundError as error:
            raise PolicyError(f"partner file {path.name} is missing") from error
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            raise PolicyError(f"{path.name}: {' '.join(str(error).split())}") from error
        return cls(_addressed(partner, sandbox_url, path.name) for partner in held.partners)

    def __iter__(self) -> Iterator[Partner]:
        return iter(self._partners.values())

    def __contains__(self, code: str) -> bool:
        return code in self._partners

    def __getitem__(self, code: str) -> Partner:
        """One partner.

        Raises:
            PolicyError: If nobody has that code.
        """
        try:
            return self._partners[code]
        except KeyError:
            raise PolicyError(f"no partner is called {code}") from None

    def only_sandbox(self) -> PartnerBook:
        """The same book, if it can harm nobody: for replays and demos.

        Raises:
            EnvironmentProblem: If a partner is real, or said to be a sandbox but not here.
        """
        for partner in self:
            host = urlsplit(partner.base_url).hostname or ""
            if not partner.is_sandbox or not is_loopback(host):
                raise EnvironmentProblem(
                    f"a replay talks to sandbox partners on this machine only, and"
                    f" {partner.code} is at {host or 'no address'}"
                )
        return self


def _addressed(partner: Partner, sandbox_url: str | None, name: str) -> Partner:
    url = partner.base_url
    if "{sandbox}" in url:
        if sandbox_url is None:
            raise PolicyError(
                f"{name}: {partner.code} is at the sandbox, which has no address here"
            )
        url = url.replace("{sandbox}", sandbox_url.rstrip("/"))
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise PolicyError(f"{name}: {partner.code} has no address that could be called")
    return msgspec.structs.replace(partner, base_url=url.rstrip("/"))
