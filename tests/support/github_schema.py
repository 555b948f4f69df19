"""The part of GitHub's GraphQL schema that Podium uses, and the published schema.

The published schema needs the network and over a second to build; this part needs milliseconds.
``test_github_double.py`` compares every type, field and argument here with the published one.
"""

from __future__ import annotations

import functools

import graphql

from tests.support.npm import UnavailableError, fetched

__all__ = ["PACKAGE", "SDL", "UnavailableError", "part", "published"]

PACKAGE = "@octokit/graphql-schema@15.26.1"

SDL = """
scalar DateTime
scalar GitObjectID
scalar URI

type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
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

interface Node {
  id: ID!
}

enum RepositoryVisibility {
  INTERNAL
  PRIVATE
  PUBLIC
}

interface RepositoryOwner {
  id: ID!
  login: String!
}

type Repository implements Node {
  databaseId: Int
  defaultBranchRef: Ref
  id: ID!
  isArchived: Boolean!
  isDisabled: Boolean!
  isEmpty: Boolean!
  isPrivate: Boolean!
  name: String!
  nameWithOwner: String!
  object(expression: String, oid: GitObjectID): GitObject
  owner: RepositoryOwner!
  url: URI!
  visibility: RepositoryVisibility!
}

type Ref implements Node {
  id: ID!
  name: String!
  target: GitObject
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

type User implements Node & RepositoryOwner {
  avatarUrl(size: Int): URI!
  databaseId: Int
  id: ID!
  login: String!
  name: String
  url: URI!
}
"""


@functools.cache
def part() -> graphql.GraphQLSchema:
    """The part, ready to execute."""
    return graphql.build_schema(SDL)


@functools.cache
def published() -> graphql.GraphQLSchema:
    """GitHub's schema as ``@octokit/graphql-schema`` publishes it, fetched with npm once and kept.

    Raises:
        UnavailableError: there is no npm, or it cannot reach its registry.
    """
    text = fetched(PACKAGE, "schema.graphql").read_text(encoding="utf-8")
    document = graphql.parse(text, no_location=True)
    return graphql.build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
