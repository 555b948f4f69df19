"""The maps of the source and of the tests say what is there, and each package imports only what it may."""

from __future__ import annotations

import re
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.sources import SOURCE, Module, modules

# One process parses the source.
pytestmark = pytest.mark.together("sources")

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()
# The documents that lead contributors to a file, function or constant.
MAPS = [DOCUMENT, (ROOT / "CONTRIBUTING.md").read_text()]

# Every package may use these.
EVERYWHERE = {"errors", "settings", "net", "timeutil", "textutil", "telemetry", "__version__"}

# The few modules that may do what the others must not.
READS_THE_ENVIRONMENT = {"app/processes/child_environment.py", "cli/__init__.py"}
STARTS_PROCESSES = {"git/processes.py", "workers/child.py"}


def importing() -> list[Module]:
    return [module for module in modules() if not module.name.endswith("__main__.py")]


def arrows() -> dict[str, set[str]]:
    """What each package imports of the others."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in importing():
        package = module.name.partition("/")[0].removesuffix(".py")
        used = {name.split(".")[1] for name in module.imports if name.startswith("podium.")}
        found[package] |= used - {package}
    del found["__init__"]
    return found


def documented() -> dict[str, set[str]]:
    """The same, from the document's table of packages, in its order."""
    table = DOCUMENT.partition("\n## Packages\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \| .* \| (.*) \|$", table, re.MULTILINE)
    return {package: set(re.findall(r"`(\w+)`", imports)) for package, imports in rows}


def test_the_document_has_every_package_and_every_arrow() -> None:
    found = {package: used - EVERYWHERE for package, used in arrows().items()}
    assert documented() == {package: used for package, used in found.items() if package not in EVERYWHERE} | {
        package: set() for package in EVERYWHERE - {"__version__"}
    }


def test_arrows_run_one_way() -> None:
    order = list(documented())
    for package, used in arrows().items():
        for other in used - {"__version__"}:
            assert order.index(other) < order.index(package), f"{package} is listed before {other}, which it imports"


def test_module_names_are_used_once() -> None:
    names = [module.name.rpartition("/")[2] for module in importing()]
    names = [name for name in names if name != "__init__.py"]
    assert sorted(names) == sorted(set(names))


def test_class_names_are_used_once() -> None:
    names = [
        found.name
        for module in importing()
        for found in module.classes
        if found.is_top and not found.name.startswith("_")
    ]
    assert sorted(names) == sorted(set(names))


def test_one_module_reads_the_environment_and_one_starts_git() -> None:
    for module in importing():
        if module.name not in STARTS_PROCESSES:
            assert not {"subprocess", "multiprocessing", "pty"} & module.imports, module.name
        if module.name not in READS_THE_ENVIRONMENT:
            assert not {"environ", "environb", "getenv"} & module.attributes, module.name


def test_the_glossary_has_at_most_twenty_words() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    # Two lines are the head of the table.
    assert 0 < sum(line.startswith("|") for line in lines) - 2 <= 20


def test_the_maps_name_files_that_exist() -> None:
    for document in MAPS:
        named = re.findall(r"`((?:\w+/)+\w+\.(?:py|js))`", document)
        assert named
        assert [path for path in named if not (SOURCE / path).exists() and not (ROOT / path).exists()] == []


def test_the_maps_name_functions_and_constants_that_exist() -> None:
    text = "\n".join(MAPS)
    named = re.findall(r"`(\w+)(?:\(\))?` in `([\w/]+\.py)`", text)
    named += [(name, path) for path, name in re.findall(r"`([\w/]+\.py)`, where `(\w+)(?:\(\))?`", text)]
    assert len(named) > 5
    assert [each for each in named if not re.search(rf"\b{each[0]}\b", (SOURCE / each[1]).read_text())] == []


def test_the_list_of_helpers_has_each_of_them() -> None:
    support = ROOT / "tests" / "support"
    first_column = "\n".join(re.findall(r"^\| (.+?) \|", (support / "README.md").read_text(), re.MULTILINE))
    listed = re.findall(r"`([\w*]+)`", first_column)
    found = {path.stem for path in support.glob("*.py")} - {"__init__"}
    assert {name for name in found if not any(fnmatch(name, pattern) for pattern in listed)} == set()
    assert {pattern for pattern in listed if not any(fnmatch(name, pattern) for name in found)} == set()
