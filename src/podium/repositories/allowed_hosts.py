"""Which addresses this server accepts.

The command line is a person's own machine and clones what they say. A server clones what strangers say, so it
accepts only origins (scheme, host, port) that its operator configured, and never lets a name lead it into a private
network (https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from podium.errors import BadAddress, HistoryError
from podium.net import is_ip, is_public, look_up, normal_origin, origin_of
from podium.repositories.address import Address
from podium.settings import Settings

_GITHUB = "https://github.com"


class AddressPolicy:
    """The origins that one server accepts."""

    def __init__(self, settings: Settings) -> None:
        self._private = {normal_origin(origin) for origin in settings.private_git_hosts}
        if settings.github_server_url != _GITHUB:
            # The operator named this server; a company's own GitHub usually stands in a private network.
            self._private.add(normal_origin(settings.github_server_url))
        self._accepted = (
            {normal_origin(settings.github_server_url)} | {normal_origin(o) for o in settings.git_hosts} | self._private
        )

    def check(self, address: Address) -> None:
        """Refuse an address whose origin the operator did not list.

        Raises:
            BadAddress: with the setting that would allow it.
        """
        if origin_of(address.url) not in self._accepted:
            raise BadAddress(
                f"This server does not accept repositories from {address.host}: its operator can add the origin "
                "to PODIUM_GIT_HOSTS."
            )

    def resolve(self, clone_url: str) -> str | None:
        """The address of ``clone_url``'s host that git must connect to, so that no second look-up can differ.

        Returns:
            ``HOST:PORT:ADDRESS`` for git's ``http.curloptResolve``; None where the host is an IP address itself.

        Raises:
            HistoryError: the origin is not accepted, the name does not resolve, or it resolves to a private address
                and is not listed as private.
        """
        origin = origin_of(clone_url)
        if origin not in self._accepted:
            # Submitted before the operator changed what is accepted, or moved by its host.
            raise HistoryError(
                "refused", "This server no longer accepts repositories from there: see PODIUM_GIT_HOSTS."
            )
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port or 443
        try:
            addresses = look_up(host, port)
        except OSError:
            raise HistoryError(
                "unreachable",
                f"The name {host} cannot be resolved: check the address and the network.",
                transient=True,
            ) from None
        if origin not in self._private and not is_ip(host) and not all(map(is_public, addresses)):
            raise HistoryError(
                "private-network",
                f"{host} resolves to an address in a private network: its operator can list the origin in "
                "PODIUM_PRIVATE_GIT_HOSTS.",
            )
        if is_ip(host):
            return None
        listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        return f"{host}:{port}:{listed}"
