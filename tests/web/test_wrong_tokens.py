from __future__ import annotations

import pytest

from podium.repositories.fair_queue import NETWORK_SHARE
from podium.web import wrong_tokens
from podium.web.clients import network_of
from podium.web.wrong_tokens import MOST_WRONG, WINDOW, WrongTokens


def test_a_client_waits_until_its_window_has_room() -> None:
    now = [0.0]
    wrong = WrongTokens(clock=lambda: now[0])
    client = network_of("192.0.2.1")
    for place in range(MOST_WRONG):
        assert wrong.wait(client) == 0
        now[0] = float(place)
        wrong.note(client)
    assert wrong.wait(client) == WINDOW - now[0]
    now[0] = WINDOW
    assert wrong.wait(client) == 0
    wrong.note(client)
    assert wrong.wait(client) == 1


def test_clients_of_one_network_share_a_wider_limit() -> None:
    wrong = WrongTokens(clock=lambda: 0.0)
    for place in range(MOST_WRONG * NETWORK_SHARE):
        wrong.note(network_of(f"2001:db8:0:{place:x}::1"))
    assert wrong.wait(network_of("2001:db8:0:ffff::1")) > 0
    assert wrong.wait(network_of("2001:db8:1::1")) == 0


def test_memory_is_bounded_whatever_the_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_tokens, "MOST_CLIENTS", 500)
    wrong = WrongTokens(clock=lambda: 0.0)
    for place in range(1000):
        wrong.note(network_of(f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}"))
    assert len(wrong) == 500
