"""Who is told where, and in which words."""

from __future__ import annotations

import string

import msgspec

from assets.decisions.typed_policy import Name, policy_reader
from assets.ports import Occasion, Severity

_OF_A_CASE = frozenset({"case_type", "business_key", "severity", "owner", "due_at", "recipient"})
#: What a template may say, by occasion. Nothing here is about a customer.
WORDS: dict[Occasion, frozenset[str]] = {
    Occasion.CASE_ROUTED: _OF_A_CASE | {"service_level"},
    Occasion.CASE_ESCALATED: _OF_A_CASE | {"percent_of_time", "assigned_to"},
    Occasion.CONSENT_WANTED: frozenset(
        {"subject_type", "subject_key", "amount", "currency_code", "role", "expires_at"}
        | {"recipient"}
    ),
    Occasion.PLAYBOOK_STOPPED: _OF_A_CASE | {"playbook", "outcome"},
}


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one occasion, with the names of `WORDS` in braces."""

    title: str
    body: str


class NotificationsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told where, and in which words.

    Attributes:
        sinks_by_recipient: Names of sinks by queue, role or person; ``*`` for the others.
        routed_from_severity: A new case is told to its owner from this severity on.
        templates: By recipient and occasion; ``*`` for the others, and complete there.
    """

    sinks_by_recipient: dict[str, list[Name]]
    routed_from_severity: Severity
    templates: dict[str, dict[Occasion, Template]]

    def __post_init__(self) -> None:
        if "*" not in self.sinks_by_recipient:
            raise ValueError("sinks_by_recipient has no sink for who is not named")
        missing = set(Occasion) - self.templates.get("*", {}).keys()
        if missing:
            raise ValueError(f"templates of * have no words for {', '.join(sorted(missing))}")
        for recipient, by_occasion in self.templates.items():
            for occasion, template in by_occasion.items():
                strangers = _names(template) - WORDS[occasion]
                if strangers:
                    raise ValueError(
                        f"the template {occasion} of {recipient} names"
                        f" {', '.join(sorted(strangers))}, of which it may not speak"
                    )

    def sinks(self, recipient: str) -> list[str]:
        """Where somebody is told."""
        return self.sinks_by_recipient.get(recipient, self.sinks_by_recipient["*"])

    def template(self, recipient: str, occasion: Occasion) -> Template:
        """The words for somebody."""
        own = self.templates.get(recipient, {}).get(occasion)
        return own or self.templates["*"][occasion]


def _names(template: Template) -> set[str]:
    parsed = [*string.Formatter().parse(template.title), *string.Formatter().parse(template.body)]
    return {name for _, name, _, _ in parsed if name is not None}


#: The typed policy, from its values.
notifications_policy = policy_reader("notifications", NotificationsPolicy)
