from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.environment import PROJECT

Omniflow = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the database's user may enter even when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="omniflow-home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def omniflow(open_folder: Path) -> Iterator[Omniflow]:
    """The command line, run as a person runs it, in homes that are stopped afterwards."""
    homes: set[Path] = set()

    def run(
        *arguments: str, home: Path = open_folder / "home", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        homes.add(home)
        return subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=PROJECT,
            env={**os.environ, "OMNIFLOW_HOME": str(home), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    try:
        yield run
    finally:
        for home in homes:
            run("down", home=home)
