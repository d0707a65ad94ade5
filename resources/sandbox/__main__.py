"""Starts the sandbox: ``python -m resources.sandbox --port 8110 --state DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from assets.errors import EnvironmentProblem
from resources.sandbox.app import build, only_for
from resources.sandbox.journal import Journal
from resources.sandbox.push import Gateway
from resources.sandbox.retailer import Retailer


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="resources.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8110)
    parser.add_argument("--state", type=Path, required=True, help="folder of the journal")
    parser.add_argument("--home", help="only serve below /homes/HOME")
    parser.add_argument("--gateway", help="where advance pushes signed webhooks to")
    parser.add_argument("--secrets", type=Path, help="JSON file of signing keys by source")
    given = parser.parse_args()
    if (given.gateway is None) != (given.secrets is None):
        parser.error("--gateway and --secrets go together")
    try:
        retailer = Retailer(Journal(given.state))
    except EnvironmentProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    gateway = Gateway(given.gateway, given.secrets) if given.gateway else None
    app: ASGIApp = build(retailer, gateway)
    uvicorn.run(
        only_for(given.home, app) if given.home else app,
        host=given.host,
        port=given.port,
        log_level="warning",
        access_log=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
