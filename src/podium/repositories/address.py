"""The address of a repository: parses text into an :class:`Address` or refuses it. No I/O.

It accepts the URL forms of ``git clone`` (https://git-scm.com/docs/git-clone#_git_urls), pages of a host's web
interface (:mod:`podium.repositories.web_page`) and whole commands (:mod:`podium.repositories.pasted_command`). It
refuses what git could read as an option (``-…``) or a transport helper (``ext::…``), and a password in a URL.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from podium.errors import BadAddress
from podium.net import is_ip, port_of
from podium.repositories.pasted_command import address_in
from podium.repositories.web_page import repository_of
from podium.textutil.fold import fold

MAX_LENGTH = 2000

# GitHub's limits: 39 characters for an owner (an enterprise's managed users add _SHORTCODE), 100 for a name.
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]{1,16})?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")

_NOT_OWNERS = frozenset(
    "about apps collections codespaces contact customer-stories enterprise events explore features issues join login "
    "marketplace notifications orgs organizations pricing pulls search security sessions settings signup site "
    "sponsors stars team topics trending users watching".split()
)

# What may follow owner/name where no host says that it is GitHub's.
_PAGES = frozenset(
    "actions activity blame blob branches commit commits compare contributors deployments discussions edit forks "
    "graphs issues labels milestones network packages projects pull pulls pulse raw releases security settings "
    "stargazers tags tree watchers wiki".split()
)

_SCP_LIKE = re.compile(
    r"(?:(?P<user>[A-Za-z0-9._][A-Za-z0-9._-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]):(?!//)(?P<path>.+)"
)
# `https:/host`, which git takes for a path at a host called https.
_SLASH_MISSING = re.compile(r"^(https?)(?::/?|//)(?=[^/])", re.IGNORECASE)
# What follows a host and a colon in `github.com:443/owner/name`.
_PORT_PATH = re.compile(r"[0-9]+/[^/]+/[^/]")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})?|\[[0-9A-Fa-f:.]+\])")
# What resolvers read as an IPv4 address in another notation: 2130706433, 0x7f.1, 0177.0.0.1.
_NUMERIC_HOST = re.compile(r"(?:^|\.)(?:0[xX][0-9A-Fa-f]*|[0-9]+)\.?$")
_SCHEMES = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is, and its identity.

    host: in lower case, with a port that is not the scheme's default; '' for a path.
    owner: the path before the last segment; may be empty, or contain '/' outside GitHub.
    name: the last segment, without ``.git``.
    key: identity; two addresses with one key are one repository.
    url, clone_url: the canonical form; what git receives.
    revision: a branch, a tag or, for a path, any revision; None: the default branch or HEAD. ``key`` and ``url`` end in
        it, after a ``#``.
    parent_key: the key without the revision; None unless there is one.
    """

    host: str
    owner: str
    name: str
    key: str
    url: str
    clone_url: str
    revision: str | None = None
    parent_key: str | None = None

    @property
    def search_text(self) -> str:
        """Owner and name, as a search compares them."""
        return fold(unquote(f"{self.owner}/{self.name}"))

    def at_revision(self, revision: str) -> Address:
        """Return the address of the board of ``revision``; a ``revision`` that this one has is replaced."""
        parent_key = self.parent_key or self.key
        return dataclasses.replace(
            self,
            key=revision_key(parent_key, revision),
            url=revision_key(self.url.partition("#")[0], revision),
            # A path's may have bytes that are no UTF-8.
            revision=revision.encode(errors="surrogateescape").decode(errors="replace"),
            parent_key=parent_key,
        )

    @property
    def scheme(self) -> str:
        """The scheme of ``clone_url``; ``ssh`` for its short form."""
        return self.clone_url.partition("://")[0] if "://" in self.clone_url else "ssh"


def revision_key(key: str, revision: str) -> str:
    return f"{key}#{quote(revision.encode(errors='surrogateescape'))}"


def parse_address(text: str, github_url: str = "https://github.com") -> Address:
    """Parse an address in one of the forms above, or ``owner/name`` at GitHub.

    ``github_url``: the configured GitHub's web address.

    Raises:
        BadAddress: it is not an address, or must not reach git. The message never repeats a password.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH:
        text = address_in(text.strip("`"))
    text = text.strip("<>\"'").strip()
    _refuse_what_is_no_address(text)
    github_host = host_of(github_url)
    text = _SLASH_MISSING.sub(r"\1://", text.removeprefix("git+"))
    if "://" in text:
        return _from_url(text, github_host, github_url)
    if match := _SCP_LIKE.fullmatch(text):
        return _from_scp(text, match, github_host, github_url)
    first, _, rest = text.partition("/")
    if first.lower() in (github_host, f"www.{github_host}"):
        return _github(rest, github_host, github_url)
    if _OWNER.fullmatch(first) and rest:
        if (page := rest.split("/")[1:2]) and page[0] and page[0] not in _PAGES:
            raise BadAddress(_MORE_THAN_TWO)
        return _github(text, github_host, github_url)
    if "." in first and rest and _HOST.fullmatch(_ascii(first)):
        return _from_url("https://" + text, github_host, github_url)
    raise BadAddress(_NOT_UNDERSTOOD)


def host_of(url: str) -> str:
    parts = urlsplit(url)
    return _host_of(parts.hostname or "", port_of(parts), parts.scheme)


def path_address(git_dir: Path, rev: str | None = None) -> Address:
    """Return the address of a repository on this machine.

    ``git_dir`` is absolute; each work tree has its own, and so its own board.
    """
    url = git_dir.as_uri()
    folder = git_dir.parent if git_dir.name == ".git" else git_dir
    name = os.fsencode(folder.name).decode(errors="replace").removesuffix(".git")
    address = Address(host="", owner="", name=name, key=url, url=url, clone_url=url)
    return address.at_revision(rev) if rev else address


def folder_of(url: str) -> str:
    """Return the folder of a repository on this machine: what :func:`path_address` made a URL of, without ``/.git``."""
    path = unquote(urlsplit(url).path)
    return path.removesuffix("/.git") or "/"


_MORE_THAN_TWO = (
    "A repository at GitHub is owner/name: give the whole URL of one at another host, such as "
    "https://gitlab.com/group/subgroup/name."
)
_NOT_UNDERSTOOD = "That is not a repository's address: give owner/name, or a URL such as https://github.com/owner/name."


def _refuse_what_is_no_address(text: str) -> None:
    if not text:
        raise BadAddress("No address given: " + _NOT_UNDERSTOOD.partition(": ")[2])
    if len(text) > MAX_LENGTH:
        raise BadAddress(f"The address is longer than {MAX_LENGTH} characters: give the repository's plain URL.")
    if any(ord(character) <= 32 or ord(character) == 127 for character in text) or not text.isprintable():
        raise BadAddress("The address contains spaces or control characters: give the repository's plain URL.")
    if text.startswith("-"):
        raise BadAddress("An address cannot begin with '-': give owner/name or a URL.")
    if "::" in text.partition("[")[0]:
        raise BadAddress("Transport helpers such as ext:: are not accepted: give an https:// or ssh:// URL.")
    if "\\" in text:
        raise BadAddress("An address cannot contain '\\': give owner/name or a URL.")


def _host_of(hostname: str, port: int | None, scheme: str) -> str:
    hostname = hostname.lower()
    if ":" in hostname:
        hostname = f"[{hostname}]"
    return hostname if port in (None, _SCHEMES.get(scheme)) else f"{hostname}:{port}"


def _from_url(text: str, github_host: str, github_url: str) -> Address:
    try:
        parts = urlsplit(text)
        hostname, port, user, password = parts.hostname, port_of(parts), parts.username, parts.password
    except ValueError:
        raise BadAddress(_NOT_UNDERSTOOD) from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise BadAddress(f"Addresses of the kind {scheme}:// are not accepted: give an https:// or ssh:// URL.")
    if password is not None or (user is not None and scheme != "ssh"):
        raise BadAddress(
            "The address contains a user name or password: leave it out, and let git's credential helper supply it."
        )
    hostname = _ascii(hostname or "")
    if not hostname or not _HOST.fullmatch(hostname if ":" not in hostname else f"[{hostname}]"):
        raise BadAddress(_NOT_UNDERSTOOD)
    _refuse_odd_ip(hostname)
    if user is not None and not re.fullmatch(r"[A-Za-z0-9._][A-Za-z0-9._-]*", user):
        raise BadAddress(_NOT_UNDERSTOOD)
    host = _host_of(hostname, port, scheme)
    path = parts.path
    if scheme in ("http", "https"):
        host, path = repository_of(host, path, parts.query)
    if _is_github(host, scheme, github_host):
        return _github(path, github_host, github_url, ssh=text if scheme == "ssh" else None)
    origin = f"{scheme}://{user + '@' if user else ''}{host}"
    return _other(origin, host, path)


def _from_scp(text: str, match: re.Match[str], github_host: str, github_url: str) -> Address:
    host, user, path = match["host"].lower(), match["user"], match["path"]
    if host == f"ssh.{github_host}" and path.startswith("443/"):
        return _from_url(f"ssh://{text}", github_host, github_url)
    if host != github_host:
        _refuse_odd_ip(host)
        return _other(f"ssh://{user + '@' if user else ''}{host}", host, path, clone_url=text)
    if _PORT_PATH.match(path):
        # GitHub's own paths have two segments.
        return _from_url(f"{'ssh' if user else 'https'}://{text}", github_host, github_url)
    return _github(path, github_host, github_url, ssh=text)


def _ascii(hostname: str) -> str:
    """The name that is asked for: of an international domain name, what browsers and git send (``xn--…``)."""
    if hostname.isascii():
        return hostname
    try:
        return hostname.encode("idna").decode()
    except UnicodeError:
        raise BadAddress(_NOT_UNDERSTOOD) from None


def _refuse_odd_ip(host: str) -> None:
    if _NUMERIC_HOST.search(host) and not is_ip(host):
        raise BadAddress("That host is not a valid IP address: write it as four decimal numbers, such as 192.0.2.1.")


def _is_github(host: str, scheme: str, github_host: str) -> bool:
    aliases = {github_host, f"www.{github_host}"}
    if scheme == "ssh":
        # GitHub also serves SSH on the HTTPS port, under another name.
        aliases |= {f"ssh.{github_host}:443", f"{github_host}:443"}
    return host in aliases


def _github(path: str, github_host: str, github_url: str, ssh: str | None = None) -> Address:
    segments = [segment for segment in re.split(r"[?#]", path, maxsplit=1)[0].split("/") if segment]
    if len(segments) < 2:
        raise BadAddress("That names no repository: give owner/name, such as https://github.com/owner/name.")
    owner, name = segments[0].removeprefix("@"), segments[1]
    if name.lower().endswith(".git"):
        name = name[:-4]
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in (".", ".."):
        raise BadAddress(
            "GitHub does not allow this name: owner and name are made of letters, digits, '-', '_' and '.'."
        )
    if owner.lower() in _NOT_OWNERS:
        raise BadAddress(f"{owner} is a page of GitHub's own, not an account: give owner/name of a repository.")
    url = f"{github_url}/{owner}/{name}"
    clone_url = url
    if ssh is not None:
        prefix = ssh[: ssh.index("/", ssh.index("://") + 3) + 1] if "://" in ssh else ssh[: ssh.index(":") + 1]
        clone_url = f"{prefix}{owner}/{name}.git"
    return Address(
        host=github_host,
        owner=owner,
        name=name,
        # GitHub's names ignore case.
        key=f"{github_host}/{owner}/{name}".lower(),
        url=url,
        clone_url=clone_url,
    )


def _other(origin: str, host: str, path: str, clone_url: str | None = None) -> Address:
    path = re.split(r"[?#]", path, maxsplit=1)[0].strip("/")
    segments = path.split("/") if path else []
    decoded = [unquote(segment) for segment in segments]
    if not segments or any(part in ("", ".", "..") or part.startswith("-") or "/" in part for part in decoded):
        raise BadAddress(_NOT_UNDERSTOOD)
    if not all(part.isprintable() for part in decoded):
        raise BadAddress("The address contains control characters: give the repository's plain URL.")
    name = segments[-1].removesuffix(".git")
    if not name:
        raise BadAddress(_NOT_UNDERSTOOD)
    bare = "/".join([*segments[:-1], name])
    return Address(
        host=host,
        owner="/".join(segments[:-1]),
        name=name,
        key=f"{host}/{bare}",
        # With `.git`: a plain git server knows a folder only by its full name.
        url=f"{origin}/{path}",
        clone_url=clone_url or f"{origin}/{path}",
    )
