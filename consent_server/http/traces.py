"""Traces by OpenTelemetry, where the operator asks for them: what was asked for, by its route, and how it went.

The spans are made here. Those of an instrumentation package hold the caller's address, the browser, and the whole
address that was asked for: with its query, and with the part of a receipt's link that opens it.
"""

import os
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from consent_server import __version__
from consent_server.core.errors import InvalidSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask) -> None:
    """Have each request traced, if the environment says where traces go. Raises InvalidSettings without the packages.

    Without that nothing is loaded and nothing done.
    """
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        trace(app, _exporting())


def _exporting() -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidSettings(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages for it are not there."
            " Run: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        ) from error
    service = os.environ.get("OTEL_SERVICE_NAME", "consent-server")
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def trace(app: Flask, provider: "TracerProvider") -> None:
    """Have this provider told of each request: method, route, status and how long it took."""
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, StatusCode

    app.extensions["traces"] = provider
    tracer = provider.get_tracer("consent_server", __version__)

    @app.before_request
    def begin() -> None:
        # A trace of its own: one that a visitor's browser, or somebody on the way, began would tell whose it is.
        g.span = tracer.start_span("request", Context(), SpanKind.SERVER)

    @app.after_request
    def describe(response: Response) -> Response:
        if "span" in g:
            method = request.method if request.method in METHODS else "_OTHER"
            route = request.url_rule.rule if request.url_rule else ""
            g.span.update_name(f"{method} {route}".rstrip())
            g.span.set_attributes(
                {"http.request.method": method, "http.route": route, "http.response.status_code": response.status_code}
            )
            if response.status_code >= 500:
                g.span.set_status(StatusCode.ERROR)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if "span" in g:
            g.pop("span").end()
