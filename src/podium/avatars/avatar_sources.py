"""The URLs that avatars may be fetched from.

A host reports an avatar's URL, so only origins that the operator listed are fetched: see :mod:`podium.net`.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from podium.net import PUBLIC_GITHUB, AllowedOrigins, PrivateAddress, is_ip, origin_of
from podium.settings import Settings

_GITHUB_AVATARS = "https://avatars.githubusercontent.com"
_MAX_URL_LENGTH = 2000

# Pixels: the largest drawn avatar, on a high-resolution screen.
SIDE = 96


class AvatarRefused(Exception):
    """The avatar must not be fetched."""


@dataclasses.dataclass(frozen=True, slots=True)
class AvatarSource:
    url: str
    origin: str
    host: str


class AvatarSources:
    def __init__(self, settings: Settings) -> None:
        github = settings.github_server_url
        private = set(settings.private_git_hosts)
        if github == PUBLIC_GITHUB:
            origins = {_GITHUB_AVATARS}
        else:
            # An Enterprise Server serves avatars at its own name or, with subdomain isolation, below it.
            parts = urlsplit(github)
            origins = {github} if is_ip(parts.hostname or "") else {github, f"{parts.scheme}://avatars.{parts.netloc}"}
            # Usually in a private network, and named by its operator.
            private |= origins
        self._allowed = AllowedOrigins({*origins, *settings.avatar_hosts}, private)

    def source(self, url: str) -> AvatarSource:
        """The request for ``url``.

        Raises:
            AvatarRefused: ``url`` is not valid, or its origin is not listed.
        """
        if len(url) > _MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
            raise AvatarRefused("its URL is not valid")
        try:
            parts = urlsplit(url)
            origin = origin_of(url)
        except ValueError:
            raise AvatarRefused("its URL is not valid") from None
        if parts.username is not None or parts.password is not None:
            raise AvatarRefused("its URL carries a user name")
        if origin not in self._allowed:
            raise AvatarRefused("its host is not allowed: see PODIUM_AVATAR_HOSTS")
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "s"]
        sized = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*query, ("s", str(SIDE))]), ""))
        return AvatarSource(sized, origin, parts.hostname or "")

    def addresses(self, source: AvatarSource) -> list[str]:
        """The IP addresses to connect to without resolving the name again (DNS rebinding).

        Raises:
            AvatarRefused: one of them is private, and the origin is not listed as private.
            OSError: the name does not resolve.
        """
        try:
            return self._allowed.resolve(source.origin)
        except PrivateAddress:
            raise AvatarRefused(
                "its host resolves to an address in a private network: see PODIUM_PRIVATE_GIT_HOSTS"
            ) from None
