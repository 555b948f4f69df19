"""The HTTP client for GitHub. Faults are return values.

A token is sent in the Authorization header only; other modules know it by its key.
"""

from __future__ import annotations

import functools
import re
import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium import __version__
from podium.accounts.github.budget import token_key
from podium.accounts.github.requests import Call, Response, TransportFailure
from podium.errors import BadSetting

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import httpx

MAX_BODY = 8 * 2**20
_ACCEPT = {"graphql": "application/json", "core": "application/vnd.github+json"}


@functools.cache
def _tls(trust_env: bool) -> ssl.SSLContext:
    # Reading all authorities takes longer than everything else about a client.
    import ssl

    import httpx

    try:
        return httpx.create_ssl_context(trust_env=trust_env)
    except OSError as error:
        reason = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise BadSetting(
            f"SSL_CERT_FILE or SSL_CERT_DIR cannot be read ({reason}): name certificates in PEM, or unset it."
        ) from None


class GitHub:
    """A thread-safe connection pool to one GitHub.

    Args:
        tokens: a call selects one by its :func:`podium.accounts.github.budget.token_key`.
        timeout: seconds to connect, and to wait for each part of an answer.
        deadline: seconds for a whole answer.
        max_body: bytes, also after decompression.
        trust_env: use proxies and certificates from the environment, as git does.

    Raises:
        BadSetting: a token cannot be sent, or a proxy or certificates of the environment cannot be used. No message
            repeats a token or a proxy's address, which may have a password.
    """

    def __init__(
        self,
        api_url: str,
        graphql_url: str,
        tokens: Sequence[str] = (),
        *,
        timeout: float = 15.0,
        deadline: float = 30.0,
        max_body: int = MAX_BODY,
        trust_env: bool = True,
    ) -> None:
        import httpx

        for token in tokens:
            if not re.fullmatch(r"[!-~]+", token):
                raise BadSetting("GITHUB_TOKEN cannot be read: a token has no spaces and only ASCII characters.")
        self._api_url = api_url
        self._graphql_url = graphql_url
        self._authorization = {token_key(token): f"Bearer {token}" for token in tokens}
        self._deadline = deadline
        self._max_body = max_body
        try:
            self._client = httpx.Client(
                verify=_tls(trust_env),
                timeout=timeout,
                trust_env=trust_env,
                follow_redirects=False,
                headers={"User-Agent": f"podium/{__version__}", "Accept-Encoding": "gzip"},
            )
        except ImportError:
            raise BadSetting(
                "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy, with which Podium cannot ask GitHub: name an HTTP proxy "
                "(http://HOST:PORT), or unset it."
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise BadSetting(
                "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY cannot be read: write a proxy as http://HOST:PORT, and "
                "in NO_PROXY names or addresses with commas between them."
            ) from None

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._authorization)

    def send(self, call: Call, key: str | None = None) -> Response | TransportFailure:
        """Send ``call`` with the token of ``key``; None: without one."""
        import httpx

        request = self._request(call, key)
        try:
            response = self._client.send(request, stream=True)
            try:
                return self._read(response)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            return TransportFailure("connect", _line(error))
        except httpx.TimeoutException:
            return TransportFailure("timeout")
        except httpx.TransportError:
            return TransportFailure("dropped")

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> GitHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"GitHub({self._api_url!r}, {len(self._authorization)} tokens)"

    def _request(self, call: Call, key: str | None) -> httpx.Request:
        headers = {"Accept": _ACCEPT[call.api]}
        if key is not None:
            headers["Authorization"] = self._authorization[key]
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        url = self._graphql_url if call.api == "graphql" else self._api_url + call.path
        method = "GET" if call.body is None else "POST"
        return self._client.build_request(method, url, headers=headers, content=call.body)

    def _read(self, response: httpx.Response) -> Response | TransportFailure:
        ends = time.monotonic() + self._deadline
        is_packed = response.headers.get("content-encoding", "").lower() in ("gzip", "x-gzip")
        unpack = zlib.decompressobj(wbits=31) if is_packed else None
        body = bytearray()
        for chunk in response.iter_raw():
            room = self._max_body + 1 - len(body)
            try:
                body += unpack.decompress(chunk, room) if unpack else chunk
            except zlib.error:
                return TransportFailure("dropped", "invalid gzip data")
            if len(body) > self._max_body:
                return TransportFailure("too-large")
            if time.monotonic() > ends:
                return TransportFailure("timeout")
        if unpack and not unpack.eof:
            return TransportFailure("dropped")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, bytes(body), str(response.request.url))


def _line(error: Exception) -> str:
    return "".join(char if char.isprintable() else " " for char in str(error))[:200]
