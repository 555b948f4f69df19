"""The administrator's token of a server whose operator has set none: it is made once and kept in the data folder."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import stat
from pathlib import Path

from podium.settings import MIN_TOKEN, Settings

_MOST_BYTES = 1000


def token_file(settings: Settings) -> Path:
    return settings.data_folder() / "admin-token"


def with_admin_token(settings: Settings) -> Settings:
    """Settings with a token, where they have none and this process is the whole installation.

    Processes that share Redis could not read the file of one of them. Where the folder cannot be written, the settings
    stay as they are, and administration stays closed.
    """
    if settings.admin_token or settings.uses_redis:
        return settings
    with contextlib.suppress(OSError):
        settings.data_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        return dataclasses.replace(settings, admin_token=_token(token_file(settings)))
    return settings


def _token(path: Path) -> str:
    if token := _read(path):
        return token
    token = secrets.token_urlsafe(32)
    new = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, this fails if another server has made one meanwhile.
            os.link(new, path)
        except FileExistsError:
            if other := _read(path):
                return other
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return token


def _read(path: Path) -> str:
    """'': there is none, or others can read it or may have written it, so that it is no secret."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid != os.geteuid():
            return ""
        text = file.read(_MOST_BYTES).decode("ascii", "replace").strip()
    return text if len(text) >= MIN_TOKEN else ""
