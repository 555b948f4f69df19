"""The preview images of a board, a person and a comparison: 1200 x 630 pixels, as other sites recommend."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.card import STATES
from podium.leaderboard.export.faces import colour_of, letters_of, name_of
from podium.leaderboard.export.summary import why_empty, window_of
from podium.textutil.mask import masked
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean
from podium.web.pages.board.chart import Chart
from podium.web.share.preview.canvas import Canvas
from podium.web.share.preview.typesetting import Typesetter

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT = 1200, 630
# People on the podium.
PLACES = 3
# Pixels of the largest face.
FACE = 144

_GROUND, _CARD, _LINE, _INK, _QUIET = "#faf9f7", "#ffffff", "#e2dfdb", "#1c1917", "#57534e"
_MEDALS = {1: "#d4a017", 2: "#94a3b8", 3: "#c2833f"}
# The style sheet's, by the name of a series.
_SERIES = {
    **{"people": "#cb6c10", "ai": "#461a8a", "bots": "#8d8780"},
    **{"series-1": "#b45309", "series-2": "#1d4ed8", "series-3": "#0f766e"},
    **{"series-4": "#a21caf", "series-5": "#4d7c0f", "series-6": "#475569"},
}
_PAD, _FLOOR = 64, 400
_RIGHT = 1136
_MEDAL_SIZES = {1: (104, 64), 2: (78, 56), 3: (54, 56)}
_STEP, _STEP_WIDTH = 196, 184
_NAME_SIZE, _NAME_LINE = 24, 28
_PLOT_TOP, _PLOT_BOTTOM = 448, 560
_MOST_BAR = 40
# The labels of time for the width of a phone, since they are as large here.
_LABELS = "w3"


@dataclasses.dataclass(frozen=True, slots=True)
class Face:
    """A person of a picture.

    Attributes:
        rank: None if the rules leave the person out.
        commits: in words.
    """

    name: str
    login: str
    commits: str
    rank: int | None
    avatar_url: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Face:
        """The face of a row of a board's document."""
        return cls(
            name_of(entry) if entry["name"] else "",
            f"@{entry['username']}" if entry["username"] else "",
            plural(entry["commitCount"], "commit"),
            entry["rank"],
            entry["avatarUrl"],
        )


# Decoded avatars by their URL.
Pictures = Mapping[str, "Image.Image"]


def board_picture(
    document: Document, title: str, chart: Chart | None, pictures: Pictures, typesetter: Typesetter
) -> bytes:
    """The podium of a board, or of a window of one, above its chart.

    Args:
        document: of at least the first three rows.
        title: the repository's, such as ``git/git``.
    """
    canvas = _canvas(typesetter)
    faces = [Face.of(entry) for entry in document["top_contributors"][:PLACES]]
    total, ranked = document["total"], document["rankedCommits"]
    facts = [f"{plural(total, 'person', 'people')}", f"{plural(ranked, 'commit')} ranked"]
    if window_of(document):
        facts.append(window_of(document))
    _head(canvas, "Who made this?", title, facts, room=520)
    if not faces:
        canvas.write(_RIGHT, 220, why_empty(document), 26, _QUIET, align=1)
    _podium(canvas, faces, pictures)
    _chart(canvas, chart)
    return canvas.png()


def state_picture(title: str, state: str, typesetter: Typesetter) -> bytes:
    """What is said of a repository without a board."""
    canvas = _canvas(typesetter)
    _head(canvas, "Who made this?", title, [STATES[state]], room=_RIGHT - _PAD)
    return canvas.png()


def person_picture(
    entry: Mapping[str, Any],
    title: str,
    facts: Sequence[str],
    chart: Chart | None,
    pictures: Pictures,
    *,
    typesetter: Typesetter,
) -> bytes:
    """One person of a board above the chart of that person's commits.

    Args:
        entry: the row of the board's document.
        facts: lines beneath the name.
    """
    ts, canvas, face = typesetter, _canvas(typesetter), Face.of(entry)
    names = [ts.readable(text, bold=True) for text in (face.name, face.login)]
    shown = next((text for text in names if text), "")
    room = 700
    lines = [*([face.login] if shown != face.login and names[1] else []), face.commits, *facts]
    _head(canvas, title, shown or "A contributor", lines, room=room)
    _face(canvas, face, pictures, at=(_RIGHT - 106, 224), radius=106, ring=_medal(face.rank))
    _chart(canvas, chart)
    return canvas.png()


def comparison_picture(title: str, chart: Chart | None, facts: Sequence[str], typesetter: Typesetter) -> bytes:
    """Several series on one axis.

    Args:
        facts: what is said of each series of the chart.
    """
    ts, canvas = typesetter, _canvas(typesetter)
    _head(canvas, "Compared", title, [], room=_RIGHT - _PAD, size=52, is_path=False)
    series = chart.series if chart is not None else []
    wide = (_RIGHT - _PAD) / max(2, min(3, len(series)))
    for place, (one, fact) in enumerate(zip(series, facts, strict=False)):
        x, y = round(_PAD + place % 3 * wide), 232 + place // 3 * 86
        canvas.disc(x + 11, y - 9, 11, _SERIES[one.name])
        name = ts.fit(ts.readable(_safe(one.words), bold=True) or "…", 28, wide - 60, bold=True)
        canvas.write(x + 34, y, name, 28, _INK, bold=True)
        canvas.write(x + 34, y + 34, ts.fit(ts.readable(_safe(fact)), 23, wide - 60), 23, _QUIET)
    _chart(canvas, chart)
    return canvas.png()


def _canvas(typesetter: Typesetter) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, _GROUND, typesetter)
    canvas.rectangle((0, _FLOOR), (WIDTH, HEIGHT - _FLOOR), _CARD)
    canvas.rectangle((0, _FLOOR), (WIDTH, 2), _LINE)
    for x, y, height, colour in ((0, 16, 16, _MEDALS[2]), (13, 6, 26, _MEDALS[1]), (26, 20, 12, _MEDALS[3])):
        canvas.rectangle((_PAD + x, 46 + y), (11, height), colour)
    canvas.write(_PAD + 52, 78, "Podium", 28, _INK, bold=True)
    return canvas


def _safe(text: str) -> str:
    return masked(clean(text))


def _head(
    canvas: Canvas, lead: str, title: str, facts: Sequence[str], *, room: float, size: int = 64, is_path: bool = True
) -> None:
    """What it is, in the upper left. ``is_path``: whether the title ends with a name beneath its owner."""
    ts = canvas.text
    beside = _PAD + 52 + ts.width("Podium", 28, bold=True)
    lead = ts.fit(ts.readable(_safe(lead)), 28, room)
    canvas.write(beside + 18, 78, lead, 28, _QUIET)
    owner, _, name = _safe(title).rpartition("/") if is_path else ("", "", _safe(title))
    owner, name = ts.readable(f"{owner}/" if owner else "", bold=True), ts.readable(name, bold=True)
    whole = f"{owner}{name}"
    y = 176
    if owner and ts.width(whole, size, bold=True) > room:
        canvas.write(_PAD, y - 34, ts.fit(owner, 34, room, bold=True), 34, _QUIET, bold=True)
        y += 30
        whole = name
    while size > 44 and ts.width(whole, size, bold=True) > room:
        size -= 4
    canvas.write(_PAD, y, ts.fit(whole, size, room, bold=True), size, _INK, bold=True)
    y += 62
    for place, fact in enumerate(facts):
        canvas.write(_PAD, y, ts.fit(ts.readable(_safe(fact)), 30, room), 30, _QUIET if place else _INK)
        y += 42


def _podium(canvas: Canvas, faces: Sequence[Face], pictures: Pictures) -> None:
    order = {1: (0,), 2: (1, 0)}.get(len(faces), (1, 0, 2))
    # Fewer than three stand in the middle of the room for three.
    left = _RIGHT - (PLACES + len(faces)) * _STEP // 2 + (_STEP - _STEP_WIDTH) // 2
    for column, place in enumerate(order[: len(faces)]):
        face, colour = faces[place], _MEDALS[place + 1]
        height, radius = _MEDAL_SIZES[place + 1]
        x = left + column * _STEP
        middle, top = x + _STEP_WIDTH // 2, _FLOOR - height
        canvas.block((x, top), (_STEP_WIDTH, height), 14, colour, _CARD)
        canvas.write(middle, top + 38, str(face.rank or place + 1), 28, _INK, bold=True, align=0.5)
        canvas.write(middle, top - 14, face.commits, 22, _QUIET, align=0.5)
        lines = _caption(canvas.text, face, _NAME_SIZE, _STEP_WIDTH + 4)
        for number, line in enumerate(reversed(lines)):
            baseline = top - 44 - number * _NAME_LINE
            canvas.write(middle, baseline, line, _NAME_SIZE, _INK, bold=True, align=0.5)
        at = middle, top - 50 - len(lines) * _NAME_LINE - radius
        _face(canvas, face, pictures, at=at, radius=radius, ring=colour)


def _caption(ts: Typesetter, face: Face, size: float, room: float) -> list[str]:
    """The name in one or two lines, or the login if the name cannot be drawn; none without both."""
    for text in (face.name, face.login):
        if readable := ts.readable(text, bold=True):
            return ts.wrap(readable, size, room, bold=True)
    return []


def _medal(rank: int | None) -> str:
    return _MEDALS.get(rank or 0, _LINE)


def _face(canvas: Canvas, face: Face, pictures: Pictures, *, at: tuple[int, int], radius: int, ring: str) -> None:
    x, y = at
    canvas.disc(x, y, radius, ring)
    canvas.disc(x, y, radius - 5, _GROUND)
    picture = pictures.get(face.avatar_url or "")
    inner = radius - 8
    canvas.disc(x, y, inner, colour_of(face.login[1:] or face.name), picture)
    if picture is not None:
        return
    named = (canvas.text.readable(letters_of(text), bold=True) for text in (face.name, face.login[1:]) if text)
    letters = next((text for text in named if text and text != "?"), "")
    size = round(inner * 0.78)
    canvas.write(x, y + size * 0.35, letters, size, "#ffffff", bold=True, align=0.5)
    if not letters:
        # A figure, as of someone without a name.
        canvas.disc(x, y - round(inner * 0.2), round(inner * 0.34), "#ffffff")
        wide, high = round(inner * 1.04), round(inner * 0.36)
        canvas.panel((x - wide // 2, y + round(inner * 0.22)), (wide, high), high // 2, "#ffffff")


def _chart(canvas: Canvas, chart: Chart | None) -> None:
    if chart is None or chart.is_empty:
        return
    _axis(canvas, chart)
    if chart.kind == "lines":
        _lines(canvas, chart)
    else:
        _bars(canvas, chart)
    if chart.kind == "stack":
        _legend(canvas, chart)


def _height(chart: Chart, count: int) -> float:
    return (_PLOT_BOTTOM - _PLOT_TOP) * count / chart.scale.top


def _bars(canvas: Canvas, chart: Chart) -> None:
    """Bars on top of each other, or side by side."""
    is_stack = chart.kind == "stack"
    beside = 1 if is_stack else len(chart.series)
    slot = (_RIGHT - _PAD) / len(chart.periods)
    wide = min((slot - (1 if slot > 4 else 0)) / beside, _MOST_BAR)
    for place in range(len(chart.periods)):
        x, base = _PAD + (place + 0.5) * slot - wide * beside / 2, float(_PLOT_BOTTOM)
        for series in chart.series:
            if height := _height(chart, series.counts[place]):
                height = max(1.0, height)
                canvas.rectangle((x, base - height), (wide, height), _SERIES[series.name])
            if is_stack:
                base -= height
            else:
                x += wide


def _lines(canvas: Canvas, chart: Chart) -> None:
    slot = (_RIGHT - _PAD) / len(chart.periods)
    for series in chart.series:
        points = [
            (_PAD + (place + 0.5) * slot, _PLOT_BOTTOM - _height(chart, count))
            for place, count in enumerate(series.counts)
        ]
        canvas.polyline(points, _SERIES[series.name])


def _axis(canvas: Canvas, chart: Chart) -> None:
    wide, lines = _RIGHT - _PAD, chart.scale.lines()
    for percent, _ in lines:
        y = _PLOT_TOP + (_PLOT_BOTTOM - _PLOT_TOP) * percent / 100
        canvas.rectangle((_PAD, y), (wide, 1), _LINE)
    percent, count = lines[-1]
    y = _PLOT_TOP + (_PLOT_BOTTOM - _PLOT_TOP) * percent / 100
    canvas.write(_PAD, y - 8, f"{count} commits {chart.per}", 20, _QUIET)
    for label in chart.labels:
        if _LABELS in label.widths.split():
            half = canvas.text.width(label.words, 22) / 2
            x = min(max(_PAD + wide * label.place / 100, _PAD + half), _RIGHT - half)
            canvas.write(x, _PLOT_BOTTOM + 34, label.words, 22, _QUIET, align=0.5)


def _legend(canvas: Canvas, chart: Chart) -> None:
    """Draw the legend in the upper right of the chart, if it shows more than people."""
    shown = [series for series in chart.series if series.total]
    if [series.name for series in shown] == ["people"]:
        return
    x = float(_RIGHT)
    for series in reversed(shown):
        x -= canvas.write(x, _PLOT_TOP - 14, f"{series.words} {series.total:,}", 20, _QUIET, align=1) + 22
        canvas.rectangle((x, _PLOT_TOP - 28), (14, 14), _SERIES[series.name])
        x -= 24
