"""The dashboard and alert rules in docs/monitoring are valid and use existing series."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

FOLDER = Path(__file__).parent
DOCS = FOLDER.parents[2] / "docs"
RULES = DOCS / "monitoring" / "alerts.yml"
DASHBOARD = json.loads((DOCS / "monitoring" / "grafana.json").read_text())
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
BUILT_IN = {"up": {"job"}, "ALERTS": {"alertname"}}


def selectors(expression):
    """Return (name, matched labels) of every series in an expression."""
    series = []

    def visit(node):
        if isinstance(node, promql.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql.VectorSelector):
            series.append((node.name, {matcher.name for matcher in node.matchers.matchers}))

    promql.walk(promql.parse(expression), visit)
    return series


def known(exported):
    """Return the sample names with their labels."""
    names = dict(BUILT_IN)
    for name, (kind, labels) in exported.items():
        if kind == "histogram":
            names |= {f"{name}_bucket": {*labels, "le"}, f"{name}_sum": set(labels), f"{name}_count": set(labels)}
        else:
            names[name] = set(labels)
    return names


def plain(expression):
    """Return the expression with Grafana's variables replaced."""
    return expression.replace("$__rate_interval", "5m").replace("$source", ".*")


@pytest.mark.parametrize(
    ("where", "expression"),
    [*((f"alert {rule['alert']}", rule["expr"]) for rule in ALERTS), *((f"panel {t}", plain(e)) for t, e in QUERIES)],
)
def test_every_expression_uses_existing_series_and_labels(exported, where, expression) -> None:
    names = known(exported)
    series = selectors(expression)
    assert series, f"{where} selects nothing"
    for name, labels in series:
        assert name in names, f"{where}: no series {name}"
        assert labels <= names[name] | {"job"}, f"{where}: {name} has no label {labels - names[name]}"


def test_every_series_is_on_the_dashboard_or_in_a_rule(exported) -> None:
    text = " ".join([rule["expr"] for rule in ALERTS] + [expression for _, expression in QUERIES])
    assert {name for name in exported if name not in text} == set()


def test_a_legend_uses_labels_that_the_expression_keeps() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), f"{panel['title']}: {label} is lost"


def test_every_alert_rule_has_severity_summary_and_description() -> None:
    assert len(ALERTS) == len({rule["alert"] for rule in ALERTS})
    page = (DOCS / "monitoring.md").read_text()
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert len(rule["annotations"]["description"]) > 40
        assert f"`{rule['alert']}`" in page, f"{rule['alert']} is not in docs/monitoring.md"


def test_panels_have_unique_ids_titles_and_positions() -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert set(taken.values()) == {1}, "panels overlap"
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert DASHBOARD["templating"]["list"][0]["name"] == "datasource"


def test_promtool_accepts_the_rules(promtool) -> None:
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(ALERTS)} rules found" in done.stdout


def test_each_alert_rule_fires_in_its_case_only(promtool, tmp_path: Path) -> None:
    cases = (FOLDER / "alerts_test.yml").read_text()
    assert {rule["alert"] for rule in ALERTS} <= set(re.findall(r'alertname="(\w+)"', cases)), "an alert has no case"
    (tmp_path / "cases.yml").write_text(cases.replace("RULES", str(RULES)))
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "cases.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
