"""`omniflow counterfactual POLICY.yaml`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import show, stored

if TYPE_CHECKING:
    from assets.order_to_fulfillment.counterfactual import Comparison


def command(
    policy: Annotated[Path, typer.Argument(metavar="POLICY.yaml", help="The other policy.")],
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC) of the decisions."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC) of the decisions."),
    ] = None,
    json: Json = False,
) -> None:
    """Source the stored orders again under another policy, and say what would have changed."""
    from assets.errors import BadInput
    from assets.order_to_fulfillment.counterfactual import compare
    from assets.order_to_fulfillment.decision import KIND
    from resources.operational_store.decision_history import decision_batches
    from resources.policy_book import read_policy

    if since and until and since > until:
        raise BadInput("--from is after --to")
    document = read_policy(policy, "order_to_fulfillment")
    first = since and since.replace(tzinfo=UTC)
    end = until and until.replace(tzinfo=UTC) + timedelta(days=1)
    with stored() as connection:
        comparison = compare(decision_batches(connection, KIND, first, end), document)
    if not comparison.batches:
        raise BadInput("no order was sourced in this home at that time")
    content = _content(comparison)
    content |= {
        "policy_hash": document.policy_hash,
        "from": since and since.date().isoformat(),
        "to": until and until.date().isoformat(),
    }
    if json:
        report(content)
    else:
        _print(content)


def _content(comparison: Comparison) -> dict[str, Any]:
    from assets.commerce.money import to_text

    def readable(totals: dict[str, int]) -> dict[str, Any]:
        found: dict[str, Any] = {**totals}
        found["transport_amount"] = to_text(totals["transport_amount"])
        filled, ordered = totals["filled_quantity"], comparison.ordered_quantity
        found["fill_rate"] = round(filled / ordered, 6) if ordered else None
        return found

    return {
        "batches": comparison.batches,
        "orders": comparison.orders,
        "order_lines": comparison.order_lines,
        "ordered_quantity": comparison.ordered_quantity,
        "differing_orders": comparison.differing_orders,
        "stored": readable(asdict(comparison.stored)),
        "counterfactual": readable(asdict(comparison.counterfactual)),
        "change": readable(comparison.changes()),
    }


def _print(content: dict[str, Any]) -> None:
    typer.echo(
        f"{content['orders']:,} orders in {content['batches']:,} decisions,"
        f" {content['differing_orders']:,} of them would have been sourced otherwise"
    )
    rows = [
        {
            "what": name.replace("_", " "),
            "stored": value,
            "counterfactual": content["counterfactual"][name],
            "change": content["change"][name],
        }
        for name, value in content["stored"].items()
    ]
    show(rows, tuple(rows[0]))
