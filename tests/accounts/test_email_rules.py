"""Classification of e-mails by their text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.accounts.email_rules import Classified, classify_email
from podium.bots.known_tools import AGENT_APPS
from podium.bots.noreply import NoreplyAccount
from tests.support.growth import growth


@pytest.mark.parametrize(
    ("email", "account"),
    [
        ("583231+octocat@users.noreply.github.com", NoreplyAccount(583231, "octocat")),
        ("1+trailing-@users.noreply.github.com", NoreplyAccount(1, "trailing-")),
        ("7+double--hyphen@users.noreply.github.com", NoreplyAccount(7, "double--hyphen")),
        ("9+managed_acme@users.noreply.github.com", NoreplyAccount(9, "managed_acme")),
        (f"{2**63 - 1}+last@users.noreply.github.com", NoreplyAccount(2**63 - 1, "last")),
        ("octocat@users.noreply.github.com", NoreplyAccount(None, "octocat")),
    ],
)
def test_a_noreply_address_names_its_account(email: str, account: NoreplyAccount) -> None:
    assert classify_email(email) == Classified("human", account)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "@",
        "octocat",
        "octocat@github.com",
        "@users.noreply.github.com",
        "+octocat@users.noreply.github.com",
        "0+octocat@users.noreply.github.com",
        "007+octocat@users.noreply.github.com",
        f"{2**63}+octocat@users.noreply.github.com",
        "99999999999999999999+octocat@users.noreply.github.com",
        "-1+octocat@users.noreply.github.com",
        "1+2+octocat@users.noreply.github.com",
        "1+octo cat@users.noreply.github.com",
        "1+octo.cat@users.noreply.github.com",
        "1+octocat\n@users.noreply.github.com",
        "1+octocat@users.noreply.github.com\n",
        "1+octocat@users.noreply.github.com.evil.example",
        "1+octocat@x@users.noreply.github.com",
        "٣+octocat@users.noreply.github.com",
        "1+öctocat@users.noreply.github.com",
        "1+<script>@users.noreply.github.com",
        "1+" + "a" * 300 + "@users.noreply.github.com",
        "1+octocat@users.noreply.github.example.com",
    ],
)
def test_anything_else_names_no_account(email: str) -> None:
    assert classify_email(email) == Classified("human", None)


def test_an_app_is_a_bot_and_has_an_account() -> None:
    assert classify_email("49699333+dependabot[bot]@users.noreply.github.com") == Classified(
        "bot", NoreplyAccount(49699333, "dependabot[bot]")
    )
    assert classify_email("acme-robot[bot]@users.noreply.github.com") == Classified(
        "bot", NoreplyAccount(None, "acme-robot[bot]")
    )


def test_the_number_of_a_well_known_app_is_known_at_its_host() -> None:
    email = "renovate[bot]@users.noreply.{}"
    assert classify_email(email.format("github.com")).account == NoreplyAccount(29139614, "renovate[bot]")
    assert classify_email(email.format("git.example.com"), "git.example.com").account == NoreplyAccount(
        None, "renovate[bot]"
    )


def test_another_number_before_the_login_of_a_well_known_app_is_not_the_app() -> None:
    email = "1+dependabot[bot]@users.noreply.{}"
    assert classify_email(email.format("github.com")) == Classified("bot", NoreplyAccount(1, ""))
    assert classify_email(email.format("git.example.com"), "git.example.com").account == NoreplyAccount(
        1, "dependabot[bot]"
    )


def test_apps_that_are_ai_agents_are_agents() -> None:
    for login in AGENT_APPS:
        assert login.endswith("[bot]")
        assert classify_email(f"12345+{login}@users.noreply.github.com").kind == "agent"
        assert classify_email(f"{login}@users.noreply.github.com").kind == "agent"


def test_github_itself_is_a_bot_without_an_account() -> None:
    assert classify_email("noreply@github.com") == Classified("bot", None)


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("41898282+github-actions[bot]@users.noreply.github.com", "bot"),
        ("66853113+pre-commit-ci[bot]@users.noreply.github.com", "bot"),
        ("renovate@whitesourcesoftware.com", "bot"),
        ("snyk-bot@snyk.io", "bot"),
        ("20407524+k8s-ci-robot@users.noreply.github.com", "bot"),
        ("project_123_bot_4ffca233d8298ea1@noreply.gitlab.example.com", "bot"),
        ("65916846+actions-user@users.noreply.github.com", "bot"),
        ("25180681+renovate-bot@users.noreply.github.com", "bot"),
        ("snyk-bot@users.noreply.github.com", "bot"),
        ("me@scala-steward.org", "bot"),
        ("46447321+allcontributors[bot]@users.noreply.github.com", "bot"),
        ("36490558+regro-cf-autotick-bot@users.noreply.github.com", "bot"),
        ("no-reply@anthropic.com", "agent"),
        ("noreply@kimi.com", "agent"),
        ("noreply@pi.dev", "agent"),
        ("215619710+anthropic-claude[bot]@users.noreply.github.com", "agent"),
        ("208546643+claude-code-action[bot]@users.noreply.github.com", "agent"),
        ("220155983+jetbrains-ai[bot]@users.noreply.github.com", "agent"),
        ("noreply@anthropic.com", "agent"),
        ("198982749+copilot@users.noreply.github.com", "agent"),
        ("cursoragent@cursor.com", "agent"),
        ("158243242+devin-ai-integration[bot]@users.noreply.github.com", "agent"),
        ("161369871+google-labs-jules[bot]@users.noreply.github.com", "agent"),
        ("claude@example.com", "human"),
        ("someone@anthropic.com", "human"),
        ("someone@github.com", "human"),
        ("lorenzozabot@gmail.com", "human"),
        ("noreply@example.com", "human"),
    ],
)
def test_bots_and_agents_are_recognised_by_address(email: str, kind: str) -> None:
    assert classify_email(email).kind == kind


def test_a_bots_login_after_another_number_is_not_a_bot() -> None:
    assert classify_email("583231+copilot@users.noreply.github.com").kind == "human"
    assert classify_email("583231+k8s-ci-robot@users.noreply.github.com").kind == "human"


def test_noreply_accounts_belong_to_the_configured_github() -> None:
    email = "12+mona@users.noreply.git.example.com"
    assert classify_email(email, "git.example.com").account == NoreplyAccount(12, "mona")
    assert classify_email(email, "git.example.com:8443").account == NoreplyAccount(12, "mona")
    assert classify_email(email).account is None
    # Accounts of github.com have other numbers at another GitHub; bots are bots everywhere.
    foreign = classify_email("49699333+dependabot[bot]@users.noreply.github.com", "git.example.com")
    assert foreign == Classified("bot", None)


@settings(max_examples=40)
@given(st.text() | st.from_regex(r"[0-9]{0,30}\+?[a-z0-9_\-\[\]]{0,80}@users\.noreply\.github\.com"))
def test_any_text_can_be_classified(email: str) -> None:
    found = classify_email(email)
    assert found.kind in ("human", "bot", "agent")
    if found.account is not None:
        assert found.account.account_id is None or 0 < found.account.account_id < 2**63
        assert found.account.login or found.account.account_id


def test_a_huge_address_is_not_examined() -> None:
    size = 100_000
    huge = {n: "1" * n + "+" + "a" * n + "@users.noreply.github.com" for n in (size, 2 * size)}
    assert growth(lambda n: classify_email(huge[n]), size) < 4
    assert classify_email(huge[size]) == Classified("human", None)
