"""OpenTelemetry, where it is asked for: what a collector is sent, and that nothing of a visitor is in it."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import InvalidSettings
from tests.support.factories import Body, settings_for
from tests.support.visitor import post


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What a collector was sent."""
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield heard
    server.shutdown()
    server.server_close()


def test_a_collector_is_sent_routes_and_nothing_of_a_visitor(
    services: Context, database_url: str, body: Body, collector: list[bytes]
) -> None:
    app = create_app(settings_for(services.settings.instance, database_url, trusted_proxies=1), now=services.now)
    client = app.test_client(use_cookies=False)
    headers = {
        "User-Agent": "TELLTALE/1.0",
        "X-Forwarded-For": "203.0.113.9",
        "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
    }
    sent = body(page="https://shop.example/TELLTALE")
    recorded = post(client, sent, headers=headers)
    said = recorded.get_json()
    link = urlsplit(said["receipt_url"]).path
    assert client.get(f"{link}?lang=TELLTALE", headers=headers).status_code == 200
    assert client.get("/TELLTALE", headers=headers).status_code == 404
    assert client.open("/healthz", method="TELLTALE", headers=headers).status_code == 405
    assert app.extensions["traces"].force_flush()
    spans = [
        span
        for data in collector
        for resource in ExportTraceServiceRequest.FromString(data).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    names = ["POST /v1/sites/<key>/decisions", "GET /v1/receipts/<link>", "GET", "_OTHER"]
    assert [span.name for span in spans] == names
    statuses = [
        attribute.value.int_value for span in spans for attribute in span.attributes if "status" in attribute.key
    ]
    assert statuses == [201, 200, 404, 405]
    everything = b"".join(collector)
    signature = link.rpartition(".")[2]
    visitor, decision = UUID(said["visitor"].partition(".")[0]), UUID(str(sent["decision_id"]))
    for trace in ("TELLTALE", "203.0.113.9", "127.0.0.1", signature, str(visitor), str(decision), said["receipt"]):
        assert trace.encode() not in everything, trace
    # Nor the trace that somebody else began.
    assert bytes.fromhex("ab" * 16) not in everything


def test_where_it_is_not_asked_for_nothing_is_traced(services: Context, database_url: str) -> None:
    assert "traces" not in create_app(settings_for(services.settings.instance, database_url)).extensions


def test_without_the_packages_the_server_says_what_to_install(
    services: Context, database_url: str, collector: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InvalidSettings, match="Run: pip install opentelemetry-sdk"):
        create_app(settings_for(tmp_path, database_url))
    assert collector == []
