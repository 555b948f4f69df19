"""The codes of the API's errors, as ``/docs`` and ``docs/errors.md`` list them."""

from __future__ import annotations

from typing import NamedTuple


class ErrorCode(NamedTuple):
    code: str
    status: int
    meaning: str
    advice: str


_REPORT = "Tell the server's operator: the reason is in its log."
_LATER = "Try again in a moment."
_WHEN_UP = "Try again when the host works."
_LOOK = "Check the address, and whether everyone may read the repository."

OF_REQUESTS = tuple(
    ErrorCode(*row)
    for row in (
        ("ambiguous-length", 400, "The request gives its length in two ways.", "Send one of the two headers."),
        ("bad-address", 400, "`repoUrl` is not a repository's URL, or its host is not accepted.", _LOOK),
        ("bad-delivery", 400, "A webhook's delivery cannot be read.", "The message says why."),
        ("bad-host", 400, "The request has no valid `Host` header.", "Send one."),
        ("bad-request", 400, "A parameter or the body is not valid.", "The message names it."),
        ("bad-rule", 400, "A parameter has a value that is not allowed.", "The message says which are."),
        (
            "bad-signature",
            401,
            "A delivery is not signed with a secret of the server.",
            "Enter its secret at the host.",
        ),
        ("unauthorized", 401, "The token is missing or wrong.", "Send `Authorization: Bearer TOKEN`."),
        ("blocked", 403, "The repository, its owner or its host is blocked.", "The message may say why."),
        (
            "foreign-origin",
            403,
            "The request comes from a page of another site.",
            "The server's operator may list it (`PODIUM_CORS_ORIGINS`).",
        ),
        (
            "forbidden",
            403,
            "The server has no administrator, or a form belongs to another session.",
            "See the message.",
        ),
        ("not-found", 404, "No such board, repository, person or URL.", "Submit the repository, or check the URL."),
        ("method-not-allowed", 405, "The URL does not take this method.", "Use one that `Allow` lists."),
        ("request-timeout", 408, "The request did not arrive in time.", "Send it again."),
        ("conflict", 409, "The repository's state does not allow it.", "The message says what does."),
        ("too-large", 413, "The request's body is too large.", "Send less."),
        ("unknown-host", 421, "The `Host` header is not a name of this server.", "Use its name."),
        ("board-too-large", 422, "The board is too large for this request.", "The message says what to leave out."),
        ("too-many-requests", 429, "The client has asked for too much.", "Wait for `Retry-After` seconds."),
        ("internal", 500, "Podium has a bug.", _REPORT),
        ("bad-commit-log", 503, "The board's numbers do not add up; it is counted again.", _LATER),
        ("database-away", 503, "The database does not answer.", _LATER),
        ("github", 503, "GitHub does not answer.", _LATER),
        ("not-ready", 503, "The process cannot do its work (`/ready`).", "`problems` names the reasons."),
        ("queue", 503, "Redis does not answer.", _LATER),
        ("queue-full", 503, "Too many repositories wait.", "Wait for `Retry-After` seconds."),
        ("storage", 503, "The database refuses the work.", _REPORT),
        ("wrong-revision", 503, "The database belongs to another version of Podium.", _REPORT),
    )
)
# Of a repository that failed; the status is 409, and `state` is `failed`.
OF_REPOSITORIES = tuple(
    ErrorCode(code, 409, meaning, advice)
    for code, meaning, advice in (
        ("bad-rev", "The revision cannot be counted.", "Name a branch or a tag."),
        ("corrupt", "The repository is damaged.", "Repair it at its host (`git fsck`)."),
        ("damaged", "The clone on the server is damaged.", "Try again: it is cloned again."),
        ("disk-full", "The server has too little disk space.", _REPORT),
        ("dropped", "An administrator took it out of the queue.", "Submit it again."),
        ("empty", "The repository has no commits.", "Submit it again when it has some."),
        ("failed", "The reason was not kept.", "Try again."),
        ("git-failed", "git failed for a reason that Podium does not know.", _REPORT),
        ("git-missing", "The server has no git.", _REPORT),
        ("git-settings", "A setting of git is wrong.", _REPORT),
        ("host-error", "The host answered with errors for a day or more.", _WHEN_UP),
        ("interrupted-transfer", "The host broke off every transfer for a day or more.", _WHEN_UP),
        ("internal", "Podium has a bug.", _REPORT),
        ("mirrors", "The server cannot use its folder for clones.", _REPORT),
        ("missing", "The repository does not exist or is private.", _LOOK),
        ("name-taken", "Another repository has the name.", "An administrator decides."),
        ("needs-newer-git", "The repository has a format that the server's git does not know.", _REPORT),
        ("no-default-branch", "The default branch does not exist.", "Set one at the host, or give `rev`."),
        ("no-folder", "A folder of the server is missing.", _REPORT),
        ("no-process", "The server cannot start git.", _REPORT),
        ("no-such-revision", "The repository has no such branch or tag.", "Check `rev`."),
        ("not-a-repository", "No git repository is at the address.", _LOOK),
        ("not-readable", "A file on the server cannot be read.", _REPORT),
        ("not-trusted", "The server's git refuses a clone that belongs to another user.", _REPORT),
        (
            "private-network",
            "The host is in a private network.",
            "The server's operator may list it (`PODIUM_PRIVATE_GIT_HOSTS`).",
        ),
        ("redirected", "The host redirects to another host.", "Submit the URL to which it leads."),
        ("refused", "The host or the server refuses the repository.", _LOOK),
        ("replaced", "Another branch or tag has its place.", "Submit it again."),
        ("shallow", "The repository lacks a part of its history.", "Submit the whole repository."),
        ("taken-down", "The host withholds it for legal reasons.", "Rank a clone that you have."),
        ("too-large", "The repository exceeds a limit of the server.", "The message names the limit."),
        ("unreachable", "The host could not be reached, or its certificate was refused, for a day or more.", _WHEN_UP),
        ("worker-crashed", "Counting it crashed several times.", _REPORT),
    )
)
