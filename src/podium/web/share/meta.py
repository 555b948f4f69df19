"""What a page says of itself to programs that show links: search engines, chats, social networks.

The Open Graph protocol (https://ogp.me/) wants absolute URLs. Only an origin that is known to be the server's makes
them; without one the tags that need it are left out. No e-mail is in any of them.
"""

from __future__ import annotations

import dataclasses

from podium.leaderboard.board import Document, read_board
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.export.faces import name_of
from podium.leaderboard.export.summary import why_empty, window_of
from podium.textutil.mask import HIDDEN, masked
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean
from podium.web.pages.board.board_urls import with_query

# People whom a description names.
_NAMED = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Meta:
    """The values of ``_meta.html``.

    Attributes:
        title: of the link, without the name of the site.
        url, image: absolute; None if the server's origin is not known.
        image_about: what is seen on the image.
    """

    title: str
    description: str
    url: str | None = None
    image: str | None = None
    image_about: str = ""


def page_meta(
    origin: str | None,
    path: str,
    *,
    title: str,
    description: str,
    image: str | None = None,
    image_about: str = "",
) -> Meta:
    """The tags of any page.

    Args:
        origin: the server's, if it is known (:func:`podium.web.origin.known_origin`).
        path: the page's, with the part of its query that a link to it keeps.
        image: the path of its preview image, with its query.
    """
    return Meta(
        _line(title),
        _line(description),
        None if origin is None else origin + path,
        None if origin is None or image is None else origin + image,
        _line(image_about),
    )


def board_meta(
    origin: str | None, path: str, parameters: dict[str, str], *, title: str, ranked: Ranked | None, version: str
) -> Meta:
    """The tags of a board's page under its rules.

    Args:
        path: the page's, without a query.
        parameters: the revision and the switches that differ from their defaults.
        title: the repository's.
        ranked: None before the first count.
        version: of the board; a new one makes sites fetch the image again.
    """
    question = f"Who made {title}?"
    if ranked is None:
        about = "Podium ranks the people behind a git repository by their commits."
        return page_meta(origin, with_query(path, parameters), title=question, description=about)
    board = read_board(ranked, limit=_NAMED, offset=0, show_emails=False)
    window = window_of(board)
    question = f"Who made {title} {window}?" if window else question
    return page_meta(
        origin,
        with_query(path, parameters),
        title=question,
        description=f"{question} {_people(board)}",
        image=with_query(f"{path}/preview.png", parameters | {"v": version}),
        image_about=f"{question} {_people(board)} The chart shows the commits over time.",
    )


def person_meta(
    origin: str | None, path: str, parameters: dict[str, str], *, title: str, row: Document, total: int, version: str
) -> Meta:
    """The tags of the page of a person of a board.

    Args:
        path: the page's, without a query.
        title: the repository's.
        row: the person's, of the board's document.
        total: the people of the board.
    """
    name = name_of(row)
    name = name if HIDDEN not in name else "A contributor"
    place = f", rank {row['rank']:,} of {total:,}" if row["rank"] else ""
    said = f"{name} made {plural(row['commitCount'], 'commit')} in {title}{place}."
    return page_meta(
        origin,
        with_query(path, parameters),
        title=f"{name} in {title}",
        description=said,
        image=with_query(f"{path}/preview.png", parameters | {"v": version}),
        image_about=f"{said} The chart shows the commits over time.",
    )


def _people(board: Document) -> str:
    """``2,358 people, first A, B, C.``"""
    names = [name for name in map(name_of, board["top_contributors"]) if HIDDEN not in name]
    if not board["total"]:
        return why_empty(board)
    people = plural(board["total"], "person", "people") if board["rules"]["bots"] == "exclude" else _rows(board)
    if board["total"] == 1 and names:
        return f"{names[0]}."
    return f"{people}, first {', '.join(names)}." if names else f"{people}."


def _rows(board: Document) -> str:
    return plural(board["total"], "bot") if board["rules"]["bots"] == "only" else plural(board["total"], "contributor")


def _line(text: str) -> str:
    return masked(clean(text))
