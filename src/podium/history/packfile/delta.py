"""Apply git's deltas (gitformat-pack, "Deltified representation"). A delta from outside is not trusted."""

from __future__ import annotations

# Each bit of a copy instruction stands for a byte of the offset (four) or length (three).
_SHIFTS = tuple(tuple(8 * bit for bit in range(4) if bits >> bit & 1) for bits in range(16))


class BadDelta(ValueError):
    pass


def apply_delta(base: bytes, delta: bytes, most: int) -> bytes:
    """Return the object.

    Raises:
        BadDelta: the delta is for another base, is cut off, or makes more than ``most`` bytes.
    """
    try:
        return _apply(base, delta, most)
    except IndexError:
        raise BadDelta("a delta is cut off") from None


def _apply(base: bytes, delta: bytes, most: int) -> bytes:
    base_size, at = read_size(delta, 0)
    size, at = read_size(delta, at)
    if base_size != len(base) or size > most:
        raise BadDelta("a delta is for another base, or too large")
    pieces: list[bytes] = []
    made, end = 0, len(delta)
    while at < end:
        code = delta[at]
        at += 1
        if code & 0x80:
            start = length = 0
            for shift in _SHIFTS[code & 0x0F]:
                start |= delta[at] << shift
                at += 1
            for shift in _SHIFTS[code >> 4 & 0x07]:
                length |= delta[at] << shift
                at += 1
            length = length or 0x10000
            piece = base[start : start + length]
            if len(piece) != length:
                raise BadDelta("a delta copies from beyond the end of its base")
        else:
            # Insert the next bytes. git reserves 0.
            piece = delta[at : at + code]
            if not code or len(piece) != code:
                raise BadDelta("a delta is cut off, or has an unknown instruction")
            at += code
        made += len(piece)
        if made > size:
            break
        pieces.append(piece)
    if made != size:
        raise BadDelta("a delta makes another size than it says")
    return b"".join(pieces)


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """Read groups of seven bits, the lowest first; return the next position, too.

    Raises:
        IndexError: ``data`` ends within the size.
        BadDelta: it has more bits than any size.
    """
    size = shift = 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at
        shift += 7
        if shift > 63:
            raise BadDelta("a size has too many bits")
