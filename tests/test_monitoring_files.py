"""deploy/monitoring/: every expression parses, and names metrics and labels that a scrape has."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from podium.app import ready_checks
from podium.jobs.messages.queues import COMMITS, USERS, Depth
from podium.monitoring import alarms
from podium.monitoring.alarms import AlarmFacts
from podium.monitoring.gauges import gauges, ready_gauges
from podium.monitoring.overview import ApiBudget, TokenStatus, WorkerRow, nothing_yet
from podium.monitoring.readiness import Check, Readiness, Stops
from podium.settings import Settings
from podium.storage.sqlite import SqliteDatabase
from podium.telemetry import metrics
from podium.telemetry.metrics import Gauge
from podium.telemetry.prometheus import Prometheus
from tests.support.metrics import samples

ROOT = Path(__file__).parent.parent
RULES = ROOT / "deploy" / "monitoring" / "podium.rules.yaml"
DASHBOARD = ROOT / "deploy" / "monitoring" / "podium.dashboard.json"
OPERATING = ROOT / "docs" / "operating.md"

# What Prometheus adds to every series.
OF_TARGETS = {"job", "instance"}
Labels = dict[str, set[str]]


def all_gauges() -> list[Gauge]:
    """Every gauge with a value, and each check that any process makes."""
    overview = dataclasses.replace(
        nothing_yet(0.0),
        queues={COMMITS: Depth(), USERS: Depth()},
        budget=(ApiBudget("core", 60, 59, 1.0),),
        tokens=(TokenStatus(1, 1.0, 2.0, ("sso",)),),
        workers=(WorkerRow("a", "h", 1, "0", (COMMITS, USERS), 0.0, 0.0, alive=True, problem=None, revision=None),),
    )
    facts = AlarmFacts(
        1,
        1.0,
        {"host-away": 1},
        1,
        1,
        {"internal": 1},
        {"disk": 1},
        {"no_progress": 1},
        {COMMITS: 1.0},
        {"host": 1},
        {"host": 1.0},
        {"people": 1},
        1,
        1.0,
        {"github.com": 1},
        {"github.com": 1},
    )
    fails = [Check(name, "It fails", Stops.WORK, lambda: "why") for name in sorted(check_names())]
    return [
        Gauge("podium_up", "", (), {(): 1.0}),
        *gauges(overview),
        *alarms.gauges(facts),
        *ready_gauges(Readiness(fails)),
    ]


def check_names() -> set[str]:
    database = SqliteDatabase(Path("none"))
    made = [*ready_checks.database_checks(database), *ready_checks.counting_checks(Settings())]
    # Those that a server or a worker adds by itself.
    source = Path(ready_checks.__file__).read_text()
    return {check.name for check in made} | set(re.findall(r'Check\(\s*"([a-z-]+)"', source))


@pytest.fixture(scope="module")
def families() -> Labels:
    """The labels of every series that a process of Podium can have, by its name."""
    found = all_gauges()
    names: Labels = {gauge.name: set(gauge.labels) for gauge in found}
    for metric in metrics.ALL.values():
        labels = set(metric.labels)
        if metric.kind == "counter":
            names[metric.name] = labels
        else:
            names |= {
                f"{metric.name}_bucket": labels | {"le"},
                f"{metric.name}_sum": labels,
                f"{metric.name}_count": labels,
            }
    for name, pairs in samples(Prometheus(lambda: found).page()):
        names.setdefault(name, {label for label, _ in pairs})
    return names


@functools.cache
def rules() -> list[dict[str, Any]]:
    return [rule for group in YAML(typ="safe").load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], one["expr"]) for panel in panels() for one in panel.get("targets", ()))


def labels_of(expression: Any, families: Labels, checks: set[str]) -> set[str]:
    """Check every metric and label below ``expression``; return the labels of its result."""
    match expression:
        case promql_parser.VectorSelector():
            assert expression.name in families, f"no process has the metric {expression.name}"
            labels = families[expression.name] | OF_TARGETS
            for matcher in expression.matchers.matchers:
                assert matcher.name in labels, f"{expression.name} has no label {matcher.name}"
                if matcher.name == "check":
                    assert matcher.value in checks, f"no process makes the check {matcher.value}"
            return labels
        case promql_parser.MatrixSelector():
            return labels_of(expression.vector_selector, families, checks)
        case promql_parser.AggregateExpr():
            below = labels_of(expression.expr, families, checks)
            by = set(expression.modifier.labels) if expression.modifier else set()
            assert by <= below, f"{by - below} is no label below {expression.prettify()}"
            return by
        case promql_parser.Call():
            return set().union(*(labels_of(each, families, checks) for each in expression.args))
        case promql_parser.BinaryExpr():
            return labels_of(expression.lhs, families, checks) | labels_of(expression.rhs, families, checks)
        case promql_parser.ParenExpr():
            return labels_of(expression.expr, families, checks)
        case promql_parser.NumberLiteral():
            return set()
    raise AssertionError(f"{type(expression)} is not checked")


@pytest.mark.parametrize(("name", "text"), list(expressions()))
def test_every_expression_uses_metrics_and_labels_that_exist(families: Labels, name: str, text: str) -> None:
    labels_of(promql_parser.parse(text.replace("$job", ".*")), families, check_names())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alarm_says_what_happened_and_where_its_runbook_is(families: Labels, rule: dict[str, Any]) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Podium[A-Z][A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"[1-9]\d?[mh]", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    if rule["labels"]["severity"] != "info":
        assert rule["for"] in ("1m", "2m", "3m", "5m")
    notes = rule["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    assert notes["summary"].endswith(".") and notes["description"].endswith(".")
    labels = labels_of(promql_parser.parse(rule["expr"]), families, check_names())
    used = set(re.findall(r"\$labels\.(\w+)", notes["summary"] + notes["description"]))
    assert used <= labels, f"the result has no label {used - labels}"
    address, _, anchor = notes["runbook_url"].partition("#")
    assert address == "https://podium.example.org/docs/operating.md"
    assert anchor in anchors()


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", OPERATING.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_alarm_has_the_name_of_another() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_each_check_has_an_alarm() -> None:
    text = RULES.read_text()
    # A refused token has an alarm with its place.
    assert {name for name in check_names() if f'check="{name}"' not in text} == {"token"}


def test_every_metric_is_documented(families: Labels) -> None:
    text = OPERATING.read_text()
    ours = {gauge.name for gauge in all_gauges()} | metrics.ALL.keys()
    assert {name for name in ours if f"`{name}`" not in text} == set()


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["uid"] == "podium" and dashboard["schemaVersion"] >= 39
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(panels()))) <= variables
    taken = [
        (panel["gridPos"]["x"] + dx, panel["gridPos"]["y"] + dy)
        for panel in panels()
        for dx in range(panel["gridPos"]["w"])
        for dy in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken)), "panels lie on each other"
    assert all(x < 24 for x, _ in taken)
