"""Which host sent a delivery: its signature, compared in constant time with those of every secret. No I/O.

========  ==============================================================================================================
GitHub    ``X-Hub-Signature-256``: ``sha256=`` and the HMAC-SHA256 of the body in hexadecimal digits
          (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries)
Gitea,    ``X-Gitea-Signature``, ``X-Forgejo-Signature``: the same without ``sha256=``. Of a form it is that of the
Forgejo   field ``payload``
GitLab    ``X-Gitlab-Token``: the secret itself. Or, with a signing token (``whsec_`` and a key in base64),
          ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of ``ID.TIMESTAMP.BODY`` in base64
          (https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens)
========  ==============================================================================================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from podium.errors import BadSignature
from podium.freshness.hooks.hook_events import HookHost
from podium.web.webhooks.webhook_secrets import WebhookSecret

if TYPE_CHECKING:
    # The doctor works without the server's packages.
    from starlette.datastructures import Headers

_GITHUB, _GITLAB, _SIGNED = "x-hub-signature-256", "x-gitlab-token", "webhook-signature"
_GITEA = ("x-forgejo-signature", "x-gitea-signature")
_PREFIX = b"sha256="
_SIGNING_TOKEN = b"whsec_"
# Seconds that GitLab's clock and this one may differ by, as in the libraries of Standard Webhooks.
TOLERANCE = 300.0
# Signatures of one header that are compared: a host sends one for each of its keys.
_MOST = 8


def check_is_signed(route: HookHost, headers: Headers) -> None:
    """Refuse a delivery without a signature, whose body need not be read.

    Raises:
        BadSignature: it has none.
    """
    names = {HookHost.GITHUB: (_GITHUB,), HookHost.GITLAB: (_GITLAB, _SIGNED)}.get(route, _GITEA)
    if not any(headers.get(name) for name in names):
        raise refusal(route)


def refusal(route: HookHost) -> BadSignature:
    return BadSignature(
        "The delivery is not signed with a secret of this server: enter one of PODIUM_WEBHOOK_SECRETS as the "
        f"webhook's secret at {route.words}."
    )


def verifying_secrets(
    route: HookHost,
    headers: Headers,
    body: bytes,
    secrets: Sequence[WebhookSecret],
    *,
    payload: Callable[[], bytes | None],
    now: float,
) -> list[WebhookSecret]:
    """The secrets that a delivery is signed with; empty: it must be refused.

    Args:
        body: as it came.
        payload: returns the field ``payload`` of a form; None if the body has none.
        now: seconds since the epoch.
    """
    match route:
        case HookHost.GITHUB:
            return _with_digest(_bytes(headers, _GITHUB), body, secrets, prefix=_PREFIX)
        case HookHost.GITLAB:
            token = _bytes(headers, _GITLAB)
            plain = [secret for secret in secrets if hmac.compare_digest(secret.secret, token) and token]
            return plain or _with_signing_token(headers, body, secrets, now)
    found = [secret for name in _GITEA for secret in _with_digest(_bytes(headers, name), body, secrets)]
    if not found and (form := payload()) is not None:
        found = [secret for name in _GITEA for secret in _with_digest(_bytes(headers, name), form, secrets)]
    return found


def _bytes(headers: Headers, name: str) -> bytes:
    # compare_digest takes no text beyond ASCII.
    return headers.get(name, "").encode("latin-1", "replace")


def _with_digest(
    given: bytes, signed: bytes, secrets: Sequence[WebhookSecret], prefix: bytes = b""
) -> list[WebhookSecret]:
    if not given:
        return []
    return [
        secret
        for secret in secrets
        if hmac.compare_digest(prefix + hmac.digest(secret.secret, signed, hashlib.sha256).hex().encode(), given)
    ]


def _with_signing_token(
    headers: Headers, body: bytes, secrets: Sequence[WebhookSecret], now: float
) -> list[WebhookSecret]:
    given = [text for text in _bytes(headers, _SIGNED).split(b" ")[:_MOST] if text]
    moment = headers.get("webhook-timestamp", "")
    is_recent = moment.isascii() and moment.isdecimal() and len(moment) < 20 and abs(now - int(moment)) <= TOLERANCE
    if not given or not is_recent:
        return []
    signed = b"".join((_bytes(headers, "webhook-id"), b".", moment.encode(), b".", body))
    found = []
    for secret in secrets:
        key = signing_key(secret.secret)
        if key is None:
            continue
        right = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        if sum(hmac.compare_digest(right, text) for text in given):
            found.append(secret)
    return found


def signing_key(secret: bytes) -> bytes | None:
    """The key of a signing token of GitLab; None: it is another secret."""
    if not secret.startswith(_SIGNING_TOKEN):
        return None
    try:
        return base64.b64decode(secret.removeprefix(_SIGNING_TOKEN), validate=True) or None
    except binascii.Error:
        return None
