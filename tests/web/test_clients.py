"""Which requests come from one client."""

from __future__ import annotations

import pytest

from podium.web.clients import client_of, network_of


@pytest.mark.parametrize(
    ("address", "key", "wider"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.1", "192.0.2.1", None),
        ("::FFFF:c000:201", "192.0.2.1", None),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, key: str, wider: str | None) -> None:
    client = network_of(address)
    assert (client.key, client.wider_key, client.is_loopback) == (key, wider, False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_recognized_in_every_spelling(address: str) -> None:
    assert network_of(address).is_loopback
    assert network_of(address).wider_key is None


def test_everything_that_is_no_address_is_one_client() -> None:
    assert len({network_of(address) for address in ("", "unknown", "_hidden", "192.0.2.999", "x" * 5000)}) == 1
    assert client_of({"type": "http"}) == client_of({"type": "http", "client": None}) == network_of("")
