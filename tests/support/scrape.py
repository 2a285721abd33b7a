"""Reads the figures of a server as a monitoring system does."""

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

LABELS = ("site", "action", "reason", "version")


Samples = dict[tuple[str, ...], float]


def scrape(client: FlaskClient, headers: dict[str, str]) -> Samples:
    """Each sample's value by its name and the values of its labels."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    families = list(text_string_to_metric_families(response.text))
    assert all(family.documentation for family in families)
    return {
        (one.name, *(one.labels[name] for name in LABELS if name in one.labels)): one.value
        for family in families
        for one in family.samples
    }
