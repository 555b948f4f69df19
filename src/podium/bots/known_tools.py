"""Known bots and AI agents, by the e-mails and logins in their commits.

Each address is written by a tool itself; its comment names the source. Names and company domains do not identify a bot.
GitHub Apps need no entry here: their logins end in ``[bot]``.

Other accounts are listed with their number. Logins are reused, and anyone can write any login after another account's
number, so ``583231+copilot@users.noreply.github.com`` is not Copilot.
"""

from __future__ import annotations

BOT_EMAILS = frozenset(
    {
        # GitHub itself, for commits made on its site ("web-flow").
        "noreply@github.com",
        "19864447+web-flow@users.noreply.github.com",
        # GitHub Actions; workflows often configure the three without a number.
        "action@github.com",
        "actions@github.com",
        "github-actions@github.com",
        # GitHub's account for scripts in workflows: the documentation of several actions, with and without its number.
        "65916846+actions-user@users.noreply.github.com",
        "actions-user@users.noreply.github.com",
        # Dependabot and its predecessor: dependabot-core's gemspec and specs.
        "support@dependabot.com",
        # Renovate: gitAuthor in its source, old and new.
        "bot@renovateapp.com",
        "renovate@whitesourcesoftware.com",
        # The account of Renovate's forking app, whose number is in nusmodifications/nusmods' source.
        "25180681+renovate-bot@users.noreply.github.com",
        # Renovate's first address: commits in googleapis/nodejs-pubsub.
        "renovatebot@gmail.com",
        # Greenkeeper: greenkeeper-lockfile's source.
        "support@greenkeeper.io",
        # Snyk: its documentation.
        "snyk-bot@snyk.io",
        "19733683+snyk-bot@users.noreply.github.com",
        # Before noreply addresses had numbers: eggjs/egg-bin's changelog. The last: commits in mislav/hub.
        "snyk-bot@users.noreply.github.com",
        "admin+snyk-bot@snyk.io",
        # pyup: commits in many changelogs.
        "github-bot@pyup.io",
        # semantic-release: COMMIT_EMAIL in its source.
        "semantic-release-bot@martynus.net",
        # ImgBot: its source and documentation.
        "imgbothelp@gmail.com",
        # Gitter's badge bot: commits in many repositories.
        "badger@gitter.im",
        # DeepSource.
        "bot@deepsource.io",
        # Travis CI: the default of dpl, and the usual one in scripts.
        "deploy@travis-ci.org",
        "builds@travis-ci.org",
        # Translations: Hosted Weblate (its documentation), Weblate's default, Crowdin's action (its documentation).
        "hosted@weblate.org",
        "noreply@weblate.org",
        "support+bot@crowdin.com",
        # Merge queues: Rust's bors, and homu, its predecessor.
        "bors@rust-lang.org",
        "homu@barosl.com",
        # Mergify before it was an App: a commit in typelevel/cats-effect.
        "noreply@mergify.io",
        # Kubernetes' Prow: merges in kubernetes/kubernetes, Prow's configuration.
        "k8s-ci-robot@users.noreply.github.com",
        "20407524+k8s-ci-robot@users.noreply.github.com",
        "k8s.ci.robot@gmail.com",
        # Homebrew: homebrew-test-bot's source.
        "1589480+brewtestbot@users.noreply.github.com",
        # Julia's CompatHelper: its source.
        "compathelper_noreply@julialang.org",
        # Scala Steward: its documentation, and 847 commits in typelevel/cats-effect; the older one there, too.
        "me@scala-steward.org",
        "scala-steward@timepit.eu",
        # conda-forge's bot for new versions and its administrator: commits in conda-forge/numpy-feedstock.
        "36490558+regro-cf-autotick-bot@users.noreply.github.com",
        "circleci@cf-graph.regro.github.com",
        "pelson.pub+conda-forge@gmail.com",
        "chrisburr73+conda-forge-admin@gmail.com",
        "condaforge@gmail.com",
        # Google's client libraries: commits in googleapis/nodejs-pubsub.
        "yoshi-automation@google.com",
        "44816363+yoshi-automation@users.noreply.github.com",
        "dpebot@google.com",
        # Ansible's and Red Hat's: commits in ansible/ansible.
        "ansibot@users.noreply.github.com",
        "inclusive-coding-bot@github.com",
        "102100353+inclusive-coding-bot@users.noreply.github.com",
        # Google's Copybara, Flutter's autorollers: commits in their repositories.
        "copybara-worker@google.com",
        "engine-flutter-autoroll@skia.org",
        "skia-flutter-autoroll@skia.org",
    }
)

# The product of each address.
AGENT_EMAILS = {
    # Claude Code: anthropics/claude-code issue 36105.
    "noreply@anthropic.com": "Claude",
    # A variant in a commit of pypi/warehouse.
    "no-reply@anthropic.com": "Claude",
    # GitHub Copilot: microsoft/vscode pull request 309951; VS Code's git.addAICoAuthor before that.
    "198982749+copilot@users.noreply.github.com": "Copilot",
    "175728472+copilot@users.noreply.github.com": "Copilot",
    "223556219+copilot@users.noreply.github.com": "Copilot",
    "copilot@github.com": "Copilot",
    # Cursor: its trailer (storybookjs/storybook, vllm-project/vllm).
    "cursoragent@cursor.com": "Cursor",
    # OpenAI Codex: its documentation of commit_attribution names the account.
    "noreply@openai.com": "Codex",
    "codex@openai.com": "Codex",
    "267193182+codex@users.noreply.github.com": "Codex",
    # Gemini CLI's account.
    "218195315+gemini-cli@users.noreply.github.com": "Gemini",
    # Aider: its source, and Aider-AI/aider issue 4226.
    "aider@aider.chat": "Aider",
    "noreply@aider.chat": "Aider",
    # Amp: its trailer (paradigmxyz/reth and others).
    "amp@ampcode.com": "Amp",
    # OpenHands: its system prompt and workspace setup.
    "openhands@all-hands.dev": "OpenHands",
    # opencode, Crush, Qwen Code: their sources.
    "noreply@opencode.ai": "opencode",
    "crush@charm.land": "Crush",
    "qwen-coder@alibabacloud.com": "Qwen",
    # Kimi: contribution guides that prescribe the trailer. Pi: its extensions, and commits in rails/rails.
    "noreply@kimi.com": "Kimi",
    "noreply@pi.dev": "Pi",
    # Kiro, JetBrains Junie, Warp, Replit Agent, v0: trailers and commits in many repositories.
    "244629292+kiro-agent@users.noreply.github.com": "Kiro",
    "junie@jetbrains.com": "Junie",
    "agent@warp.dev": "Warp",
    "oz-agent@warp.dev": "Warp",
    "agent@replit.com": "Replit",
    "it+v0agent@vercel.com": "v0",
}

# GitHub Apps that are AI agents, and their products: the list of chaoss/ai-detection-action, and commits.
AGENT_APPS = {
    "amazon-q-developer[bot]": "Amazon Q",
    "anthropic-claude[bot]": "Claude",
    "chatgpt-codex-connector[bot]": "Codex",
    "claude[bot]": "Claude",
    "claude-code-action[bot]": "Claude",
    "cline[bot]": "Cline",
    "coderabbitai[bot]": "CodeRabbit",
    "continue[bot]": "Continue",
    "copilot-swe-agent[bot]": "Copilot",
    "copilot[bot]": "Copilot",
    "cursor[bot]": "Cursor",
    "devin-ai-integration[bot]": "Devin",
    "factory-droid[bot]": "Factory Droid",
    "gemini-code-assist[bot]": "Gemini",
    "google-labs-jules[bot]": "Jules",
    "gpt-engineer-app[bot]": "GPT Engineer",
    "jetbrains-ai[bot]": "JetBrains AI",
    "lovable-dev[bot]": "Lovable",
    "openai-codex[bot]": "Codex",
    "sourcegraph-cody[bot]": "Cody",
    "windsurf-bot[bot]": "Windsurf",
}

# The numbers of Apps at github.com: their noreply addresses in many histories.
APP_NUMBERS = {
    "allcontributors[bot]": 46447321,
    "dependabot-preview[bot]": 27856297,
    "dependabot[bot]": 49699333,
    "gcf-owl-bot[bot]": 78513119,
    "github-actions[bot]": 41898282,
    "google-labs-jules[bot]": 161369871,
    "greenkeeper[bot]": 23040076,
    "mergify[bot]": 37929162,
    "pre-commit-ci[bot]": 66853113,
    "release-please[bot]": 55107282,
    "renovate[bot]": 29139614,
}
