"""EUC-TW, which Python does not know: planes 1 and 2 of CNS 11643, whose characters Big5 has in nearly the same order.

A run ``1ab+5:2c`` is 5 characters that begin at position 1ab of the plane, and at 2c of Big5 (of Unicode in the last
table). A plane has 94 characters in a row, Big5 has 157. Made with iconv of the GNU C library 2.36.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

_PLANE_1 = """
0+5:0 6+f:6 15+2:17 18+1:16 1d+2c:1d 49+1:4a 4a+1:49 4b+15:4b 62+1:62 64+1b:64 7f+1:80 80+1:7f 82+e:82 92+2:92
94+1:95 95+1:94 96+4:96 9b+1:15 9c+4e:9c 11a+1d:ea 138+1:108 13a+8e:10a 1d6+14:17d5 cda+11:1d7 ceb+1:107 cec+56:1e9
d42+1:109 d43+51b:240 125e+1a8:75c 1406+1:75b 1407+754:904 1b5b+1:11db 1b5c+183:1058 1cdf+20d:11dc 1eec+1:14a6
1eed+69:13e9 1f57+53:1453 1faa+54:14a7 1ffe+1:158d 1fff+36:14fb 2035+1:1532 2036+1:1531 2037+5a:1533 2091+162:158e
"""
_PLANE_2 = """
0+a:1888 a+21:1893 2b+1:18e4 2c+30:18b4 5c+2e:18e5 8a+1:19ba 8b+a7:1913 132+730:19bb 862+1:2372 863+6c:20ec
8cf+219:2159 ae8+1:20eb ae9+64:2373 b4d+1:2158 b4e+18f:23d7 cdd+665:2567 1342+1:2df1 1343+92:2bcc 13d5+1:2e7b
13d6+11f:2c5e 14f5+1:30dc 14f6+74:2d7d 156a+89:2df2 15f3+68:2e7c 165b+1:3089 165c+de:2ee4 173a+c6:2fc3 1800+52:308a
1852+56:30dd 18a8+1:2fc2 18a9+8:3133 18b1+99:313c 194a+38:31d6 1982+1:333a 1983+71:320e 19f4+1:313b 19f5+8e:327f
1a83+1:31d5 1a84+2d:330d 1ab1+47:333b 1af8+1:3444 1af9+c2:3382 1bbb+1ea:3445 1da5+1:365a 1da6+2b:362f 1dd1+1:365b
1dd2+b:365d 1ddd+1:365c 1dde+4:3668
"""
_PLANE_1_ONLY = """
5+1:30fb 17+1:fe32 60+1:203e 81+1:223c 90+1:2641 91+1:2609 9a+1:2016 1ea+a:2170 23b+1:4ea0 242+1:51ab 247+1:52f9
c1e+20:2400 c3e+1:2421 1f56+1:5f5e
"""

_CHARACTER = re.compile(rb"[\0-\x7f]+|(?:\x8e([\xa1\xa2]))?([\xa1-\xfe]{2})")
_CUT_CHARACTER = re.compile(rb"(?:\x8e(?:[\xa1\xa2][\xa1-\xfe]?)?|[\xa1-\xfe])\Z")


def decode(raw: bytes, *, is_cut: bool) -> str:
    """Raise ValueError if ``raw`` is no EUC-TW, or has characters of other planes.

    is_cut: it may end within a character.
    """
    found, at = [], 0
    both = planes()
    for match in _CHARACTER.finditer(raw):
        if match.start() != at:
            break
        at = match.end()
        plane, character = match.groups()
        found.append(both[plane == b"\xa2"].get(character, "\ufffd") if character else match[0].decode())
    text = "".join(found)
    if "\ufffd" in text or (at < len(raw) and not (is_cut and _CUT_CHARACTER.fullmatch(raw, at))):
        raise ValueError("This is no EUC-TW.")
    return text


@functools.cache
def planes() -> tuple[dict[bytes, str], dict[bytes, str]]:
    """The characters of the planes 1 and 2."""
    first = dict(_from_big5(_PLANE_1))
    first |= {_bytes(position): chr(code) for position, code in _pairs(_PLANE_1_ONLY)}
    return first, dict(_from_big5(_PLANE_2))


def _from_big5(runs: str) -> Iterator[tuple[bytes, str]]:
    for position, place in _pairs(runs):
        row, column = divmod(place, 157)
        yield _bytes(position), bytes((0xA1 + row, column + (0x40 if column < 63 else 0x62))).decode("cp950")


def _pairs(runs: str) -> Iterator[tuple[int, int]]:
    for run in runs.split():
        begin, number, place = (int(part, 16) for part in re.split("[+:]", run))
        yield from ((begin + at, place + at) for at in range(number))


def _bytes(position: int) -> bytes:
    row, column = divmod(position, 94)
    return bytes((0xA1 + row, 0xA1 + column))
