"""A person as git writes one: a name and an e-mail."""

from __future__ import annotations

import hashlib

from podium.textutil.raw_bytes import from_bytes

# Bytes: a commit may contain a name of megabytes, which every board would carry.
LONGEST_TEXT = 500

# Name and e-mail.
Person = tuple[str, str]
NO_PERSON: Person = ("", "")


def split_person(written: bytes) -> Person | None:
    """None if git finds no person in it. The e-mail is lower-cased in ASCII only, as git's mailmap compares."""
    name, opened, rest = written.partition(b"<")
    email, closed, _ = rest.partition(b">")
    if not opened or not closed:
        return None
    # bytes.lower() changes ASCII only: a Kelvin sign is not a k.
    return bounded_text(name.rstrip(b" \t\n\r")), bounded_text(email.lower())


def bounded_text(text: bytes) -> str:
    """Text of at most :data:`LONGEST_TEXT` bytes: a beginning and a hash, so that two people stay two."""
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 20] + b"..." + hashlib.sha256(text).hexdigest()[:16].encode()
    return from_bytes(text)
