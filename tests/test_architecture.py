"""The packages: docs/architecture.md says what each may import, and the source keeps to it."""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "podium"
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()
# The documents that lead contributors to a file, function or constant.
MAPS = [DOCUMENT, (ROOT / "CONTRIBUTING.md").read_text()]

# Every package may use these.
EVERYWHERE = {"errors", "settings", "net", "timeutil", "textutil", "telemetry", "__version__"}

# The few modules that may do what the others must not.
READS_THE_ENVIRONMENT = {"app/processes/child_environment.py", "cli/__init__.py"}
STARTS_PROCESSES = {"git/processes.py", "workers/child.py"}


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path.name != "__main__.py")


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@functools.cache
def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports, at its top or later."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names if node.module == "podium")
    return names


def arrows() -> dict[str, set[str]]:
    """What each package imports of the others."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in modules():
        package = package_of(path)
        used = {name.split(".")[1] for name in imported(path) if name.startswith("podium.")}
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
    names = [path.name for path in modules() if path.name != "__init__.py"]
    assert sorted(names) == sorted(set(names))


def test_class_names_are_used_once() -> None:
    names = [
        node.name
        for path in modules()
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted(names) == sorted(set(names))


def test_one_module_reads_the_environment_and_one_starts_git() -> None:
    for path in modules():
        name = str(path.relative_to(SOURCE))
        if name not in STARTS_PROCESSES:
            assert not {"subprocess", "multiprocessing", "pty"} & imported(path), name
        if name not in READS_THE_ENVIRONMENT:
            looked_at = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
            assert not {"environ", "environb", "getenv"} & looked_at, name


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
