"""Rules of Prometheus, asked by its own tool about what a server really said."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

# Minutes at which the second text is read, and at which is asked what fires.
SECOND, ASKED = 6, 9


@dataclass(frozen=True, slots=True)
class Scrape:
    """What /metrics answered: None when it did not, as while the database is away."""

    text: str | None

    def samples(self) -> dict[str, float]:
        """By name and labels, as Prometheus keeps them."""
        named = {'up{instance="a",job="consent"}': float(self.text is not None)}
        for family in text_string_to_metric_families(self.text or ""):
            for sample in family.samples:
                labels = {**sample.labels, "instance": "a", "job": "consent"}
                text = ",".join(f'{name}="{value}"' for name, value in labels.items())
                named[f"{sample.name}{{{text}}}"] = sample.value
        return named


def require_firing(rules: Path, folder: Path, began: float, first: Scrape, second: Scrape, alerts: set[str]) -> None:
    """Exactly these alerts fire when a server says the first for six minutes, and then the second.

    `began` is the time of the first in seconds since 1970; promtool's clock begins at 0.
    """
    series = []
    before, after = first.samples(), second.samples()
    for name in before.keys() | after.keys():
        values = [_held(name, before.get(name), SECOND, began), _held(name, after.get(name), ASKED + 1 - SECOND, began)]
        series.append({"series": name, "values": " ".join(values)})
    firing = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)]
    asked: dict[str, object] = {"expr": 'count by (alertname) (count by (alertname) (ALERTS{alertstate="firing"}))'}
    asked |= {"eval_time": f"{ASKED}m", "exp_samples": firing}
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}
    file = folder / "alerts.test.yml"
    # JSON is YAML as well.
    file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}), "utf-8")
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _held(name: str, value: float | None, minutes: int, began: float) -> str:
    if value is None:
        return f"_x{minutes - 1}" if minutes > 1 else "_"
    if "timestamp_seconds" in name:
        value -= began
    # A clock goes on from one reading to the next; all else stands.
    step = 60 if name.startswith("consent_clock_") else 0
    return f"{value:f}+{step}x{minutes - 1}"
