from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resources.partners.story import SandboxProcess
from tests.resources.sandbox.retail import command

LATER = "2026-12-31T00:00:00Z"
CODES = ("erp", "crm", "web_shop", "payment_provider")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def pages(sandbox: SandboxProcess) -> list[object]:
    return [sandbox.get(f"/{code}/v1/events", until=LATER, limit="50") for code in CODES]


def test_a_sandbox_that_was_killed_answers_as_before(sandbox: SandboxProcess) -> None:
    sandbox.post(
        "/sandbox/v1/trading", {"starts_at": "2026-03-02T00:00:00Z", "days": 7, "orders": 200}
    )
    payment = {"order_number": "N-1", "amount": "1.0000", "currency": "GBP"}
    batch = {"commands": [command("payment.authorise", "N-1", payment)]}
    assert sandbox.post("/payment_provider/v1/commands", batch)["results"][0]["status"] == (
        "accepted"
    )
    first = sandbox.get("/crm/v1/events", until=LATER, limit="10")
    sandbox.get("/crm/v1/events", until=LATER, limit="1", acknowledge=first["token"])
    before = pages(sandbox)
    sandbox.kill()
    # The last request was cut off in the middle of being written down.
    with (sandbox.state / "sandbox.jsonl").open("ab") as journal:
        journal.write(b'{"kind":"commands","partner":"erp","body":{"comm')
    sandbox.start()
    assert pages(sandbox) == before
    assert sandbox.post("/payment_provider/v1/commands", batch)["results"][0]["status"] == (
        "duplicate"
    )
    sandbox.kill()
    sandbox.start()
    assert pages(sandbox) == before


def test_two_sandboxes_do_not_share_one_memory(sandbox: SandboxProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "resources.sandbox", "--port", "1", "--state", str(sandbox.state)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "another sandbox already works" in second.stderr
