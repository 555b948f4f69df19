"""The repository addresses that a server accepts.

The command line clones what its user names. A server clones what strangers submit, so it accepts only origins that its
operator configured, and no name that leads into a private network: see :mod:`podium.net`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from podium.errors import BadAddress, HistoryError
from podium.net import PUBLIC_GITHUB, AllowedOrigins, PrivateAddress, is_ip, origin_of
from podium.repositories.address import Address
from podium.settings import Settings


class AddressPolicy:
    """The origins that one server accepts repositories from."""

    def __init__(self, settings: Settings) -> None:
        private = set(settings.private_git_hosts)
        if settings.github_server_url != PUBLIC_GITHUB:
            # A company's own GitHub is usually in a private network, and its operator named it.
            private.add(settings.github_server_url)
        self._allowed = AllowedOrigins({settings.github_server_url, *settings.git_hosts, *private}, private)

    def check(self, address: Address) -> None:
        """Refuse an address whose origin the operator did not list.

        Raises:
            BadAddress: with the setting that would allow it.
        """
        if origin_of(address.url) not in self._allowed:
            raise BadAddress(
                f"This server does not accept repositories from {address.host}: its operator can add the origin "
                "to PODIUM_GIT_HOSTS."
            )

    def resolve(self, clone_url: str) -> str | None:
        """Resolve ``clone_url``'s host once, so that git connects to the addresses that were checked.

        Returns:
            ``HOST:PORT:ADDRESS[,ADDRESS]`` for git's ``http.curloptResolve``; None if the host is an IP address.

        Raises:
            HistoryError: the origin is not accepted, the name does not resolve, or it resolves to a private address
                and is not listed as private.
        """
        origin = origin_of(clone_url)
        if origin not in self._allowed:
            # Submitted before the operator changed the list, or moved by its host.
            raise HistoryError(
                "refused", "This server no longer accepts repositories from there: see PODIUM_GIT_HOSTS."
            )
        parts = urlsplit(origin)
        host = parts.hostname or ""
        try:
            addresses = self._allowed.resolve(origin)
        except OSError:
            raise HistoryError(
                "unreachable",
                f"The name {host} cannot be resolved: check the address and the network.",
                transient=True,
            ) from None
        except PrivateAddress:
            raise HistoryError(
                "private-network",
                f"{host} resolves to an address in a private network: its operator can list the origin in "
                "PODIUM_PRIVATE_GIT_HOSTS.",
            ) from None
        if is_ip(host):
            return None
        listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        return f"{host}:{parts.port}:{listed}"
