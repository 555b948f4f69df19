"""`make` on a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Says of itself to be 3.10.
_OLD = f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 10, 9); exec(sys.argv[1])" "$2"\n'
_MESSAGE = "Podium needs Python 3.11 or newer; found 3.10 (set PYTHON=…)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "requirements-build.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "src").mkdir()
    return tmp_path


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The tests may run under make themselves, whose variables would make this one report its folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_refused_before_anything_is_installed(folder: Path) -> None:
    done = make(folder, "run", f"PYTHON={script(folder / 'old', _OLD)}")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == _MESSAGE
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("python", [_OLD, "#!/bin/sh\nexit 127\n"])
def test_an_environment_that_is_old_or_broken_is_made_again(folder: Path, python: str) -> None:
    script(folder / ".venv" / "bin" / "python", python)
    (folder / ".venv" / ".run").touch()
    created = make(folder, "--dry-run", "run", "PYTHON=python3")
    assert 'test -z "yes" || python3 -m venv --clear .venv' in created.stdout
    assert "pip install" in created.stdout


def test_a_working_environment_is_kept(folder: Path) -> None:
    script(folder / ".venv" / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for name in (".run", ".test", ".compiled"):
        (folder / ".venv" / name).touch()
    kept = make(folder, "--dry-run", "run")
    assert "venv --clear" not in kept.stdout
    assert "pip install" not in kept.stdout


def test_rank_takes_a_path_with_spaces(folder: Path) -> None:
    script(folder / ".venv" / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script(folder / ".venv" / "bin" / "podium", '#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    for name in (".run", ".compiled"):
        (folder / ".venv" / name).touch()
    done = make(folder, "rank", "REPO=a path/with 'spaces' and $$HOME")
    assert done.stdout == "<rank>\n<a path/with 'spaces' and $HOME>\n"
