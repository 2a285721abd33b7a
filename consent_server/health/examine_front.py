"""Ask this server at its own addresses, and see what the web server in front makes of the request."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Request

from consent_server.core import outgoing
from consent_server.core.context import Context
from consent_server.core.outgoing import Answer, Unanswered
from consent_server.health.rules_findings import Finding, Level
from consent_server.health.rules_front import Seen, front_faults

HEADER = "X-Consent-Doctor"
# Kept for documentation (RFC 5737): no visitor has it, but any can send it.
MADE_UP = "192.0.2.1"
LONGEST = 10_000
# Whoever saw the question on its way can ask it for so long, and learns what he was sent.
VALID = timedelta(minutes=1)


def examine_front(ctx: Context) -> Iterator[Finding]:
    """What is wrong in front of the public address and of the consoles', as far as they are reached from here."""
    settings = ctx.settings
    for address in dict.fromkeys((settings.public_url, settings.sign_in_url)):
        question = ctx.signer("doctor").sign(str(int(ctx.now().timestamp())))
        try:
            answer = outgoing.get(f"{address}/healthz", LONGEST, {HEADER: question, "X-Forwarded-For": MADE_UP})
        except Unanswered as error:
            said = f"What the web server in front says of visitors was not looked at: from here {error}."
            yield Finding(Level.NOTE, address, said)
            continue
        seen = _read(answer)
        if seen is None:
            yield Finding(Level.WRONG, address, _not_ours(answer))
            continue
        faults = list(front_faults(address, settings.trusted_proxies, seen))
        yield from (Finding(Level.WRONG, address, said) for said in faults)
        if not faults:
            yield Finding(Level.OK, address, "The web server in front says who asks, for what host and path, and how.")


def describe_request(ctx: Context, request: Request) -> dict[str, Any]:
    """What `/healthz` says beside that it is there: to who has this server's secret, how the request came."""
    asked_at = ctx.signer("doctor").read(request.headers.get(HEADER, ""))
    if asked_at is None or abs(ctx.now().timestamp() - int(asked_at)) > VALID.total_seconds():
        return {}
    addresses = [address.strip() for address in request.headers.get("X-Forwarded-For", "").split(",")]
    seen = Seen(
        scheme=request.scheme,
        host=request.host,
        prefix=request.script_root,
        addresses=len([address for address in addresses if address]),
        kept=MADE_UP in addresses,
        believed=request.remote_addr == MADE_UP,
    )
    return {"seen": asdict(seen)}


def _read(answer: Answer) -> Seen | None:
    try:
        return Seen(**json.loads(answer.body)["seen"])
    except (ValueError, TypeError, KeyError):
        return None


def _not_ours(answer: Answer) -> str:
    if location := answer.headers.get("Location"):
        return f"/healthz there leads to {location}: is that the address that visitors use, with its http or https?"
    if answer.status == 200 and answer.content_type == "application/json":
        return "Another consent server answers there: one of another version, or with another secret key."
    said = f"/healthz there answers {answer.status} ({answer.content_type})"
    return f"{said}: does the web server hand on to this server what comes there?"
