"""The part of GitHub's GraphQL schema that Podium asks, and the published one to hold it against.

The published schema takes over a second to build, and comes over the network; this part takes milliseconds.
``test_github_double.py`` holds every type, field and argument here against the published one.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import graphql

PACKAGE = "@octokit/graphql-schema@15.26.1"

SDL = """
scalar DateTime
scalar GitObjectID
scalar URI

type Query {
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(followRenames: Boolean = true, name: String!, owner: String!): Repository
}

type RateLimit {
  cost: Int!
  limit: Int!
  nodeCount: Int!
  remaining: Int!
  resetAt: DateTime!
  used: Int!
}

type Repository {
  databaseId: Int
  name: String!
  nameWithOwner: String!
  object(expression: String, oid: GitObjectID): GitObject
}

interface GitObject {
  oid: GitObjectID!
}

type Commit implements GitObject {
  authors(after: String, before: String, first: Int, last: Int): GitActorConnection!
  oid: GitObjectID!
}

type Tag implements GitObject {
  oid: GitObjectID!
}

type Tree implements GitObject {
  oid: GitObjectID!
}

type Blob implements GitObject {
  oid: GitObjectID!
}

type GitActorConnection {
  nodes: [GitActor]
  pageInfo: PageInfo!
  totalCount: Int!
}

type PageInfo {
  endCursor: String
  hasNextPage: Boolean!
}

type GitActor {
  email: String
  name: String
  user: User
}

type User {
  avatarUrl(size: Int): URI!
  databaseId: Int
  login: String!
  name: String
  url: URI!
}
"""


@functools.cache
def part() -> graphql.GraphQLSchema:
    """The part, ready to execute."""
    return graphql.build_schema(SDL)


class UnavailableError(Exception):
    """The published schema cannot be had here; the message says why."""


@functools.cache
def published() -> graphql.GraphQLSchema:
    """GitHub's schema as ``@octokit/graphql-schema`` publishes it, fetched with npm once and kept.

    Raises:
        UnavailableError: there is no npm, or it cannot reach its registry.
    """
    text = _fetched().read_text(encoding="utf-8")
    document = graphql.parse(text, no_location=True)
    return graphql.build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


def _fetched() -> Path:
    version = PACKAGE.rpartition("@")[2]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podium-tests"
    kept = folder / f"github-{version}.graphql"
    if kept.exists():
        return kept
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), PACKAGE],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(f"npm cannot fetch {PACKAGE}: {done.stderr.strip()[-300:]}")
    archive = folder / done.stdout.split()[-1]
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/schema.graphql")
        assert member is not None
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(member.read())
    fresh.rename(kept)
    archive.unlink()
    return kept
