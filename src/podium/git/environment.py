"""The environment and configuration of git.

A server's git, which clones addresses of strangers, sees nothing of the machine. A user's git keeps their
configuration, credential helpers, proxies and agents. In both, a repository's own configuration starts no program, and
counting does not use the network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Variables of a calling git (a hook, an alias) that name its repository.
_REDIRECTING = frozenset(
    f"GIT_{name}"
    for name in (
        "DIR WORK_TREE INDEX_FILE OBJECT_DIRECTORY ALTERNATE_OBJECT_DIRECTORIES COMMON_DIR NAMESPACE PREFIX "
        "SHALLOW_FILE GRAFT_FILE REPLACE_REF_BASE NO_REPLACE_OBJECTS QUARANTINE_PATH IMPLICIT_WORK_TREE CONFIG "
        "INTERNAL_SUPER_PREFIX ICASE_PATHSPECS GLOB_PATHSPECS NOGLOB_PATHSPECS LITERAL_PATHSPECS DEFAULT_HASH "
        "REF_PARANOIA ALLOW_PROTOCOL PROTOCOL"
    ).split()
)

_ALWAYS = {
    "LC_ALL": "C",
    # A graft file rewrites history; this one is empty.
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    # Since 2.39.4 and 2.45.1. For older ones no protocol is allowed unless there is something to transfer.
    "GIT_NO_LAZY_FETCH": "1",
}

_ALWAYS_CONFIGURED = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "gc.auto=0",
    "maintenance.auto=false",
    # The mailmap is applied to identities, not to each commit.
    "mailmap.blob=",
    "mailmap.file=",
    "log.mailmap=false",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    # Malformed old commits are counted, not refused.
    "fetch.fsckObjects=false",
    "transfer.fsckObjects=false",
)

NO_PROTOCOL = "none"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One way to run git.

    Attributes:
        configuration: ``name=value`` words, which override any file.
        protocols: those of a transfer (``https:http``); None: as the user's git allows.
        on_terminal: transfers stay in the terminal's foreground, where git and ssh can ask the user.
    """

    environment: Mapping[str, str]
    configuration: tuple[str, ...]
    protocols: str | None
    on_terminal: bool

    def variables(self, *, transfers: bool) -> dict[str, str]:
        variables = dict(self.environment)
        allowed = self.protocols if transfers else NO_PROTOCOL
        if allowed is not None:
            variables["GIT_ALLOW_PROTOCOL"] = allowed
        return variables

    def words(self, extra: Sequence[str] = ()) -> list[str]:
        configuration = (*self.configuration, *extra)
        return ["--no-replace-objects", "--no-pager", *(word for item in configuration for word in ("-c", item))]


def server_profile(*, search_path: str, protocols: Sequence[str], idle_timeout: float) -> Profile:
    """``search_path`` is its ``PATH``."""
    environment = {
        "PATH": search_path,
        # No folder, so neither configuration nor .netrc is found.
        "HOME": os.devnull,
        "XDG_CONFIG_HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # Empty: no program. Unset, core.askPass or SSH_ASKPASS could name one.
        "GIT_ASKPASS": "",
        **_ALWAYS,
    }
    configuration = (
        *_ALWAYS_CONFIGURED,
        "protocol.allow=never",
        *(f"protocol.{name}.allow=always" for name in protocols),
        "credential.helper=",
        "http.followRedirects=false",
        "http.lowSpeedLimit=1",
        f"http.lowSpeedTime={max(1, int(idle_timeout))}",
    )
    return Profile(
        environment=environment, configuration=configuration, protocols=":".join(protocols), on_terminal=False
    )


def person_profile(environment: Mapping[str, str]) -> Profile:
    kept = {name: value for name, value in environment.items() if name not in _REDIRECTING and name != "LANGUAGE"}
    return Profile(
        environment={**kept, **_ALWAYS},
        configuration=_ALWAYS_CONFIGURED,
        protocols=environment.get("GIT_ALLOW_PROTOCOL"),
        on_terminal=True,
    )
