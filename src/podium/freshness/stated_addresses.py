"""The addresses that hosts state for their repositories, in an API's answer or by a redirect, checked."""

from __future__ import annotations

from urllib.parse import urlsplit

from podium.errors import BadAddress
from podium.net import origin_of
from podium.repositories.address import Address, parse_address
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.model import Repository


class StatedAddresses:
    """Hosts are not trusted: an address that the server does not accept, or of another host, is left out.

    Args:
    policy: which addresses the server accepts.
    github_url: the configured GitHub's web address.
    """

    def __init__(self, policy: AddressPolicy, github_url: str) -> None:
        self._policy = policy
        self._github_url = github_url

    def of_name(self, repository: Repository, name: str) -> Address | None:
        """The address of a repository that its host calls ``owner/name``; None: this server has no use for it."""
        parts = urlsplit(repository.repository_url)
        # A plain git server knows a folder only by its full name.
        ending = ".git" if parts.path.endswith(".git") else ""
        found = self.of_url(repository, f"{parts.scheme}://{parts.netloc}/{name}{ending}")
        return found if found is not None and f"{found.owner}/{found.name}" == name else None

    def of_url(self, repository: Repository, url: str) -> Address | None:
        """Return the address that the host states by a redirect to ``url``; None if it cannot be used."""
        try:
            address = parse_address(url, self._github_url)
            self._policy.check(address)
            is_there = origin_of(address.url) == origin_of(repository.repository_url)
        except (BadAddress, ValueError):
            return None
        return address if is_there and address.host == repository.host else None
