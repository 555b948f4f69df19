"""The repository addresses that a server accepts.

Strangers submit them, so it accepts only configured origins, and no name that leads into a private network
(:mod:`podium.net`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from podium.errors import BadAddress, HistoryError
from podium.net import PUBLIC_GITHUB, AllowedOrigins, PrivateAddress, is_ip, origin_of
from podium.repositories.address import Address
from podium.settings import Settings


class AddressPolicy:
    def __init__(self, settings: Settings) -> None:
        private = set(settings.private_git_hosts)
        if settings.github_server_url != PUBLIC_GITHUB:
            # A company's own GitHub is usually in a private network.
            private.add(settings.github_server_url)
        self._allowed = AllowedOrigins({settings.github_server_url, *settings.git_hosts, *private}, private)

    def check(self, address: Address) -> None:
        """Raise BadAddress if the operator did not list the origin."""
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
            HistoryError: the origin is not accepted, or resolves to nothing or to an unlisted private address.
        """
        origin = origin_of(clone_url)
        if origin not in self._allowed:
            # The operator changed the list after the submission, or the host redirected.
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
