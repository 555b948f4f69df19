"""The administrator's token that a server makes for itself."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from podium.app.admin_token import token_file, with_admin_token
from podium.settings import MIN_TOKEN, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path / "data"))


def test_a_token_is_made_once_in_a_private_file(settings: Settings) -> None:
    before = os.umask(0)
    try:
        token = with_admin_token(settings).admin_token
    finally:
        os.umask(before)
    assert len(token) >= 2 * MIN_TOKEN
    file = token_file(settings)
    assert file.read_text() == token + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert with_admin_token(settings).admin_token == token
    assert os.listdir(file.parent) == [file.name]


def test_servers_that_start_together_have_one_token(settings: Settings) -> None:
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(with_admin_token(settings).admin_token)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert len(set(tokens)) == 1


@pytest.mark.parametrize("fault", ["empty", "short", "readable", "link"])
def test_a_file_that_holds_no_secret_is_replaced(settings: Settings, tmp_path: Path, fault: str) -> None:
    file = token_file(settings)
    file.parent.mkdir()
    known = "a-token-that-is-long-enough"
    if fault == "link":
        (tmp_path / "elsewhere").write_text(known)
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.write_text({"empty": "", "short": "short"}.get(fault, known))
        file.chmod(0o644 if fault == "readable" else 0o600)
    token = with_admin_token(settings).admin_token
    assert token != known and len(token) >= MIN_TOKEN
    assert with_admin_token(settings).admin_token == token
    assert fault != "link" or (tmp_path / "elsewhere").read_text() == known


def test_a_token_that_is_set_and_a_shared_queue_make_no_file(settings: Settings, tmp_path: Path) -> None:
    for others in ({"admin_token": "x" * MIN_TOKEN}, {"redis_host": "redis"}):
        given = Settings(data_dir=settings.data_dir, **others)  # type: ignore[arg-type]
        assert with_admin_token(given) is given
    assert not (tmp_path / "data").exists()


def test_without_a_folder_that_can_be_written_there_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given = Settings(data_dir=str(tmp_path / "file" / "data"))
    assert with_admin_token(given) is given
