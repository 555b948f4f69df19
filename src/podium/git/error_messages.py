"""Translate git's error messages. git runs with ``LC_ALL=C``, and its exit codes do not distinguish errors."""

from __future__ import annotations

import re
import signal

from podium.errors import HistoryError
from podium.textutil.mask import without_user_info
from podium.textutil.sanitize import blank_controls

GIT_CPU_TIME = "git takes more CPU time for this repository than is allowed (PODIUM_COUNT_CPU_SECONDS)."

_TRUST = re.compile(r"dubious ownership in repository at '([^']*)'")

# (pattern, code, message, whether a retry may help); the first match decides.
# A pattern with .* starts at the first such word of a line and cannot start again, so that time is linear in the text.
# Patterns are compiled when an error needs them: most runs of git have none.
_SHALLOW = "The repository is a shallow clone on its host, without all of its history: name the full one."

_TABLE: tuple[tuple[str, str, str, bool], ...] = (
    (
        r"no space left on device|disk quota exceeded",
        "disk-full",
        "The disk is full: free some space, or choose another data folder with PODIUM_DATA_DIR.",
        False,
    ),
    (
        r"out of memory|cannot allocate memory|memory exhausted|malloc failed|mmap failed",
        "too-large",
        "The repository needs more memory than git may use here (PODIUM_GIT_MEMORY).",
        False,
    ),
    # A process that git started.
    (rf"died of signal {signal.SIGXCPU:d}", "too-large", GIT_CPU_TIME, False),
    (
        r"cannot use bare repository",
        "not-trusted",
        "git is configured not to look for bare repositories (safe.bareRepository): name one in GIT_CONFIG or "
        "clone it first.",
        False,
    ),
    (
        r"shallow update not allowed|shallow roots are not allowed",
        "shallow",
        _SHALLOW,
        False,
    ),
    (
        r"returned error: 30[12378]|redirect",
        "redirected",
        "The repository has moved, and its host redirects to another address: name the new one.",
        False,
    ),
    (
        r"returned error: (?:40[134]|410)|could not read (?:username|password)|authentication failed"
        r"|permission denied|terminal prompts disabled|^(?>.*?repository ).*(?:not found|does not exist)"
        r"|access denied",
        "missing",
        "The repository does not exist or is private: check its address and your access to it.",
        False,
    ),
    (
        r"certificate|ssl routines|host key verification",
        "unreachable",
        "The host cannot be trusted: its certificate or key was refused.",
        False,
    ),
    (
        r"could ?n.t resolve|could not resolve|name or service not known|failed to connect|couldn't connect"
        r"|connection (?:refused|timed out|reset)|timed out|too slow|network is unreachable|no route to host"
        r"|returned error: (?:408|429|5\d\d)|unable to connect",
        "unreachable",
        "The host cannot be reached: check the address and the network, then try again.",
        True,
    ),
    (
        r"^(?>.*?transport ').*' not allowed|^(?>.*?protocol ).* not (?:supported|allowed)|unable to find remote helper"
        r"|^(?>.*?remote helper ).* not",
        "refused",
        "Repositories of this kind of address are not accepted here: use https.",
        False,
    ),
    (
        r"early eof|rpc failed|hung up|unexpected disconnect|transfer closed|body are still expected"
        r"|empty reply|unexpected (?:end|flush)|expected flush|protocol error|couldn't find remote ref"
        r"|invalid index-pack output|unable to access",
        "interrupted-transfer",
        "The host interrupted the transfer: try again.",
        True,
    ),
    (
        r"could not read from remote repository|connection closed",
        "unreachable",
        "The host closed the connection: check the address and your access to it, then try again.",
        True,
    ),
    (
        r"not a git repository|does not appear to be a git|is this a git repository|unable to change to"
        r"|not a directory",
        "not-a-repository",
        "There is no git repository there: check the path or address.",
        False,
    ),
    (
        r"failed to expand user dir|missing value for",
        "git-settings",
        "git cannot read its settings: `git config --list` names the one to correct.",
        False,
    ),
    (
        r"bad object|bad tree|bad revision|missing (?:blob|tree|commit|object)|unable to (?:read|parse)|corrupt"
        r"|could not (?:read|parse)|invalid object|bad (?:parents|pack)|unresolved deltas|(?:sha1|hash) mismatch"
        r"|does not match index|inflate|failed to (?:read|traverse)|bogus commit|invalid (?:pointer|sha1)"
        r"|index-pack failed|bad config|is (?:too small|empty)|unable to unpack|pack has|broken",
        "corrupt",
        "The repository is damaged: git cannot read all of its commits.",
        False,
    ),
)


def clean(text: str) -> str:
    """One line of at most 300 characters, without control characters and credentials of URLs."""
    return without_user_info(blank_controls(text)).strip()[:300]


def shallow_host() -> HistoryError:
    return HistoryError("shallow", _SHALLOW)


def _own_lines(stderr: bytes) -> list[str]:
    """git's own lines, without the remote's (``remote: …``), which can be any text."""
    lines = stderr.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip() and not line.startswith("remote:")]


def translate(stderr: bytes, doing: str) -> HistoryError:
    """``doing`` names the command if no row matches."""
    lines = _own_lines(stderr)
    text = "\n".join(lines)
    if untrusted := _TRUST.search(text):
        return HistoryError(
            "not-trusted",
            "The repository belongs to another user; if you trust it: git config --global --add safe.directory "
            + clean(untrusted[1]),
        )
    for says, code, message, transient in _TABLE:
        if re.search(says, text, re.IGNORECASE | re.MULTILINE):
            return HistoryError(code, message, transient=transient)
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    return HistoryError("git-failed", f"git {doing} failed: {clean(first) or 'no message'}.")
