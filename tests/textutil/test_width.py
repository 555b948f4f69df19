"""Text in columns, in every script; what terminals show is compared with an emulator and with another library."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from podium.textutil.sanitize import clean
from podium.textutil.table import text_table
from podium.textutil.width import cut, isolated, width

# Names and other texts that must stay whole, with their columns.
WHOLE = {
    "Łukasz Żółć": 11,
    "Олександр": 9,
    "Zoe\u0308 Nun\u0303ez": 9,
    "Nguye\u0302\u0303n": 6,
    "張三豐": 6,
    "\uff37\uff49\uff44\uff45": 8,
    "한지민": 6,
    "\u1112\u1161\u11ab\u110c\u1175": 4,
    "สวัสดี": 4,
    "عبد الله": 8,
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627": 6,
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd": 4,
    "क्\u200dष": 2,
    "葛\U000e0100城": 4,
    "Zoë 😀": 6,
    "👨\u200d👩\u200d👧\u200d👦": 2,
    "👩🏽\u200d💻": 2,
    "🏳\ufe0f\u200d🌈": 2,
    "❤\ufe0f\u200d🔥": 2,
    "👋🏿": 2,
    "🇩🇪🇫🇷": 4,
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f": 2,
    "❤\ufe0f": 2,
    "❤\ufe0e": 1,
    "1\ufe0f\u20e3": 2,
    "“A\u2013B…”": 6,
}
ODD = [
    *"a0 張😀👋🏽🏴❤🇩",
    *"\u0301\u0941\u0915\u0639\u05e9\u200b\u200c\u200d\ufe0f\u20e3\U000e0067\U000e007f\U000e0100",
]
# Where an emulator of one character at a time agrees.
PLAIN = [text for text in WHOLE if not set(text) & set("\u200c\u200d\ufe0e\ufe0f🇩🏽🏿🏴\u1112\U000e0100")]


@pytest.mark.parametrize(("text", "columns"), WHOLE.items())
def test_a_text_in_any_script_stays_whole_and_has_its_width(text: str, columns: int) -> None:
    assert clean(text) == text
    assert width(text) == columns
    assert cut(text, columns) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("zero\u200dwidth\u200c\ufe0f", "zerowidth"),
        ("\u200d😀\u200d", "😀"),
        ("😀\u200d\u200d😀", "😀😀"),
        ("😀\ufe0f\ufe0f", "😀\ufe0f"),
        ("1\ufe0f2", "12"),
        ("a\U000e0067\U000e0062", "a"),
        ("🏴\U000e0041\U000e007f", "🏴"),
        ("ع\u200c\u200cل", "عل"),
        ("ع\u200c ل", "ع ل"),
        ("a\U000e0100", "a"),
    ],
)
def test_invisible_characters_stay_only_where_they_mean_something(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.sampled_from(ODD)))
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.one_of(st.text(), st.lists(st.sampled_from([*ODD, *WHOLE])).map("".join)), st.integers(1, 40))
def test_a_cut_text_takes_no_more_than_its_columns(text: str, columns: int) -> None:
    cleaned = clean(text)
    shown = cut(cleaned, columns)
    assert width(shown) <= columns
    assert shown == cleaned or shown.endswith("…")


@pytest.mark.parametrize("text", [text for text in WHOLE if " " not in text])
def test_a_text_is_cut_between_what_readers_take_for_characters(text: str) -> None:
    first = cut(f"{text}{'x' * 20}", width(text) + 1)
    assert first == f"{text}…"
    for columns in range(1, width(text)):
        kept = cut(text, columns).removesuffix("…")
        assert text.startswith(kept)
        # Nothing that belongs to the last character is lost.
        assert width(kept) + width(text.removeprefix(kept)) == width(text)
        assert not set(text.removeprefix(kept)[:1]) & set("\u0301\u0302\u0303\u0308\u200c\u200d\ufe0f🏽🏿\U000e0100")


def test_a_flag_is_never_cut_into_letters() -> None:
    assert [cut("🇩🇪🇫🇷🇮🇹", columns) for columns in (1, 2, 3, 4, 5)] == ["…", "…", "🇩🇪…", "🇩🇪…", "🇩🇪🇫🇷…"]


@pytest.mark.parametrize("text", [text for text in WHOLE if "क" not in text])
def test_another_library_measures_the_same(text: str) -> None:
    assert width(text) == cell_len(text, "17.0.0")


def test_columns_are_straight_in_a_terminal() -> None:
    rows = [[text, f"{number:,}"] for number, text in enumerate(PLAIN, 1)]
    table = text_table(["Name", "Commits"], rows, right={1})
    screen = pyte.Screen(40, len(rows) + 2)
    stream = pyte.Stream(screen)
    for character in table.replace("\n", "\r\n"):
        # In one piece, it would drop what follows a character without width.
        stream.feed(character)
    for row, (_, number) in enumerate(rows, 1):
        cells = screen.buffer[row]
        ends = max(column for column in range(40) if cells[column].data.strip())
        assert ends == screen.display[0].rindex("Commits") + len("Commits") - 1
        assert "".join(cells[column].data for column in range(ends - len(number) + 1, ends + 1)) == number


def test_a_name_from_right_to_left_does_not_reorder_its_row() -> None:
    assert isolated("Ada") == "Ada"
    assert isolated("عبد الله") == "\u2068عبد الله\u2069"
    (line,) = text_table(["\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "12"], [], right={1}).splitlines()
    assert line == "\u2068\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd\u2069  12"
