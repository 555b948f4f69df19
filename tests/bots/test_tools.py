"""Bots and AI agents by address, login and product."""

from __future__ import annotations

import pytest

from podium.bots.agent_products import product_at_start
from podium.bots.known_tools import AGENT_APPS, AGENT_EMAILS, BOT_EMAILS
from podium.bots.tools import Bots


def test_the_lists_are_in_lower_case_and_disjoint() -> None:
    for entry in [*BOT_EMAILS, *AGENT_EMAILS, *AGENT_APPS]:
        assert entry == entry.lower().strip()
    assert not BOT_EMAILS & AGENT_EMAILS.keys()


def test_where_the_list_says_nothing_the_kind_is_the_one_that_the_count_saved() -> None:
    assert Bots().kind_of("", "agent") == "agent"
    assert Bots().kind_of("", "human") == "human"
    assert Bots().kind_of("x" * 300, "bot") == "bot"
    assert Bots().kind_of("noreply@anthropic.com", "human") == "agent"
    assert Bots(removed=frozenset({"noreply@anthropic.com"})).kind_of("noreply@anthropic.com", "agent") == "human"


@pytest.mark.parametrize(("login", "is_bot"), [("dependabot[bot]", True), ("Any-App[bot]", True), ("robot", False)])
def test_every_login_in_the_form_of_an_app_is_a_bots(login: str, is_bot: bool) -> None:
    assert Bots().is_bot_login(login) is is_bot


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("Claude Opus 4.5", "Claude"),
        ("claude-opus-4-5", "Claude"),
        ("Sonnet 4", "Claude"),
        ("GitHub Copilot", "Copilot"),
        ("GPT-5", "ChatGPT"),
        ("gpt5", "ChatGPT"),
        ("Qwen3-Coder", "Qwen"),
        ("Amp", "Amp"),
        ("Ampère", None),
        ("Claudette", None),
        ("Devin Smith", None),
        ("Devin AI", "Devin"),
        ("Daniel Stenberg, with Claude", None),
        ("", None),
    ],
)
def test_a_product_is_a_whole_word_at_the_start(text: str, product: str | None) -> None:
    assert product_at_start(text) == product


@pytest.mark.parametrize(
    ("email", "name", "product"),
    [
        ("noreply@anthropic.com", "Fable", "Claude"),
        ("158243242+devin-ai-integration[bot]@users.noreply.github.com", "Devin AI", "Devin"),
        ("", "Claude:claude-opus-4-5", "Claude"),
        ("", "Harness:model-7", "Harness"),
        ("agent@example.com", "", "agent@example.com"),
    ],
)
def test_all_models_and_addresses_of_an_agent_are_one_product(email: str, name: str, product: str) -> None:
    assert Bots().product(email, name) == product
