"""The asset graph as text: what must not change by accident, nor by a brand or a region."""

from __future__ import annotations

import dagster as dg


def described(definitions: dg.Definitions) -> list[str]:
    """One line an asset, a check and a sensor, in order of their names."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = " ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        owners = " ".join(sorted(node.owners))
        kind = "asset" if node.is_materializable else "spec"
        lines.append(f"{kind} {key.to_user_string()} [{node.group_name}] {owners} <- {parents}")
    lines += [
        f"check {key.asset_key.to_user_string()}: {key.name}"
        for key in sorted(graph.asset_check_keys)
    ]
    lines += sorted(f"sensor {sensor.name}" for sensor in repository.sensor_defs)
    lines += sorted(f"schedule {schedule.name}" for schedule in repository.schedule_defs)
    return [line.rstrip() for line in lines]
