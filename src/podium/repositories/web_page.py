"""Find the repository that a page of a host's web interface belongs to. No I/O.

A path is shortened only if it cannot be a repository's own address, by the rules of its host: GitLab's groups nest, so
one may be called ``src`` or ``tree``. An address that ends in ``.git`` is never shortened, which is the way to name a
repository that looks like a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, unquote

from podium.errors import BadAddress

_Segments = list[str]

# Hosts whose repositories are all owner/name.
_TWO_SEGMENTS = frozenset(("github.com", "bitbucket.org", "codeberg.org", "gitea.com", "gitee.com", "notabug.org"))
_AT_LEAST_TWO = _TWO_SEGMENTS - {"github.com"} | {"gitlab.com"}
_GITHUB = "github.com"
# Hosts that serve something of a repository, and what stands before owner/name there.
_OTHER_NAMES = {
    "raw.githubusercontent.com": (_GITHUB, ()),
    "codeload.github.com": (_GITHUB, ()),
    "github.dev": (_GITHUB, ()),
    "api.github.com": (_GITHUB, ("repos",)),
    "api.bitbucket.org": ("bitbucket.org", ("2.0", "repositories")),
}
# The REST APIs of GitHub Enterprise Server and Gitea.
_APIS = (["api", "v3", "repos"], ["api", "v1", "repos"])
_GISTS = ("gist.github.com", "gist.githubusercontent.com")
_GIST = re.compile(r"[0-9a-f]{20,}|[0-9]{1,10}")
_NO_REPOSITORY = {
    "bitbucket.org": frozenset("account dashboard product repo snippets support workspace".split()),
    "codeberg.org": frozenset("explore user org".split()),
    "gitlab.com": frozenset("dashboard explore groups help search snippets users".split()),
}

# Names that GitLab gives to no project and no subgroup
# (https://docs.gitlab.com/user/reserved_names/#reserved-project-names).
_GITLAB_PAGES = frozenset("badges blame blob builds commits create edit files new raw refs tree update wikis".split())
_GITLAB_HOSTS = frozenset(("salsa.debian.org", "invent.kde.org", "framagit.org", "code.videolan.org"))
_GITEA_PAGES = frozenset(
    "actions activity archive blame branches commit commits compare find forks graph issues labels media milestone "
    "milestones packages projects pulls raw releases search settings src stars tags watchers wiki".split()
)
_CGIT_PAGES = frozenset(
    "about atom blame blob commit diff log patch plain rawdiff refs snapshot stats summary tag tree".split()
)
_GITWEB_PAGES = frozenset("blob_plain blobdiff commitdiff forks heads history remotes rss shortlog tags".split())
# Behind a segment that ends in `.git`: all of them, and what git itself asks for.
_PAGES = _GITLAB_PAGES | _GITEA_PAGES | _CGIT_PAGES | _GITWEB_PAGES | {"HEAD", "info", "objects", "merge_requests"}
_CGIT_HOSTS = frozenset(("git.kernel.org", "git.savannah.gnu.org", "git.savannah.nongnu.org", "git.zx2c4.com"))
_CGIT_QUERY = frozenset(("h", "id", "id2", "ofs", "qt"))
_BITBUCKET_SERVER_PAGES = frozenset(
    "branches browse builds commits compare permissions pull-requests settings tags".split()
)
# https://gerrit.googlesource.com/gitiles
_GITILES_PAGES = frozenset(("+", "+archive", "+blame", "+diff", "+doc", "+log", "+refs", "+show"))
_NUMBERED = frozenset("issues merge_requests pull pull-requests pulls".split())
_REF_KINDS = frozenset(("branch", "commit", "tag"))
_OF_A_REF = frozenset("archive blame commits media raw rss src".split())
_OID = re.compile(r"[0-9a-f]{7,64}")


def repository_of(host: str, path: str, query: str = "") -> tuple[str, str]:
    """Return the host and the path of the repository that a page belongs to.

    ``path`` and ``query`` are those of an ``http`` or ``https`` URL. An address that is not a page comes back as it is.

    Raises:
        BadAddress: the page belongs to no repository, or does not say to which.
    """
    segments = [segment for segment in path.split("/") if segment]
    if segments and segments[0] in _NO_REPOSITORY.get(host, ()):
        raise BadAddress(f"That is a page of {host}'s own: give the address of a repository.")
    if host in _GISTS:
        return _GISTS[0], _gist(segments)
    if host in _OTHER_NAMES:
        host, prefix = _OTHER_NAMES[host]
        if (*segments[: len(prefix)],) != prefix or len(segments) < len(prefix) + 2:
            raise BadAddress("That names no repository: give owner/name, such as https://github.com/owner/name.")
        return host, "/".join(segments[len(prefix) :][:2])
    if host == "sr.ht" or (host.endswith(".sr.ht") and host != "git.sr.ht"):
        raise BadAddress(f"{host} has no git repositories: give the repository's address at git.sr.ht.")
    if segments[:3] in _APIS and len(segments) >= 5:
        return host, "/".join(segments[3:5])
    found = _gitweb(segments, query) or _shortened(host, segments, query)
    if host in _AT_LEAST_TWO and len(segments if found is None else found) < 2:
        raise BadAddress(f"That names no repository: give owner/name, such as https://{host}/owner/name.")
    return (host, path) if found is None else (host, "/".join(found))


def _gist(segments: _Segments) -> str:
    found = next((segment for segment in segments if _GIST.fullmatch(segment.removesuffix(".git"))), None)
    if found is None:
        raise BadAddress("That names no gist: give its address, such as https://gist.github.com/owner/0123abcd….")
    return found.removesuffix(".git") + ".git"


def _gitweb(segments: _Segments, query: str) -> _Segments | None:
    # gitweb separates its parameters by semicolons.
    values = dict(parse_qsl(query.replace(";", "&")))
    project = values.get("p", "").removesuffix("/.git").strip("/")
    if not project or not ("a" in values or project.endswith(".git")):
        return None
    if segments and segments[-1].startswith("gitweb"):
        raise BadAddress(
            "A page of gitweb does not say where its repository is cloned from: give the URL that the page shows."
        )
    return [*segments, *project.split("/")]


def _shortened(host: str, segments: _Segments, query: str) -> _Segments | None:
    if "-" in segments:
        # No project and no group of GitLab can be called so.
        return segments[: segments.index("-")]
    if host in _TWO_SEGMENTS or (host == "git.sr.ht" and segments and segments[0].startswith("~")):
        return segments[:2]
    if not segments or segments[-1].endswith(".git"):
        return None
    cut = _first(segments, lambda at: _is_page_anywhere(segments, at))
    if cut is None:
        if found := _bitbucket_server(segments):
            return found
        cut = _page_of_kind(host, segments, query)
    return None if cut is None else segments[:cut]


def _is_page_anywhere(segments: Sequence[str], at: int) -> bool:
    before, segment = segments[at - 1], segments[at]
    return (
        (before.endswith(".git") and segment in _PAGES)
        or segment in _GITILES_PAGES
        or segments[at - 2 : at - 1] == ["_git"]
    )


def _page_of_kind(host: str, segments: _Segments, query: str) -> int | None:
    labels = host.partition(":")[0].split(".")
    if host in _GITLAB_HOSTS or any(label.startswith("gitlab") for label in labels):
        return _first(segments, lambda at: at >= 2 and segments[at] in _GITLAB_PAGES)
    if (
        any(label.startswith(("gitea", "forgejo")) for label in labels)
        and segments[2:3]
        and segments[2] in _GITEA_PAGES
    ):
        return 2
    if host in _CGIT_HOSTS or "cgit" in segments[:-2] or _CGIT_QUERY.intersection(name for name, _ in parse_qsl(query)):
        pages = [at for at in range(1, len(segments)) if segments[at] in _CGIT_PAGES]
        if len(pages) > 1:
            raise BadAddress("That page can belong to several repositories: give the URL that it shows for git clone.")
        if pages:
            return pages[0]
    return _first(segments, lambda at: _says_page(segments, at))


def _says_page(segments: Sequence[str], at: int) -> bool:
    """Whether the word after ``segments[at]`` is a number, a commit or a kind of revision."""
    segment, after = segments[at], segments[at + 1] if at + 1 < len(segments) else ""
    if segment == "commit":
        return bool(_OID.fullmatch(after))
    if at < 2:
        return False
    return (segment in _NUMBERED and after.isascii() and after.isdecimal()) or (
        segment in _OF_A_REF and after in _REF_KINDS and len(segments) > at + 2
    )


def _bitbucket_server(segments: _Segments) -> _Segments | None:
    """``/projects/KEY/repos/NAME`` and ``/users/NAME/repos/NAME``, which are cloned from ``/scm/…``."""
    for at in range(len(segments) - 3):
        kind, project, repos, name, *page = segments[at:]
        if kind in ("projects", "users") and repos == "repos" and _is_bitbucket_server(project, page):
            owner = project.lower() if kind == "projects" else f"~{project.lower()}"
            return [*segments[:at], "scm", owner, f"{name.lower()}.git"]
    return None


def _is_bitbucket_server(project: str, page: _Segments) -> bool:
    # Keys of projects are in upper case. In lower case, it may be a folder of a plain git server.
    return page[0] in _BITBUCKET_SERVER_PAGES if page else project == unquote(project).upper() and project[:1].isalpha()


def _first(segments: Sequence[str], is_page: Callable[[int], bool]) -> int | None:
    """The first segment but the first that is a page."""
    return next((at for at in range(1, len(segments)) if is_page(at)), None)
