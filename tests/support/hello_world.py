"""GitHub's own example repository, octocat/Hello-World: small enough to be here, and old enough not to change."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.support.github_history import Accounts, KnownAccount
from tests.support.repos import git, make_bare, set_branch

HEAD = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"

# Its master as GitHub sends it: three commits, two trees, two files. Their names are their hashes, so it is this one.
_PACK = """
UEFDSwAAAAIAAAAHnRR4nJ2NS2rDMBRF517Fg46TPv0tCKUbaDtoN6DPVWywLVdRyPZrKN1AZ5fDPZzeAIoaSKEEHyGLZLYJIjr2
2Y7GRXZsfdSWx2EPDVsnY1SS7Fxh5KSyyclk4aSVxYag/Qh7qGXE399Z6bVQYgSEhfE5xBhSFFGz9kdaysJZsRrCvU+10dcE+ki9
ptDpUn/H61YfExrOqa4vJJQS7IwUTCcemYeDrnPv+Jc8vKFdQft9Wajh+45bpydLpdWVPveQcJ3qrT/voafpJIbhHQ9a5g10JLBl
qoXKvOD8A1RmZn+TE3icrY47bsQgEIZ7n2IuYGvABowUrVJvkSJ7ggEGGwXDyksU7e1DlCIXSPv9z3Yyg1uYPUWyjmWUiNqzcAZt
0KsyDg1q6xaN63Cnk0sDpWYv0ZiIHPwcVPAqCCO1jJposSvrHo0rD/TZ9nrCte6l8DP3qSv5D3ivOafygJc/YTp/2et2UMqTr8cF
xCyUNWrWAsZ+AodOj9Qa/1/j8MZf0F0M1IBLgBohpswTjOMtbYV/SAT3hNudPG97fbRvB0ZiHpULeJydjMEJAyEQAP9WYQMJKuoq
hJBWXN3N+TCC2es/B3cV5DkDM7KINFf2JSOWmAJ45zLYFsF6CBYIAzVuyD41VXbZ5tK1DFrzMyrxUT8ufL27bDve6xxPbV2OJiaI
Sd9MMkYddnQR+q9W3NdX9DlRP4Q6OWeiAnicMzQwMDMxUQhydXTxdWWYwcUbL7nM29tgRa0T26p7EUXZCY8BmjgK/j14nPNIzcnJ
VwjPL8pJUeQCACCRBEiiAnicMzQwMDMxUQhydXTxdWU4Wvc/9PWBo57FE6y+ftdeU1Sm8+ULANWkD0o8eJzzSM3JyVcIzy/KSVEE
ABxJBD78wV4rh13KWsECYyEGtGn92/GSkw==
"""


def make_hello_world(path: Path) -> Path:
    """The bare repository."""
    repository = make_bare(path, branch="master")
    git(repository, "unpack-objects", "-q", stdin=base64.b64decode(_PACK))
    set_branch(repository, HEAD, "master")
    return repository


def accounts() -> Accounts:
    """The accounts behind it, as far as GitHub tells."""
    known = Accounts()
    known.add(KnownAccount(583231, "octocat", "The Octocat"), "octocat@nowhere.com")
    known.add(KnownAccount(251370, "Spaceghost", "Johnneylee Jack Rollins"), "johnneylee.rollins@gmail.com")
    return known
