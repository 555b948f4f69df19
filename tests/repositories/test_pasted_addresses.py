"""Addresses as people paste them: pages of a host's web interface, and whole commands."""

from __future__ import annotations

import pytest

from podium.errors import BadAddress
from podium.repositories.address import parse_address
from tests.support.growth import growth

PAGES = {
    "gitlab.com/group/sub/project": """
        https://gitlab.com/group/sub/project
        https://gitlab.com/group/sub/project/
        https://gitlab.com/group/sub/project.git
        git@gitlab.com:group/sub/project.git
        ssh://git@gitlab.com/group/sub/project.git
        gitlab.com/group/sub/project/-/tree/main
        https://gitlab.com/group/sub/project/-/tree/main/src/tree?ref_type=heads
        https://gitlab.com/group/sub/project/-/merge_requests/17/diffs#note_3
        https://gitlab.com/group/sub/project/-/issues
        https://gitlab.com/group/sub/project/-/commit/0123456789abcdef0123456789abcdef01234567
        https://gitlab.com/group/sub/project/tree/main
        https://gitlab.com/group/sub/project/blob/main/README.md""",
    "gitlab.example:8443/group/src": """
        https://gitlab.example:8443/group/src
        https://gitlab.example:8443/group/src/-/blob/main/a/-/b
        https://gitlab.example:8443/group/src/commits/main""",
    "git.example/root/group/project": "https://git.example/root/group/project/-/pipelines",
    "bitbucket.org/team/project": """
        https://bitbucket.org/team/project
        https://bitbucket.org/team/project.git
        git@bitbucket.org:team/project.git
        https://bitbucket.org/team/project/src/main/README.md
        https://bitbucket.org/team/project/branch/topic/x
        https://bitbucket.org/team/project/commits/0123456
        https://bitbucket.org/team/project/commits/branch/main
        https://bitbucket.org/team/project/pull-requests/12/a-title
        https://api.bitbucket.org/2.0/repositories/team/project/commits""",
    "bitbucket.example/scm/key/name": """
        https://bitbucket.example/scm/key/name.git
        https://bitbucket.example/projects/KEY/repos/name
        https://bitbucket.example/projects/KEY/repos/name/browse
        https://bitbucket.example/projects/key/repos/Name/browse/src/main.c?at=refs%2Fheads%2Fmain
        https://bitbucket.example/projects/KEY/repos/name/pull-requests/4/overview""",
    "bitbucket.example/stash/scm/~jo/name": "https://bitbucket.example/stash/users/jo/repos/name/commits",
    "git.kernel.org/pub/scm/git/git": """
        https://git.kernel.org/pub/scm/git/git.git
        https://git.kernel.org/pub/scm/git/git.git/
        https://git.kernel.org/pub/scm/git/git.git/tree/
        https://git.kernel.org/pub/scm/git/git.git/tree/builtin/log.c?h=v2.40.0
        https://git.kernel.org/pub/scm/git/git.git/log/?h=next
        https://git.kernel.org/pub/scm/git/git.git/commit/?id=0123456
        https://git.kernel.org/pub/scm/git/git.git/about/
        https://git.kernel.org/pub/scm/git/git.git/info/refs?service=git-upload-pack
        git://git.kernel.org/pub/scm/git/git.git""",
    "git.zx2c4.com/wireguard-tools": """
        https://git.zx2c4.com/wireguard-tools
        https://git.zx2c4.com/wireguard-tools/tree/
        https://git.zx2c4.com/wireguard-tools/log/src
        https://git.zx2c4.com/wireguard-tools/commit/?id=0123456""",
    "git.example/cgit/a/b": """
        https://git.example/cgit/a/b/log/
        https://git.example/cgit/a/b/tree/README?h=main
        https://git.example/cgit/a/b/summary""",
    "git.example/name": """
        https://git.example/name/tree/README?h=main
        https://git.example/name/log/?id=0123456
        https://git.example/name/commit/0123456789abcdef""",
    "git.example/git/foo": """
        https://git.example/git/foo.git
        https://git.example/git/?p=foo.git;a=summary
        https://git.example/git?p=foo.git&a=shortlog&h=refs/heads/main
        https://git.example/?p=git/foo.git;a=commit;h=0123456
        https://git.example/git/?p=foo.git/.git;a=tree
        https://git.example/git/foo.git/shortlog/refs/heads/main""",
    "codeberg.org/owner/src": """
        https://codeberg.org/owner/src
        https://codeberg.org/owner/src/src/branch/main/README.md
        https://codeberg.org/owner/src/issues
        https://codeberg.org/owner/src/pulls/1
        https://codeberg.org/api/v1/repos/owner/src""",
    "forge.example/owner/name": """
        https://forge.example/owner/name
        https://forge.example/owner/name/src/branch/main/a
        https://forge.example/owner/name/src/branch/main
        https://forge.example/owner/name/src/commit/0123456/a
        https://forge.example/owner/name/commits/branch/main
        https://forge.example/owner/name/commit/0123456789abcdef
        https://forge.example/owner/name/raw/tag/v1/a
        https://forge.example/owner/name/issues/7
        https://forge.example/owner/name/pulls/1/files""",
    "gitea.example/owner/name": """
        https://gitea.example/owner/name/issues
        https://gitea.example/owner/name/releases""",
    "git.sr.ht/~user/name": """
        https://git.sr.ht/~user/name
        git@git.sr.ht:~user/name
        https://git.sr.ht/~user/name/tree
        https://git.sr.ht/~user/name/tree/main/item/src/x.c
        https://git.sr.ht/~user/name/log""",
    "chromium.googlesource.com/chromium/src": """
        https://chromium.googlesource.com/chromium/src
        https://chromium.googlesource.com/chromium/src/+/refs/heads/main/README.md
        https://chromium.googlesource.com/chromium/src/+log/main""",
    "dev.azure.com/org/project/_git/name": """
        https://dev.azure.com/org/project/_git/name
        https://dev.azure.com/org/project/_git/name?path=/README.md
        https://dev.azure.com/org/project/_git/name/pullrequest/3""",
    "gist.github.com/0123456789abcdef0123456789abcdef": """
        https://gist.github.com/jo/0123456789abcdef0123456789abcdef
        https://gist.github.com/0123456789abcdef0123456789abcdef.git
        https://gist.github.com/jo/0123456789abcdef0123456789abcdef/revisions
        https://gist.githubusercontent.com/jo/0123456789abcdef0123456789abcdef/raw/x""",
    "github.com/owner/name": """
        https://github.com/owner/name/tree/main/docs
        https://github.com/owner/name/pull/5/files#diff-1
        https://github.com/owner/name/wiki/Home
        https://github.com/owner/name/-/x
        https://raw.githubusercontent.com/owner/name/main/README.md
        https://api.github.com/repos/owner/name/commits?per_page=1
        https://codeload.github.com/owner/name/zip/refs/heads/main
        https://github.dev/owner/name
        owner/name/tree/main
        git@ssh.github.com:443/owner/name.git
        git clone https://github.com/owner/name.git
        git clone --depth 1 https://github.com/owner/name folder
        git clone --depth=1 -b main --single-branch -- https://github.com/owner/name .
        $ git clone git@github.com:owner/name.git
        jo@box:~/src$ git clone 'https://github.com/owner/name' && cd name
        git -c core.pager=cat clone https://github.com/owner/name
        GIT_LFS_SKIP_SMUDGE=1 git clone https://github.com/owner/name
        `git clone "https://github.com/owner/name"`
        git remote add origin https://github.com/owner/name/tree/main
        git remote set-url origin git@github.com:owner/name.git
        git submodule add -b main https://github.com/owner/name lib/name
        git ls-remote --heads https://github.com/owner/name main
        gh repo clone owner/name
        gh repo clone owner/name folder -- --depth=1
        gh repo view owner/name --web
        podium rank owner/name --top 5""",
    "gitlab.com/group/sub.group/name": """
        glab repo clone group/sub.group/name
        glab repo clone https://gitlab.com/group/sub.group/name""",
}


@pytest.mark.parametrize(("key", "texts"), PAGES.items())
def test_all_forms_of_an_address_are_one_repository(key: str, texts: str) -> None:
    for text in filter(None, map(str.strip, texts.splitlines())):
        address = parse_address(text)
        assert address.key == key, text
        assert parse_address(address.url).key == key, text
        assert parse_address(address.clone_url).key == key, text


def test_what_git_receives_is_where_the_host_serves_it() -> None:
    for text, url in {
        "https://bb.example/projects/KEY/repos/Name/browse": "https://bb.example/scm/key/name.git",
        "https://gist.github.com/jo/0123456789abcdef0123": "https://gist.github.com/0123456789abcdef0123.git",
        "https://git.example/git/?p=foo.git;a=summary": "https://git.example/git/foo.git",
        "http://git.example:8080/x.git/tree/": "http://git.example:8080/x.git",
        "https://api.github.com/repos/o/n/issues": "https://github.com/o/n",
    }.items():
        assert parse_address(text).clone_url == url


@pytest.mark.parametrize(
    "text",
    [
        "https://gitlab.com/src/tree",
        "https://gitlab.com/group/src/project",
        "https://gitlab.com/group/issues/project",
        "https://gitlab.com/group/merge_requests/5",
        "https://gitlab.example/a/b/src/branch/main",
        "https://git.example/group/src/branch",
        "https://git.example/a/b/src",
        "https://git.example/a/b/src/main",
        "https://git.example/tools/log",
        "https://git.example/a/b/issues",
        "https://git.example/projects/x/repos/y",
        "https://git.example/a/src/branch/x.git",
        "https://forge.example/owner/name/src/branch/x.git",
        "https://git.example/a/b/commit/readme",
        "ssh://git@git.example/a/b/src/branch/main",
        "git@git.example:a/b/pulls/1",
    ],
)
def test_an_address_that_may_be_a_repository_is_not_shortened(text: str) -> None:
    address = parse_address(text)
    assert address.clone_url == text
    path = text.rpartition("://")[2].rpartition("@")[2].replace(":", "/")
    assert address.key == path.removesuffix(".git")


@pytest.mark.parametrize(
    "text",
    [
        "https://gitlab.com/-/snippets/1",
        "https://gitlab.com/groups/group/-/issues",
        "https://gitlab.com/group/-/epics/1",
        "https://bitbucket.org/team",
        "https://codeberg.org/explore/repos",
        "https://gist.github.com/jo",
        "https://sr.ht/~user/name",
        "https://todo.sr.ht/~user/name",
        "https://api.github.com/users/jo",
        "https://raw.githubusercontent.com/owner",
        "https://git.example/gitweb/?p=foo.git;a=summary",
        "https://git.example/cgi-bin/gitweb.cgi?p=foo.git",
        "https://git.example/a/tree/b/log/?h=x",
        "https://git.example/?p=../../x.git;a=summary",
        "https://git.example/?p=-x.git",
        "https://-x.example/o/n/-/tree",
        "https://me:secret@gitlab.com/a/b/-/tree/main",
        "group/subgroup/name",
        "git clone",
        "git clone --depth 1",
        "git clone https://me:secret@git.example/o/n",
        "git clone --upload-pack=touch /tmp/x",
        "git clone -u 'touch /tmp/x' -- --upload-pack=x",
        "git clone -- -oProxyCommand=x/y",
        "git clone ext::sh",
        "git clone ../name",
        "git clone --unknown a/b https://git.example/o/n folder",
        "git clone 'https://git.example/o/n",
        "git clone $(secret)",
        "git clone https://git.example/o/n\nrm -r secret",
        "git push origin main",
        "git fetch origin",
        "gh repo clone name",
        "gh repo list owner",
        "glab repo clone -g group",
        "rm -r secret",
        "git " * 400,
        "git clone " + "x" * 3000,
    ],
)
def test_what_names_no_repository_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        parse_address(text)
    assert ":" in refusal.value.message
    assert "secret" not in refusal.value.message


def test_a_github_of_a_company_is_read_by_its_own_rules() -> None:
    for text in ("https://github.example/api/v3/repos/o/n/commits", "git clone git@github.example:o/n.git", "o/n"):
        assert parse_address(text, "https://github.example").key == "github.example/o/n"
    assert parse_address("https://raw.githubusercontent.com/o/n/main/x", "https://github.example").host == "github.com"


def test_a_command_is_read_in_time_in_proportion_to_its_length() -> None:
    def parse(size: int) -> None:
        for text in ("GIT_A=x " * (size // 8), "$" * (size - 9) + " git clone", "git clone " + "-x " * (size // 3 - 4)):
            with pytest.raises(BadAddress):
                parse_address(text)

    assert growth(parse, 900) < 3.2
