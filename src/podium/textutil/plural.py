from __future__ import annotations


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 commit``, ``2,000 commits``; ``many`` is the plural if it is not ``one`` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
