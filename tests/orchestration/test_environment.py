from __future__ import annotations

from pathlib import Path

import pytest

from assets.errors import EnvironmentProblem
from orchestration.environment import (
    Environment,
    database_of,
    libpq_url,
    psycopg2_url,
    psycopg_url,
    shown,
    with_database,
)


def test_nothing_set_means_a_home_here_and_loopback() -> None:
    environment = Environment.read({"OMNIFLOW_HOME": "", "OMNIFLOW_DATABASE_URL": " "})
    assert environment == Environment(home=Path(".omniflow").absolute())
    assert environment.host == "127.0.0.1"


@pytest.mark.parametrize(
    "given",
    [
        "postgres://anna:pw@db:5432/retail",
        "postgresql://anna:pw@db:5432/retail",
        "postgresql+psycopg2://anna:pw@db:5432/retail",
    ],
)
def test_any_usual_spelling_of_the_database_url_is_understood(given: str) -> None:
    environment = Environment.read({"OMNIFLOW_DATABASE_URL": given})
    assert environment.database_url == "postgresql+psycopg://anna:pw@db:5432/retail"
    assert psycopg2_url(given) == "postgresql+psycopg2://anna:pw@db:5432/retail"
    assert libpq_url(given) == "postgresql://anna:pw@db:5432/retail"


def test_a_database_url_for_another_engine_is_refused() -> None:
    with pytest.raises(EnvironmentProblem, match="must look like postgresql://"):
        psycopg_url("mysql://db/retail")
    with pytest.raises(EnvironmentProblem, match="names no database"):
        psycopg_url("postgresql://db:5432")


def test_another_database_of_the_same_server_keeps_everything_else() -> None:
    url = "postgresql+psycopg://postgres@/omniflow?host=/srv/home/postgres"
    other = with_database(url, "dagster")
    assert other == "postgresql+psycopg://postgres@/dagster?host=/srv/home/postgres"
    assert database_of(other) == "dagster"


def test_a_password_is_never_shown() -> None:
    assert shown("postgresql://anna:s3cret@db/retail") == "postgresql://anna:***@db/retail"


def test_a_port_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(EnvironmentProblem, match="OMNIFLOW_GATEWAY_PORT=eighty"):
        Environment.read({"OMNIFLOW_GATEWAY_PORT": "eighty"})
    with pytest.raises(EnvironmentProblem, match="same port"):
        Environment.read({"OMNIFLOW_GATEWAY_PORT": "8010", "OMNIFLOW_WEBSERVER_PORT": "8010"})
