"""The ranking, as one SQL text put together from fixed fragments. Pure: text in, text out.

The same text runs on SQLite and PostgreSQL, and everything that a user chose reaches it as a parameter: the rules
only choose among the fragments below. Its steps, each a named part of the statement:

=======  ==============================================================================================
active   what each row of CommitData did within the window (only where there is one)
adopted  the identities of the mailmap that bring rows to an account, or that are a tool
linked   each row of CommitData of the repository, what it counts under the rules, and its account, if any
owned    each row with the account, else the identity, whose row of the board it belongs to
grouped  one row for each of those
board    those that the rules rank
totals   of the whole board
page     those of the board that were asked for, in their places
faces    the rows of CommitData behind the page, each with its group's sums; the first names the group
=======  ==============================================================================================

Who belongs together: an account beats the mailmap. Rows of one account are one row of the board. With the mailmap, a
row without an account joins the account of its mailmap identity if that identity has exactly one; with none or with
several, the rows without an account are one row of the board by their identity. Without the mailmap they are one
row for each e-mail. Names alone never merge two rows.

What is a bot: an account of which the host itself says so (an e-mail is anybody's word); else a row of the board of
which every e-mail is a bot's or an agent's, or whose mailmap identity *is* one (a mailmap may map odd addresses to a
bot's). A person to whom the mailmap maps a bot's address stays a person. An account that the host gave for a tool's
address is not believed unless it is marked a bot: somebody has registered that address as their own, and would be
credited with all that the tool did.

Only narrow rows travel through the first steps, and e-mails, names and sums are fetched for the page alone: SQLite
copies what it groups, and the width of the copies is most of the time.
"""

from __future__ import annotations

from podium.leaderboard.rules import Rules

_COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")

_ACTIVE = """
active AS (
    SELECT commit_data_id, {sums}
    FROM weekly_activity
    WHERE repository_id = :repository AND {bounds}
    GROUP BY commit_data_id
), """

# A contributor is looked up for tools only, of which there are few.
_ACCOUNT = """CASE
            WHEN c.kind = 'human' OR k.source = 'noreply'
                OR (SELECT p.is_bot AND p.enriched_at IS NOT NULL FROM contributor p WHERE p.id = k.contributor_id)
            THEN k.contributor_id END"""
_KNOWN = "LEFT JOIN known_email k ON k.host = :github_host AND k.email = c.email"
# Rows that did nothing in the window still tell who belongs together, and since when.
_IN_WINDOW = "LEFT JOIN active a ON a.commit_data_id = c.id"

# Where every row of an identity has the identity's own e-mail, all have the same account and kind already: only the
# others are looked at, so that a mailmap costs what it maps. (CROSS JOIN keeps SQLite from looking at all of them.)
_ADOPTED = """
mapped AS (
    SELECT email, kind, mailmap_email, mailmap_identity
    FROM commit_data
    WHERE repository_id = :repository AND mailmap_identity <> email
), members AS (
    SELECT * FROM mapped
    UNION ALL
    SELECT c.email, c.kind, c.mailmap_email, c.mailmap_identity
    FROM (SELECT DISTINCT mailmap_identity FROM mapped) i CROSS JOIN commit_data c
    WHERE c.repository_id = :repository AND c.email = i.mailmap_identity
        AND c.mailmap_identity = i.mailmap_identity
), witnesses AS (
    SELECT c.mailmap_identity AS identity,
        {account} AS account,
        CASE WHEN c.kind <> 'human' AND c.email = c.mailmap_email THEN 1 ELSE 0 END AS is_tool
    FROM members c {known}
), adopted AS (
    SELECT identity,
        CASE WHEN MAX(is_tool) = 0 THEN MIN(account) END AS owner,
        MAX(is_tool) AS is_tool
    FROM witnesses
    GROUP BY identity
    HAVING MIN(account) = MAX(account) OR MAX(is_tool) = 1
), """

_LINKED = """
linked AS (
    SELECT c.id, {identity} AS identity,
        {counted} AS counted,
        {first} AS first_at,
        CASE WHEN c.kind = 'human' THEN 0 ELSE 1 END AS is_tool,
        {account} AS account
    FROM commit_data c
        {joins}
    WHERE c.repository_id = :repository
), """

_OWNED = """
owned AS (
    SELECT l.id, l.counted, l.first_at,
        COALESCE(l.account, o.owner) AS owner,
        CASE WHEN COALESCE(l.account, o.owner) IS NULL THEN l.identity END AS identity,
        CASE WHEN l.account IS NULL AND o.is_tool = 1 THEN 1 ELSE l.is_tool END AS is_tool
    FROM linked l LEFT JOIN adopted o ON o.identity = l.identity
), """

_OWNED_AS_LINKED = """
owned AS (
    SELECT id, counted, first_at, is_tool,
        account AS owner,
        CASE WHEN account IS NULL THEN identity END AS identity
    FROM linked
), """

# Who is on the board for as many commits since the same second is listed by the number of the account, else by e-mail.
_BOARD = """
grouped AS (
    SELECT owner, identity, SUM(counted) AS counted, MIN(first_at) AS first_at, MIN(is_tool) AS is_tool
    FROM owned
    GROUP BY owner, identity
), board AS (
    SELECT g.owner, g.identity, g.counted, g.first_at, p.account_id, {is_bot} AS is_bot
    FROM grouped g LEFT JOIN contributor p ON p.id = g.owner
    WHERE g.counted > 0 AND {bots}
), totals AS (
    SELECT COUNT(*) AS total, SUM(counted) AS ranked FROM board
), page AS (
    SELECT board.*, {key} AS row_key
    FROM board
    ORDER BY counted DESC, first_at, account_id IS NULL, account_id, identity
    LIMIT :limit OFFSET :offset
), faces AS (
    SELECT {key} AS row_key,
        c.email, c.name, c.mailmap_email, c.mailmap_name,
        SUM({source}.merge_count) OVER of_group AS merge_count,
        SUM({source}.co_authored_count + {source}.co_authored_merge_count) OVER of_group AS co_authored_count,
        MAX({last}) OVER of_group AS last_at,
        ROW_NUMBER() OVER (
            PARTITION BY owned.owner, owned.identity
            ORDER BY owned.counted DESC, c.commit_count + c.merge_count DESC, c.email, c.name
        ) AS place_in_group
    FROM owned JOIN commit_data c ON c.id = owned.id {joins}
    WHERE CASE WHEN owned.owner IS NULL
        THEN owned.identity IN (SELECT identity FROM page WHERE identity IS NOT NULL)
        ELSE owned.owner IN (SELECT owner FROM page WHERE owner IS NOT NULL) END
    WINDOW of_group AS (PARTITION BY owned.owner, owned.identity)
)
SELECT totals.total, CAST(COALESCE(totals.ranked, 0) AS BIGINT) AS ranked,
    page.owner, page.is_bot, page.first_at, faces.last_at,
    CAST(page.counted AS BIGINT) AS commit_count,
    CAST(faces.merge_count AS BIGINT) AS merge_count,
    CAST(faces.co_authored_count AS BIGINT) AS co_authored_count,
    faces.email, faces.name, faces.mailmap_email, faces.mailmap_name,
    p.account_id, p.username, p.name AS account_name, p.avatar_url, p.profile_url, p.enriched_at
FROM totals
    LEFT JOIN page ON TRUE
    LEFT JOIN faces ON faces.row_key = page.row_key AND faces.place_in_group = 1
    LEFT JOIN contributor p ON p.id = page.owner
ORDER BY page.counted DESC, page.first_at, page.account_id IS NULL, page.account_id, page.identity"""

# An e-mail may be any text, a number too: the letter keeps accounts and identities apart.
_KEY = "CASE WHEN owner IS NULL THEN 'e' || identity ELSE 'a' || CAST(owner AS TEXT) END"

_IS_BOT = "CASE WHEN (p.is_bot AND p.enriched_at IS NOT NULL) OR g.is_tool = 1 THEN 1 ELSE 0 END"
_BOTS = {"include": "TRUE", "exclude": f"{_IS_BOT} = 0", "only": f"{_IS_BOT} = 1"}


def ranking_sql(rules: Rules) -> str:
    """The statement that ranks one repository under ``rules``.

    Parameters: ``repository``; ``github_host`` unless identities are off; ``since`` and ``until`` where the rules
    have them; ``limit`` and ``offset``.

    Result: the rows of the page in order. Each carries ``total`` (rows) and ``ranked`` (commits) of the whole board;
    where the page is empty there is one row with those two and NULL for everything else.
    """
    first, last = _extremes(rules)
    account = _ACCOUNT if rules.identities else "CAST(NULL AS BIGINT)"
    known = _KNOWN if rules.identities else ""
    in_window = _IN_WINDOW if rules.windowed else ""
    source = "a" if rules.windowed else "c"
    return "".join(
        (
            "WITH",
            _active(rules) if rules.windowed else "",
            _ADOPTED.format(account=account, known=known) if rules.mailmap else "",
            _LINKED.format(
                identity="c.mailmap_identity" if rules.mailmap else "c.email",
                counted=_counted(rules, source),
                first=first,
                account=account,
                joins=f"{known} {in_window}",
            ),
            _OWNED if rules.mailmap else _OWNED_AS_LINKED,
            _BOARD.format(
                is_bot=_IS_BOT,
                bots=_BOTS[rules.bots],
                key=_KEY,
                source=source,
                last=last,
                joins=in_window,
            ),
        )
    )


def _active(rules: Rules) -> str:
    bounds = [] if rules.since is None else ["week >= :since"]
    bounds += [] if rules.until is None else ["week < :until"]
    sums = ", ".join(f"SUM({count}) AS {count}" for count in _COUNTS)
    return _ACTIVE.format(sums=sums, bounds=" AND ".join(bounds))


def _counted(rules: Rules, source: str) -> str:
    counts = ["commit_count"]
    if rules.merges:
        counts.append("merge_count")
    if rules.co_authors:
        counts.append("co_authored_count")
        if rules.merges:
            counts.append("co_authored_merge_count")
    return " + ".join(f"COALESCE({source}.{count}, 0)" for count in counts)


def _extremes(rules: Rules) -> tuple[str, str]:
    kinds = ["commit"]
    kinds += ["merge"] if rules.merges else []
    kinds += ["co_authored"] if rules.co_authors else []
    return (
        _extreme("<", [f"c.first_{kind}_at" for kind in kinds]),
        _extreme(">", [f"c.last_{kind}_at" for kind in kinds]),
    )


def _extreme(sign: str, columns: list[str]) -> str:
    """The least (``<``) or greatest (``>``) of ``columns`` that is not NULL.

    SQLite spells it MIN and MAX, which give NULL where one is; PostgreSQL LEAST and GREATEST, which pass it over.
    """
    best = columns[0]
    for column in columns[1:]:
        best = f"CASE WHEN {best} IS NULL OR {column} {sign} {best} THEN {column} ELSE {best} END"
    return best
