"""Ports and IP addresses in every notation."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from podium import net


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff0e::1",
        # IPv4-mapped, IPv4-compatible, translated (SIIT)
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        # NAT64, and its prefix for use inside of a network
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1.2.3.4",
        "64:ff9b:1:a00:0:100::",
        # 6to4, Teredo, ISATAP
        "2002:7f00:1::1",
        "2002:c0a8:101::",
        "2001:0:7f00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:127.0.0.1",
    ],
)
def test_every_notation_of_a_private_address_is_private(address: str) -> None:
    assert not net.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "140.82.121.4",
        "2606:4700::1111",
        "::ffff:140.82.121.4",
        "64:ff9b::140.82.121.4",
        "2002:8c52:7904::1",
        "2606:4700::5efe:140.82.121.4",
    ],
)
def test_public_addresses_stay_public(address: str) -> None:
    assert net.is_public(address)


def test_a_port_is_read_as_it_is_written() -> None:
    assert net.port_of(urlsplit("https://host/x")) is None
    assert net.port_of(urlsplit("https://[::1]/x")) is None
    assert net.port_of(urlsplit("https://user:1@host:8443/x")) == 8443
    assert net.port_of(urlsplit("https://[::1]:65535/x")) == 65535
    for written in ("", "0", "00", "0443", "65536", "99999", "+1", "-1", "1_0", "\uff180", "http"):
        for host in ("host", "[::1]", "user@host"):
            with pytest.raises(ValueError, match="1 to 65535"):
                net.port_of(urlsplit(f"https://{host}:{written}/x"))
