"""The time as limits per client see it. A window that ends during a test would admit one more."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest


class LimitClock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        for module in ("limits.storage.memory", "limits.strategies", "podium.web.client_limits"):
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: self.now))
