"""The section "Share this board": downloads, and snippets that embed badge and card."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from podium.web.pages.board.board_urls import with_query

# A reader opens the CSV in a spreadsheet, which needs a byte-order mark.
_FILES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("board.csv", "CSV", {"bom": "1"}),
    ("board.json", "JSON", {}),
    ("board.md", "Markdown", {}),
)


def share_values(
    origin: str, path: str, chosen: Mapping[str, str], of_images: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The template values.

    Args:
        origin: the server's, as the reader reaches it.
        path: the page's (:func:`podium.web.pages.board.board_urls.page_path`), which needs no escape in Markdown.
        chosen: the parameters of the page that differ from their defaults: its files show the same rows.
        of_images: those of badge and card, which show the first of the whole board; by default the same.
    """
    files, chosen = chosen, chosen if of_images is None else of_images
    query = with_query("", chosen)
    page, badge = f"{origin}{path}{query}", f"{origin}{path}/badge.svg{query}"
    themed = {theme: f"{origin}{path}/card.svg?{urlencode({**chosen, 'theme': theme})}" for theme in ("light", "dark")}
    return {
        "link": with_query(f"{origin}{path}", files),
        "picture": f"{path}/preview.png{query}",
        "files": [
            {"name": name, "url": with_query(f"{path}/{file}", {**files, **more})} for file, name, more in _FILES
        ],
        "badge": f"{path}/badge.svg{query}",
        "card": f"{path}/card.svg{query}",
        "snippets": [
            _snippet("badge", "markdown", f"[![Contributors]({badge})]({page})"),
            _snippet("badge", "html", _linked(page, f'<img src="{escape(badge)}" alt="Contributors" height="20">')),
            _snippet("card", "markdown", f"[![Contributors]({origin}{path}/card.svg{query})]({page})"),
            _snippet("card", "html", _linked(page, _picture(themed))),
        ],
    }


def _snippet(of: str, language: str, text: str) -> dict[str, str]:
    return {"of": of, "language": {"markdown": "Markdown", "html": "HTML"}[language], "text": text}


def _linked(page: str, inner: str) -> str:
    return f'<a href="{escape(page)}">{inner}</a>'


def _picture(themed: Mapping[str, str]) -> str:
    # Follows the embedding site's theme, such as GitHub's.
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{escape(themed["dark"])}">'
        f'<img src="{escape(themed["light"])}" alt="Contributors" width="600"></picture>'
    )
