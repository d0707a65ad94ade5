"""The command line. Each command is a module of `orchestration.commands`; this only finds them.

A person at a terminal gets one clear line, never a stack trace: what this product understands is
said in its own words, what it does not is written to a file whose name is printed.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from assets.errors import RetailFlowError


class Omniflow(typer.Typer):
    """A Typer application whose errors are lines."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line and turn what goes wrong into a message and an exit code."""
        try:
            return super().__call__(*args, **kwargs)
        except RetailFlowError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            _fail("interrupted", code=130)
        except BrokenPipeError:
            # Whoever read our output has what they wanted; the interpreter must not try again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except Exception as error:  # noqa: BLE001  the edge of the program
            from resources.operational_store.connection import as_environment_problem

            problem = as_environment_problem(error)
            if problem is not None:
                _fail(str(problem))
            _fail(f"this is a defect of omniflow ({type(error).__name__}): see {_keep(error)}", 70)


def _fail(message: str, code: int = 1) -> None:
    print(f"omniflow: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code) from None


def _keep(error: Exception) -> Path:
    """Write the stack trace where a person can attach it to a report."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"omniflow-{stamp}-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return Path(file.name)


app = Omniflow(
    name="omniflow",
    help="Workflow automation for omnichannel retail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Workflow automation for omnichannel retail."""


def _register() -> None:
    """Every module here with a function ``command`` is a command of the module's name.

    They are all imported for the sake of `--help`, so a command imports what is heavy (pandas,
    SQLAlchemy, Dagster) inside its function.
    """
    from orchestration import commands

    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        if module.name.startswith("_"):
            continue
        loaded = importlib.import_module(f"{commands.__name__}.{module.name}")
        app.command(name=module.name.replace("_", "-"))(loaded.command)


_register()

if __name__ == "__main__":
    app()
