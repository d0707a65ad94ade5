from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resources.analytics_store.store import AnalyticsStore
from resources.lake.lake import Lake


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """dbt's manifest of the project; parsing it takes seconds, so once."""
    folder: Path = tmp_path_factory.mktemp("warehouse")
    store = AnalyticsStore(folder, Lake(folder / "lake"))
    parsed: Mapping[str, Any] = json.loads(store.parse().read_text())
    return parsed
