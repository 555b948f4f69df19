"""The rooms: arrows between them run one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "podium"

BASE = {"errors", "settings", "net", "timeutil", "textutil", "podium"}
TELEMETRY = BASE | {"telemetry"}
STORAGE = TELEMETRY | {"storage"}
REPOSITORIES = STORAGE | {"repositories"}
JOBS = REPOSITORIES | {"jobs"}
GIT = TELEMETRY | {"git"}
MONITORING = JOBS | {"workers", "monitoring"}
SERVED = MONITORING | {"submissions", "leaderboard", "avatars", "web"}
COUNTED = GIT | JOBS | {"clones", "history", "counting"}
APP = SERVED | COUNTED | {"accounts", "app"}
MAY_IMPORT = {
    "errors": set[str](),
    "settings": {"errors"},
    "net": set[str](),
    "timeutil": set[str](),
    "textutil": {"textutil"},
    "telemetry": TELEMETRY,
    "storage": STORAGE,
    "repositories": REPOSITORIES,
    "jobs": JOBS,
    "workers": MONITORING,
    "monitoring": MONITORING,
    "submissions": JOBS | {"submissions"},
    "git": GIT,
    "clones": GIT | REPOSITORIES | {"history", "clones"},
    "history": GIT | {"history"},
    "counting": COUNTED,
    "accounts": JOBS | {"accounts"},
    "leaderboard": REPOSITORIES | {"leaderboard"},
    "avatars": TELEMETRY | {"avatars"},
    "web": SERVED,
    "app": APP,
    "cli": APP | {"cli"},
    "__main__": {"cli"},
    "__init__": set[str](),
}

# The few modules that may do what the others must not.
READS_THE_ENVIRONMENT = {"cli/__init__.py", "workers/child.py"}
STARTS_PROCESSES = {"git/processes.py", "workers/child.py"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports, at its top or later."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names if node.module == "podium")
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_arrow_runs_back(path: Path) -> None:
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("podium.")} - {"__version__"}
    assert rooms <= MAY_IMPORT[room_of(path)], f"{path} imports {rooms - MAY_IMPORT[room_of(path)]}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_one_module_reads_the_environment_and_one_starts_git(path: Path) -> None:
    name = str(path.relative_to(SOURCE))
    if name not in STARTS_PROCESSES:
        assert not {"subprocess", "multiprocessing", "pty"} & imported(path)
    if name not in READS_THE_ENVIRONMENT:
        looked_at = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not {"environ", "environb", "getenv"} & looked_at


def test_the_map_knows_every_room() -> None:
    assert {room_of(path) for path in modules()} == MAY_IMPORT.keys()
