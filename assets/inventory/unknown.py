"""What a document names that nobody has told us of yet; it waits for that."""

from __future__ import annotations

from collections.abc import Container

from assets.ports import InboxEvent


def awaited(
    event: InboxEvent, skus: Container[str], nodes: Container[str]
) -> tuple[str, str] | None:
    """Why a document of a node waits and for what, as `Inbox.park` takes it, if it does.

    Args:
        event: Its data have ``node_id`` and ``lines`` with a ``sku`` each.
        skus: Those that are known.
        nodes: Those that are known.
    """
    data = event.data
    if data.node_id not in nodes:
        return "unknown_node", f"node:{data.node_id}"
    unknown = next((line.sku for line in data.lines if line.sku not in skus), None)
    return None if unknown is None else ("unknown_sku", f"sku:{unknown}")
