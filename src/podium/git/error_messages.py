"""Translate git's error messages. git runs with ``LC_ALL=C``, and its exit codes do not distinguish errors."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from podium.errors import HistoryError
from podium.textutil.mask import without_user_info
from podium.textutil.sanitize import blank_controls

GIT_CPU_TIME = "git takes more CPU time for this repository than is allowed (PODIUM_COUNT_CPU_SECONDS)."

_TRUST = re.compile(r"dubious ownership in repository at '([^']*)'")

# (pattern, code, message, whether a retry may help); the first match decides.
# A pattern with .* starts at the first such word of a line and cannot start again, so that time is linear in the text.
# Patterns are compiled when an error needs them: most runs of git have none.
_SHALLOW = "The repository is a shallow clone on its host, without all of its history: name the full one."

NO_REPOSITORY = "There is no git repository there: check the path or address."
_TAKEN_DOWN = "The host does not give this repository out: it was taken down for legal reasons."
# What the host says beside an error such as 403 (GitHub: "Repository unavailable due to DMCA takedown.").
_TAKEN_DOWN_LINE = re.compile(r"^remote: .*(?:dmca|takedown|legal reasons)", re.IGNORECASE | re.MULTILINE)

_BROKEN_OFF = "The host interrupted the transfer: try again."
_SETTINGS = "git-settings"
_NEWER_GIT = "needs-newer-git"
_UNREADABLE = "not-readable"

# (pattern, code, template of the message); a named group of the pattern stands in for its name.
_NAMED: tuple[tuple[str, str, str], ...] = (
    (
        r"unknown repository extensions? found:(?P<names>(?:\s+[\w.-]+)+)",
        _NEWER_GIT,
        "The repository uses the extension {names}, which this git does not know: it needs a newer git.",
    ),
    (
        r"invalid value for 'extensions\.(?P<names>[^']*)': '(?P<value>[^']*)'",
        _NEWER_GIT,
        "The repository uses the extension {names} = {value}, which this git does not know: it needs a newer git.",
    ),
    (
        r"expected git repo version <= \d+, found (?P<value>\d+)",
        _NEWER_GIT,
        "The repository has format {value}, which this git does not know: it needs a newer git.",
    ),
    (
        r"(?:unknown|unsupported) (?:object format|hash algorithm) '(?P<value>[^']*)'",
        _NEWER_GIT,
        "The repository has object ids of the kind {value}, which this git does not know: it needs a newer git.",
    ),
    (
        r"mismatched algorithms: client \w+; server (?P<value>\w+)",
        _NEWER_GIT,
        "The repository has object ids of the kind {value}, which this git cannot fetch: it needs a newer git.",
    ),
    (
        r"repo version is 0, but v1-only extensions? found:(?P<names>(?:\s+[\w.-]+)+)",
        _SETTINGS,
        "The repository's configuration sets extensions.{names}, which needs core.repositoryFormatVersion = 1: "
        "correct one of them.",
    ),
    (
        r"bad config line (?P<line>\d+) in (?:file|blob|submodule-blob) (?P<file>[^\n]+)",
        _SETTINGS,
        "git cannot read line {line} of its configuration file {file}: correct that line.",
    ),
    (
        r"bad config variable '(?P<name>[^'\n]*)' in file '(?P<file>[^'\n]*)' at line (?P<line>\d+)",
        _SETTINGS,
        "git cannot use its setting {name} in line {line} of {file}: correct that line.",
    ),
    (
        r"bad (?:[a-z]+ ){1,3}config value '(?P<value>[^'\n]*)' for '(?P<name>[^'\n]*)' in file (?P<file>[^\n:]+)",
        _SETTINGS,
        "git cannot use its setting {name} = {value} in the file {file}: correct it.",
    ),
    (
        r"bad (?:[a-z]+ ){1,3}config value '(?P<value>[^'\n]*)' for '(?P<name>[^'\n]*)'",
        _SETTINGS,
        "git cannot use its setting {name} = {value}: correct it.",
    ),
    (
        r"missing value for '(?P<name>[^'\n]+)'",
        _SETTINGS,
        "git's setting {name} has no value: correct it.",
    ),
    (
        r"failed to expand user dir in: '(?P<value>[^'\n]*)'",
        _SETTINGS,
        "A setting of git names {value}, and there is no such user: `git config --list --show-origin` shows where.",
    ),
    (
        r"unable to access '(?P<file>[^'\n]+)': (?P<why>permission denied|is a directory|not a directory)",
        _SETTINGS,
        "git cannot read its configuration file {file} ({why}): give this user access to it, or remove it.",
    ),
    (
        r"exceeded maximum include depth \(\d+\) while including\s+(?P<file>[^\n]+)",
        _SETTINGS,
        "The configuration file {file} is included again and again: remove an include.path.",
    ),
    (
        r"(?:bogus \w+|missing config \w+|too many entries)(?: in)? (?P<name>GIT_CONFIG_[A-Z]+(?:_\d+)?)",
        _SETTINGS,
        "git cannot read its configuration in the environment variable {name}: correct or unset it.",
    ),
    (
        r"(?:failed to read|unable to (?:open|mmap|read|stat)|could not open|cannot (?:open|read)|error opening)"
        r"(?: (?:loose )?object| pack| packfile| file)? '?(?P<file>[^'\n:]{1,500})'?: permission denied",
        _UNREADABLE,
        "This user may not read {file} of the repository: give it access, or run the command as its owner.",
    ),
    (
        r"not a git repository: (?P<file>[^('\n][^\n]*)",
        "not-a-repository",
        "The file .git there leads to {file}, where nothing is: the main repository was moved or deleted "
        "(`git worktree repair` reconnects a work tree).",
    ),
    (
        # Any question about a ref reads it.
        r"(?:unexpected|unterminated) line in (?P<file>[^'\n:]{0,500}packed-refs)",
        "corrupt",
        "The repository is damaged: git cannot read a line of {file}, its list of branches and tags: correct it.",
    ),
    (
        r"cannot change to '(?P<file>[^'\n]+)': permission denied",
        _UNREADABLE,
        "This user may not enter {file}: give it access, or run the command as its owner.",
    ),
    (
        # Of git clone --shared or --reference.
        r"(?:unable to normalize alternate object path: |object directory )(?P<file>[^\n]{1,500}?)"
        r"(?: does not exist; check|\n|$)",
        "corrupt",
        "The repository is damaged: it borrows commits from {file}, where nothing is. Correct the path in its file "
        "objects/info/alternates.",
    ),
)

_TABLE: tuple[tuple[str, str, str, bool], ...] = (
    (
        r"read-only file system",
        "mirrors",
        "The disk is read-only: make it writable, or choose another data folder with PODIUM_DATA_DIR.",
        False,
    ),
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
    (
        r"unable to read current working directory",
        "no-folder",
        "The current folder was deleted: change to another one (cd), then run the command again.",
        False,
    ),
    (
        r"returned error: 451|^ERROR: .*(?:dmca|takedown)",
        "taken-down",
        _TAKEN_DOWN,
        False,
    ),
    # A process that git started.
    (rf"died of signal {signal.SIGXCPU:d}", "too-large", GIT_CPU_TIME, False),
    (
        r"cannot use bare repository",
        "not-trusted",
        "git is configured not to look for bare repositories (safe.bareRepository): clone it first, then rank the "
        "clone.",
        False,
    ),
    (
        r"shallow update not allowed|shallow roots are not allowed",
        "shallow",
        _SHALLOW,
        False,
    ),
    (
        r"could not fetch [0-9a-f]{40,64} from promisor|lazy fetching disabled",
        # A mirror is a partial clone too, and is cloned again.
        "corrupt",
        "This is a partial clone that has not fetched all of its commits: run git fetch --refetch in it, or rank the "
        "address that it was cloned from.",
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
        r"returned error: (?:408|425|429|5\d\d)",
        "host-error",
        "The host answers with errors: try again later.",
        True,
    ),
    (
        r"rpc failed|too slow",
        "interrupted-transfer",
        _BROKEN_OFF,
        True,
    ),
    (
        r"certificate|host key verification",
        "unreachable",
        "The host cannot be trusted: its certificate or key was refused.",
        True,
    ),
    (
        r"could ?n.t resolve|could not resolve|name or service not known|failed to connect|couldn't connect"
        r"|connection (?:refused|timed out|reset)|timed out|network is unreachable|no route to host|unable to connect"
        r"|ssl routines|ssl_connect|ssl_error|tls connection|tls handshake|gnutls|schannel",
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
        r"early eof|hung up|unexpected disconnect|transfer closed|body are still expected"
        r"|empty reply|unexpected (?:end|flush)|expected flush|protocol error|couldn't find remote ref"
        r"|invalid index-pack output|unable to access",
        "interrupted-transfer",
        _BROKEN_OFF,
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
        NO_REPOSITORY,
        False,
    ),
    (
        r"bad object|bad tree|bad revision|missing (?:blob|tree|commit|object)|unable to (?:read|parse)|corrupt"
        r"|could not (?:read|parse)|invalid object|bad (?:parents|pack)|unresolved deltas|(?:sha1|hash) mismatch"
        r"|does not match index|inflate|failed to (?:read|traverse)|bogus commit|invalid (?:pointer|sha1)"
        r"|index-pack failed|is (?:too small|empty)|unable to unpack|pack has|broken",
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


def _named(text: str, folder: Path | None) -> HistoryError | None:
    for says, code, template in _NAMED:
        if (found := re.search(says, text, re.IGNORECASE)) is None:
            continue
        values = {name: clean(" ".join((value or "").split())) for name, value in found.groupdict().items()}
        if "names" in values:
            values["names"] = ", ".join(values["names"].split())
        if file := values.get("file"):
            values["file"] = str(folder / file) if folder else file
            if code == _SETTINGS and _is_of_repository(Path(file)):
                return HistoryError("corrupt", template.format_map(values))
        return HistoryError(code, template.format_map(values))
    return None


def _is_of_repository(file: Path) -> bool:
    """A mirror whose own configuration is broken is cloned again. The user's is in ``~/.config/git``."""
    return file.name in ("config", "config.worktree") and file.parent.name != "git"


def translate(stderr: bytes, doing: str, folder: Path | None = None) -> HistoryError:
    """Return the error that git's standard error describes.

    Args:
        doing: names the command if no pattern matches.
        folder: where git ran, if it names files relative to it.
    """
    lines = _own_lines(stderr)
    text = "\n".join(lines)
    if untrusted := _TRUST.search(text):
        return HistoryError(
            "not-trusted",
            "The repository belongs to another user; if you trust it: git config --global --add safe.directory "
            + clean(untrusted[1]),
        )
    if named := _named(text, folder):
        return named
    for says, code, message, transient in _TABLE:
        if re.search(says, text, re.IGNORECASE | re.MULTILINE):
            if code == "missing" and _TAKEN_DOWN_LINE.search(stderr.decode("utf-8", "replace")):
                return HistoryError("taken-down", _TAKEN_DOWN)
            return HistoryError(code, message, transient=transient)
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    return HistoryError("git-failed", f"git {doing} failed: {clean(first) or 'no message'}.")
