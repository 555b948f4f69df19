"""Find the address in a command that was pasted whole, such as ``git clone --depth 1 URL folder``. No I/O.

Only the address is used. No option, no folder and no variable of the command reaches git.
"""

from __future__ import annotations

import dataclasses
import re

from podium.errors import BadAddress

_COMMAND = re.compile(
    r"(?:\S*[$%>#]\s+)?(?:sudo\s+)?(?:GIT_[A-Z_]+=\S*\s+)*(?P<words>(?P<program>git|gh|glab|podium)\s.*)"
)
_OPERATOR = re.compile(r"[();<>|&]+")


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """One subcommand whose arguments name a repository.

    before: arguments before the address.
    most: arguments in all.
    values: options that take the next word.
    """

    words: tuple[str, ...]
    before: int = 0
    most: int = 2
    values: frozenset[str] = frozenset()


_GLOBAL_VALUES = frozenset(("-c", "-C", "--git-dir", "--work-tree", "--namespace", "--config-env", "--exec-path"))
# https://git-scm.com/docs/git-clone#_options
_CLONE_VALUES = frozenset(
    "-b --branch --bundle-uri -c --config --depth --filter -j --jobs -o --origin --ref-format --reference "
    "--reference-if-able --revision --separate-git-dir --server-option --shallow-exclude --shallow-since --template "
    "-u --upload-pack".split()
)
_FETCH_VALUES = frozenset("--depth --deepen -j --jobs --shallow-exclude --shallow-since --upload-pack".split())
_FORMS = {
    "git": (
        _Form(("clone",), values=_CLONE_VALUES),
        _Form(("remote", "add"), before=1, values=frozenset(("-t", "-m", "--track", "--master"))),
        _Form(("remote", "set-url"), before=1, most=3),
        _Form(("submodule", "add"), values=frozenset(("-b", "--branch", "--name", "--depth", "--reference"))),
        _Form(("ls-remote",), most=99, values=frozenset(("--upload-pack", "-o", "--server-option", "--sort"))),
        _Form(("fetch",), most=99, values=_FETCH_VALUES),
        _Form(("pull",), most=99, values=_FETCH_VALUES),
    ),
    # https://cli.github.com/manual/gh_repo_clone
    "gh": (
        _Form(("repo", "clone"), values=frozenset(("-u", "--upstream-remote-name"))),
        _Form(("repo", "view"), values=frozenset(("-b", "--branch"))),
        _Form(("repo", "fork"), values=frozenset(("--org", "--fork-name", "--remote-name"))),
    ),
    "glab": (
        _Form(("repo", "clone"), values=frozenset(("-g", "--group", "-a", "--archived"))),
        _Form(("repo", "view"), values=frozenset(("-b", "--branch"))),
        _Form(("repo", "fork")),
    ),
    "podium": (_Form(("rank",), most=1, values=frozenset(("--rev", "--top", "-n", "--format", "--since", "--until"))),),
}
_GITLAB = "https://gitlab.com/"


def address_in(text: str) -> str:
    """Return the address in the command ``text``, or ``text`` if it is not a command.

    Raises:
        BadAddress: the command names no repository, or not clearly.
    """
    found = _COMMAND.fullmatch(text)
    if found is None:
        return text
    program = found["program"]
    address = _argument(program, _words(found["words"]))
    if program == "glab" and "://" not in address and ":" not in address:
        # Names of groups may contain dots: the first segment is never a host.
        return _GITLAB + address
    return address


def _words(command: str) -> list[str]:
    # Few addresses are commands.
    import shlex

    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if _OPERATOR.fullmatch(word):
                # Another command follows.
                break
            words.append(word)
    except ValueError:
        raise BadAddress("A quotation mark of the command is missing: give the repository's address alone.") from None
    return words


def _argument(program: str, words: list[str]) -> str:
    words = _without_options(words[1:], _GLOBAL_VALUES)
    for form in _FORMS[program]:
        if (*words[: len(form.words)],) == form.words:
            arguments = _arguments(words[len(form.words) :], form, stops=program != "git")
            if form.before < len(arguments) <= form.most:
                return arguments[form.before]
            break
    raise BadAddress("That command names no repository: give the repository's address alone, or `git clone ADDRESS`.")


def _without_options(words: list[str], values: frozenset[str]) -> list[str]:
    """Drop the options before the subcommand."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in values else 1
    return words[at:]


def _arguments(words: list[str], form: _Form, *, stops: bool) -> list[str]:
    """``stops``: after ``--`` only git's options follow."""
    arguments: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            if not stops:
                arguments.extend(rest)
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
        elif word in form.values:
            next(rest, None)
    return arguments
