"""The addresses that a server accepts, and no private network among them."""

from __future__ import annotations

import pytest

from podium.errors import BadAddress, HistoryError
from podium.repositories.address import parse_address
from podium.repositories.address_policy import AddressPolicy
from podium.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "https://gitlab.com/o/r",
        "https://github.com:8443/o/r",
        "https://github.com:80/o/r",
        "http://github.com:443/o/r",
        "https://github.com./o/r",
        "http://gitlab.example/o/r",
        "https://github.com.evil.example/o/r",
        "ssh://git@host.example/o/r",
        "git://host.example/o/r",
        "http://127.0.0.1/o/r",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_only_the_configured_github_is_accepted_by_default(text: str) -> None:
    policy = AddressPolicy(Settings())
    policy.check(parse_address("o/r"))
    policy.check(parse_address("git@github.com:o/r.git"))
    with pytest.raises(BadAddress, match="PODIUM_GIT_HOSTS"):
        policy.check(parse_address(text))


def test_listed_origins_are_accepted_exactly_as_written() -> None:
    policy = AddressPolicy(Settings(git_hosts=("https://gitlab.com", "http://git.example:8080")))
    policy.check(parse_address("https://gitlab.com/o/r"))
    policy.check(parse_address("http://git.example:8080/o/r"))
    policy.check(parse_address("https://gitlab.com:443/o/r"))
    for other in (
        "http://gitlab.com/o/r",
        "https://git.example:8080/o/r",
        "http://git.example/o/r",
        "https://gitlab.com:8080/o/r",
        "https://github.com:8080/o/r",
    ):
        with pytest.raises(BadAddress):
            policy.check(parse_address(other))


def test_a_name_that_resolves_to_this_machine_is_refused_unless_listed_as_private() -> None:
    listed = AddressPolicy(Settings(git_hosts=("http://localhost:8080",)))
    listed.check(parse_address("http://localhost:8080/o/r"))
    with pytest.raises(HistoryError, match="PODIUM_PRIVATE_GIT_HOSTS"):
        listed.resolve("http://localhost:8080/o/r")
    private = AddressPolicy(Settings(private_git_hosts=("http://localhost:8080",)))
    private.check(parse_address("http://localhost:8080/o/r"))
    pin = private.resolve("http://localhost:8080/o/r")
    assert pin is not None
    assert pin.startswith("localhost:8080:")


def test_an_ip_address_that_the_operator_listed_is_accepted() -> None:
    policy = AddressPolicy(Settings(git_hosts=("http://127.0.0.1:8080",)))
    policy.check(parse_address("http://127.0.0.1:8080/o/r"))
    assert policy.resolve("http://127.0.0.1:8080/o/r") is None


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    policy = AddressPolicy(Settings(git_hosts=("https://no-such-host.invalid",)))
    with pytest.raises(HistoryError) as error:
        policy.resolve("https://no-such-host.invalid/o/r")
    assert error.value.code == "unreachable"
    assert error.value.transient
