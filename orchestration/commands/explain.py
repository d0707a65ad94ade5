"""`omniflow explain DECISION_ID`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import show, stored


def command(
    name: Annotated[
        str,
        typer.Argument(metavar="DECISION_ID", help="A decision's id, or an order's id or number."),
    ],
    json: Json = False,
) -> None:
    """Say why a decision came out as it did, and whether deciding again comes out the same."""
    from resources.operational_store.explanation import explain

    with stored() as connection:
        explanation = explain(connection, name)
    if json:
        report(explanation)
    else:
        _print(explanation)


def _print(explanation: dict[str, Any]) -> None:
    policy = explanation["policy"]
    reasons = ", ".join(explanation["reason_codes"]) or "none"
    order = explanation["order_number"] or explanation["business_key"]
    agrees = explanation["recomputation_differs_because"] or "the same"
    for label, value in (
        ("decision", f"{explanation['kind']} {explanation['decision_id']}"),
        ("order", f"{order} of {explanation['channel']}"),
        ("decided", f"{explanation['effective_at']}, mode {explanation['mode']}"),
        ("outcome", f"{explanation['outcome']}; reasons: {reasons}"),
        ("policy", f"{policy['policy']} of {policy['effective_from']}, owner {policy['owner']}"),
        ("policy hash", policy["policy_hash"]),
        ("decided again", agrees),
    ):
        typer.echo(f"{label:<15}{value}")
    if explanation["sourcing"]:
        _print_candidates(explanation["sourcing"])
    rows = [
        {
            "line": f"{line['line_number']}{_part_of(line)}",
            "sku": line["sku"],
            "ordered": line["ordered_quantity"],
            "node": candidate["node_id"],
            "free": candidate["unpromised_quantity"],
            "taken": candidate["taken_by_earlier_lines_quantity"],
            "kept": candidate["kept_back_quantity"],
            "reserved": candidate["reserved_quantity"],
        }
        for line in explanation["lines"]
        for candidate in line["candidates"]
    ]
    if rows:
        show(rows, tuple(rows[0]))
        # Short heads, so that a line of an ordinary terminal holds them all.
        typer.echo("free: on hand, not promised; taken: by earlier lines; kept: held back")
        bundles = {line["bundle_line_number"]: line["bundle_sku"] for line in explanation["lines"]}
        for number, sku in bundles.items():
            if number is not None:
                typer.echo(f"of {number}: what is in the bundle {sku}, line {number} of the order")


def _part_of(line: dict[str, Any]) -> str:
    number = line["bundle_line_number"]
    return "" if number is None else f" of {number}"


def _print_candidates(sourcing: dict[str, Any]) -> None:
    typer.echo(f"{'mode':<15}{sourcing['mode']}, {sourcing['method'].replace('_', ' ')}")
    judged = (
        f"{name.rpartition('_')[0] or name} {value}"
        for name, value in sourcing["objective"].items()
    )
    typer.echo(f"{'judged by':<15}{', '.join(judged)}")
    rows = [
        {
            "node": candidate["node_id"],
            "could": candidate["could_give_quantity"],
            "gives": candidate["given_quantity"],
            "late": candidate["late_quantity"],
            "parcel": candidate["parcel_amount"],
            "units": candidate["unit_amount"],
            "last_units": candidate["opportunity_amount"],
            "why": "chosen" if candidate["is_chosen"] else ", ".join(candidate["reason_codes"]),
        }
        for candidate in sourcing["candidates"]
    ]
    if rows:
        show(rows, tuple(rows[0]))
