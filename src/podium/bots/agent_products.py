"""The product of an AI agent: by the address that its tool writes, else by the words of its name."""

from __future__ import annotations

import re

# A product, and the words that begin its name in a trailer such as "Assisted-by: Claude Opus 4.5". Words that are also
# people's names (Devin, Jules, Cline) need a word after them.
_WORDS = {
    "Claude": ("claude", "opus", "sonnet", "haiku"),
    "Codex": ("codex",),
    "ChatGPT": ("chatgpt", "gpt", "openai"),
    "Copilot": ("copilot", "github copilot", "microsoft copilot"),
    "Gemini": ("gemini", "google gemini"),
    "Cursor": ("cursor",),
    "Kimi": ("kimi",),
    "GLM": ("glm",),
    "Qwen": ("qwen",),
    "DeepSeek": ("deepseek",),
    "Grok": ("grok",),
    "Amp": ("amp",),
    "Aider": ("aider",),
    "Devin": ("devin ai",),
    "Jules": ("google jules",),
    "Junie": ("jetbrains junie", "jetbrains ai"),
    "Kiro": ("kiro",),
    "Windsurf": ("windsurf",),
    "OpenHands": ("openhands",),
    "opencode": ("opencode",),
    "MiniMax": ("minimax",),
    "Mistral": ("mistral", "codestral", "devstral"),
    "Llama": ("llama",),
}
_PRODUCTS = {word: product for product, words in _WORDS.items() for word in words}
# The longest first, so that "github copilot" precedes a shorter word. A version may follow without a space: "Qwen3".
_AT_START = re.compile(
    rf"\s*({'|'.join(sorted(map(re.escape, _PRODUCTS), key=len, reverse=True))})(?![^\W\d_])", re.IGNORECASE
)


def product_at_start(text: str) -> str | None:
    """The product that ``text`` begins with, as a whole word of any case."""
    found = _AT_START.match(text)
    return _PRODUCTS[found[1].lower()] if found else None
