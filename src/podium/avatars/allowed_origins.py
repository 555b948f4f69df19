"""Which addresses a picture may be fetched from, and where they lead.

An account's picture is wherever its row says, and the row says what a host said: only origins that the operator named
are asked, and a name never leads into a private network unless its origin was named as private
(https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from podium.net import is_ip, is_public, look_up, normal_origin, origin_of
from podium.settings import Settings

_GITHUB = "https://github.com"
_GITHUB_AVATARS = "https://avatars.githubusercontent.com"
_LONGEST = 2000

# Pixels of a side that hosts are asked for: enough for the largest face that is drawn, on a fine screen.
SIDE = 96


class Refused(Exception):
    """A picture that must not be fetched; says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Where one picture is: the request's address, and what makes it the host's own."""

    url: str
    origin: str
    host: str
    port: int


class Sources:
    """The origins that pictures may come from."""

    def __init__(self, settings: Settings) -> None:
        own = settings.github_server_url
        self._private = {normal_origin(origin) for origin in settings.private_git_hosts}
        if own == _GITHUB:
            origins = {_GITHUB_AVATARS}
        else:
            # An Enterprise Server has them at its own name, or with subdomain isolation at one beneath it.
            parts = urlsplit(own)
            origins = {own, f"{parts.scheme}://avatars.{parts.netloc}"} if not is_ip(parts.hostname or "") else {own}
            # The operator named this server; a company's own GitHub usually stands in a private network.
            self._private |= {normal_origin(origin) for origin in origins}
        self._accepted = {normal_origin(origin) for origin in (*origins, *settings.avatar_hosts)}

    def source(self, url: str) -> Source:
        """Where the picture at ``url`` is to be asked for.

        Raises:
            Refused: it is no address, or not at an origin that was named.
        """
        if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
            raise Refused("it is no address")
        try:
            parts = urlsplit(url)
            origin = origin_of(url)
            port = parts.port
        except ValueError:
            raise Refused("it is no address") from None
        if parts.username is not None or parts.password is not None:
            raise Refused("it carries a user's name")
        if origin not in self._accepted:
            raise Refused("its host is not one that pictures come from: see PODIUM_AVATAR_HOSTS")
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "s"]
        sized = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*query, ("s", str(SIDE))]), ""))
        return Source(sized, origin, parts.hostname or "", port or (443 if parts.scheme == "https" else 80))

    def addresses(self, source: Source) -> list[str]:
        """The IP addresses at which ``source``'s host is to be reached: who connects must not resolve it again.

        Raises:
            Refused: one of them is private, and the origin was not named as such.
            OSError: the name does not resolve.
        """
        found = look_up(source.host, source.port)
        if source.origin not in self._private and not is_ip(source.host) and not all(map(is_public, found)):
            raise Refused("its name leads into a private network: see PODIUM_PRIVATE_GIT_HOSTS")
        return found
