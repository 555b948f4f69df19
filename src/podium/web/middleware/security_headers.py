"""Security headers of every response."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

# The policy of everything but pages.
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

# https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Permissions-Policy
_USED_FEATURES = ("clipboard-read", "clipboard-write", "web-share")
_UNUSED_FEATURES = (
    "accelerometer camera display-capture geolocation gyroscope magnetometer microphone midi payment usb"
).split()

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The page copies links and shares them. It needs nothing else of a browser, and no frame of another site does.
    "Permissions-Policy": ", ".join(
        [f"{feature}=(self)" for feature in _USED_FEATURES] + [f"{feature}=()" for feature in _UNUSED_FEATURES]
    ),
}
# A response may override these: badge and card are for other sites.
DEFAULT_HEADERS = {
    "Content-Security-Policy": STRICT_POLICY,
    "Cache-Control": "private, no-cache",
    # With no-referrer, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


# They are not documents: what follows for documents would be a fifth of a page's bytes.
_PARTS = ("text/css", "text/javascript")
_OF_PARTS = ("X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Cache-Control")


def add_security_headers(headers: MutableHeaders) -> None:
    if headers.get("content-type", "").startswith(_PARTS):
        for name in _OF_PARTS:
            headers.setdefault(name, (HEADERS | DEFAULT_HEADERS)[name])
        return
    headers.update(HEADERS)
    for name, value in DEFAULT_HEADERS.items():
        headers.setdefault(name, value)
