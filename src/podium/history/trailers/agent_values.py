"""Which values of ``Assisted-by`` and ``Generated-by`` name an AI agent; the others name people.

A value with an e-mail names an agent if that e-mail is on the list of agents. Without one it names an agent if it
begins with a known product, or has the form ``AGENT:MODEL [TOOL…]`` that Linux requires.
"""

from __future__ import annotations

import re

from podium.bots.agent_products import product_at_start
from podium.bots.tools import Bots
from podium.history.person import Person, bounded_text, split_person
from podium.textutil.raw_bytes import from_bytes

_BOTS = Bots()
# Bytes. Searching an address takes up to 64 steps for each.
_LONGEST_VALUE = 1000
# A model may contain "@" with a date, such as `claude-sonnet-4@20250514`: an address has a domain.
_ADDRESS = re.compile(rb"[^\s<>()\[\],;:]{1,64}@[^\s<>()\[\],;:@]{1,190}\.[A-Za-z]{2,24}(?![A-Za-z0-9-])")
# Not the beginning of a URL.
_AGENT_AND_MODEL = re.compile(rb"([^\s:()\[\]<>][^:()\[\]<>]{0,99}?):(?!//)[^\s:]")


def agent_of(value: bytes) -> Person | None:
    """The agent that the value names, else None. The e-mail of an agent without one is ''.

    The name of an agent without an e-mail is its product, such as "Claude", or the ``AGENT`` of ``AGENT:MODEL``.
    """
    if len(value) > _LONGEST_VALUE:
        return None
    person = split_person(value)
    if person and person[1].strip():
        name, email = person[0], person[1].strip()
        return (name, email) if _BOTS.kind_of(email) == "agent" else None
    address = _ADDRESS.search(value)
    if address:
        email = from_bytes(address[0].lower())
        name = bounded_text(value[: address.start()].strip(b" \t<(["))
        return (name, email) if _BOTS.kind_of(email) == "agent" else None
    product = product_at_start(from_bytes(value))
    if product:
        return product, ""
    match = _AGENT_AND_MODEL.match(value)
    return (from_bytes(match[1]), "") if match else None
