"""Everything that can go wrong has exactly one owner, and what nothing can raise is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.contracts.registry import CONTRACTS
from assets.errors import PolicyError
from assets.ports import CaseType
from resources.policy_book import SHIPPED, FilePolicyBook

ROOT = Path(__file__).parents[2]
CODE = ("assets", "resources", "sensors", "orchestration")


def sources() -> Iterator[Path]:
    for package in CODE:
        yield from (ROOT / package).rglob("*.py")


def raised_in(path: Path) -> set[str]:
    """Types that a module names: by its member, or in words as why an event is refused."""
    tree = ast.parse(path.read_text("utf-8"))
    members = {
        CaseType[node.attr].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "CaseType"
    }
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return members | {case_type for case_type in CaseType if case_type.value in words}


def queues() -> set[str]:
    return set(FilePolicyBook().resolve("owners", "", "")["queues"])


def test_a_type_that_nothing_can_raise_is_no_type() -> None:
    home = ROOT / "assets" / "ports" / "cases.py"
    raised = set().union(*(raised_in(path) for path in sources() if path != home))
    assert set(CaseType) - raised == set()


def test_whoever_answers_for_a_contract_is_a_queue() -> None:
    assert {contract.owner for contract in CONTRACTS.values()} - queues() == set()


def test_whoever_is_named_as_an_owner_in_code_is_a_queue() -> None:
    named: dict[str, str] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.keyword(arg="owner", value=ast.Constant(value=str(owner))):
                    named[owner] = str(path)
                case ast.Assign(
                    targets=[ast.Name(id="OWNER")], value=ast.Constant(value=str(owner))
                ):
                    named[owner] = str(path)
    assert {owner: path for owner, path in named.items() if owner not in queues()} == {}


def test_whoever_answers_for_a_policy_or_a_model_is_a_queue() -> None:
    files = [*SHIPPED.glob("*.yaml"), *(ROOT / "dbt_project" / "models").rglob("*.yml")]
    owners = {
        owner: path.name
        for path in files
        for owner in re.findall(r"^ *owner: ([a-z_]+)$", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(owners) > 5
    assert {owner: path for owner, path in owners.items() if owner not in queues()} == {}


def written(folder: Path, policy: str, change: Any) -> Path:
    """A home's own version of a shipped policy."""
    document = yaml.safe_load((SHIPPED / f"{policy}.yaml").read_text("utf-8"))
    change(document)
    path = folder / f"{policy}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def nobody_owns(document: dict[str, Any]) -> None:
    document["values"]["queues"]["pricing"]["case_types"] = []


def two_own(document: dict[str, Any]) -> None:
    document["values"]["queues"]["finance"]["case_types"] = ["price_parity"]


def owns_a_stranger(document: dict[str, Any]) -> None:
    document["values"]["queues"]["finance"]["case_types"] = ["sunshine"]


def has_no_word(document: dict[str, Any]) -> None:
    del document["values"]["types"]["price_parity"]


def has_no_such_level(document: dict[str, Any]) -> None:
    document["values"]["types"]["price_parity"]["service_level"] = "soon"


def has_an_unknown_key(document: dict[str, Any]) -> None:
    document["values"]["types"]["price_parity"]["colour"] = "red"


def lacks_a_unit(document: dict[str, Any]) -> None:
    types = document["values"]["types"]
    types["price_parity"]["handling"] = types["price_parity"].pop("handling_minutes")


def does_not_ascend(document: dict[str, Any]) -> None:
    document["values"]["ladder"].reverse()


def has_both_units(document: dict[str, Any]) -> None:
    document["values"]["levels"]["one_hour"]["working_days"] = 1


def has_no_breach(document: dict[str, Any]) -> None:
    document["values"]["ladder"][2]["is_breach"] = False


def names_no_calendar(document: dict[str, Any]) -> None:
    document["values"]["calendar_by_queue"]["*"] = "moon"


@pytest.mark.parametrize(
    ("policy", "change", "said"),
    [
        ("owners", nobody_owns, "cases of type price_parity have 0 owners, not one"),
        ("owners", two_own, "cases of type price_parity have 2 owners, not one"),
        ("owners", owns_a_stranger, "nothing can raise a case of type sunshine"),
        ("exceptions", has_no_word, "a case of type price_parity can be raised"),
        ("exceptions", has_no_such_level, "price_parity has the service level soon, which is none"),
        ("exceptions", has_an_unknown_key, "unknown field `colour`"),
        ("exceptions", lacks_a_unit, "handling"),
        ("service_levels", does_not_ascend, "the rungs of the ladder must ascend"),
        ("service_levels", has_both_units, "either working_minutes or working_days"),
        ("service_levels", has_no_breach, "the ladder needs one breach"),
        ("service_levels", names_no_calendar, "sets * to moon, which is none"),
    ],
)
def test_a_policy_of_cases_that_cannot_be_meant_is_refused_with_its_file(
    tmp_path: Path, policy: str, change: Any, said: str
) -> None:
    path = written(tmp_path, policy, change)
    with pytest.raises(PolicyError) as refused:
        FilePolicyBook(tmp_path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)


def test_a_type_may_be_more_urgent_in_one_region(tmp_path: Path) -> None:
    def europe(document: dict[str, Any]) -> None:
        overlay = {"types": {"price_parity": {"severity": "critical"}}}
        document["overlays"] = [{"scope": {"region": "eu"}, "values": overlay}]

    written(tmp_path, "exceptions", europe)
    book = FilePolicyBook(tmp_path)
    severity = {
        region: book.resolve("exceptions", region, "")["types"]["price_parity"]["severity"]
        for region in ("uk", "eu")
    }
    assert severity == {"uk": "high", "eu": "critical"}
