"""Join widget code and notice into the scripts that a site's pages load, compressed once per version."""

import gzip
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import brotli

from consent_server.canonical import sha256_hex
from consent_server.domain.notice import Notice
from consent_server.domain.site import Tag
from consent_server.usecases.current_site import CurrentSite, revision

CONFIG_TEXTS = (
    "title", "intro", "accept", "refuse", "customise", "close", "privacy", "cookies", "gpc",
    "saved", "reopen", "failed",
)  # fmt: skip
PLACEHOLDER_TEXTS = ("placeholder", "once", "always")


@dataclass(frozen=True)
class Script:
    """A served script: the same bytes for everyone who asks for this version in this language."""

    text: str
    language: str

    @cached_property
    def identity(self) -> bytes:
        """As it is."""
        return self.text.encode()

    @cached_property
    def br(self) -> bytes:
        """Brotli (RFC 7932) at its best."""
        return bytes(brotli.compress(self.identity, mode=brotli.MODE_TEXT, quality=11))

    @cached_property
    def gzip(self) -> bytes:
        """Gzip (RFC 1952), without a time in it, so that equal scripts have equal bytes."""
        return gzip.compress(self.identity, 9, mtime=0)

    @cached_property
    def etag(self) -> str:
        """Names the version; each encoding adds its own name, since a strong tag is of bytes."""
        return sha256_hex(self.identity)[:32]


class ServeWidget:
    """Makes the scripts of a site, and keeps those of the notice in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], tuple[CurrentSite, Script]] = {}

    def main(self, current: CurrentSite, language: str) -> Script:
        """What a page loads: code, this site's notice in one language, and nothing else."""
        return self._script("main", current, language)

    def preferences(self, current: CurrentSite, language: str) -> Script:
        """What is loaded when a visitor opens the preferences: layer two with every vendor and cookie."""
        return self._script("preferences", current, language)

    def _script(self, part: str, current: CurrentSite, language: str) -> Script:
        key = (part, current.site.key, language)
        with self._lock:
            made = self._made.get(key)
            if made is None or not _same(made[0], current):
                made = (current, _make(part, current, language))
                self._made[key] = made
        return made[1]


def replay(notice: Notice, code: str, language: str) -> dict[str, Script]:
    """Both scripts as archived code shows this notice, by part: the very banner, without the ids of any tag."""
    main, _, preferences = code.partition("\n")
    tags = [Tag(vendor["key"], None, None) for vendor in notice.body["vendors"]]
    config = _config(notice, notice.body["site"], sha256_hex(code.encode()), tags, language)
    return {
        "main": Script(_called(main, config), language),
        "preferences": Script(_called(preferences, notice_detail(notice, language)), language),
    }


def _same(one: CurrentSite, other: CurrentSite) -> bool:
    return one.notice.hash == other.notice.hash and one.site == other.site and one.widget == other.widget


def _make(part: str, current: CurrentSite, language: str) -> Script:
    if part == "main":
        site = current.site
        config = _config(current.notice, site.key, current.widget.hash, site.tags, language)
        script = Script(_called(current.widget.main, config), language)
    else:
        script = Script(_called(current.widget.preferences, notice_detail(current.notice, language)), language)
    # Compressed here and now, under the lock: once per version and never per request.
    _ = script.br, script.gzip
    return script


def _called(code: str, data: Mapping[str, Any]) -> str:
    # "<" never stands in the data as itself, so that the script may also be pasted into a page.
    line = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f"{code}(\n{line}\n)\n"


def _config(notice: Notice, site: str, widget: str, tags: Sequence[Tag], language: str) -> dict[str, Any]:
    body = notice.body
    texts = body["texts"][language]
    gpc = notice.gpc_purposes
    return {
        "site": site,
        "notice": notice.hash,
        "revision": revision(body),
        "widget": widget[:16],
        "language": language,
        "languages": body["languages"],
        **({} if texts["direction"] == "ltr" else {"direction": texts["direction"]}),
        **({"advanced": True} if body["mode"] == "advanced" else {}),
        "days": body["choice_days"],
        "layout": body["layout"],
        "colours": body["colours"],
        "policy": {name: policy["url"] for name, policy in body["policy"].items()},
        "purposes": [
            {"key": p["key"], "signals": p["signals"]} | ({"gpc": True} if p["key"] in gpc else {})
            for p in body["purposes"]
        ],
        "vendors": _tags(body["vendors"], tags),
        "texts": {key: texts["banner"][key] for key in CONFIG_TEXTS},
    }


def _tags(vendors: Sequence[Mapping[str, Any]], tags: Sequence[Tag]) -> list[dict[str, Any]]:
    by_vendor = {tag.vendor: tag for tag in tags}
    return [_tag(vendor, by_vendor[vendor["key"]]) for vendor in vendors]


def _tag(vendor: Mapping[str, Any], tag: Tag) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "key": vendor["key"],
        "adapter": tag.adapter,
        "id": tag.id,
        "purposes": vendor["purposes"],
        "conversions": dict(tag.conversions),
    }
    return {key: value for key, value in entry.items() if value}


def notice_detail(notice: Notice, language: str) -> dict[str, Any]:
    """Layer two in one language: every vendor with its operator and its cookies, in words."""
    body, texts = notice.body, notice.body["texts"][language]
    controller = body["controller"]
    dpo = body.get("dpo")
    return {
        "notice": notice.hash,
        "language": language,
        "controller": f"{controller['name']}, {controller['address']}",
        "contact": controller["contact"],
        "dpo": ", ".join(dpo[key] for key in ("name", "role", "contact") if key in dpo) if dpo else "",
        "purposes": {key: purpose["text"] for key, purpose in texts["purposes"].items()},
        "names": {key: purpose["title"] for key, purpose in texts["purposes"].items()}
        | {vendor["key"]: vendor["name"] for vendor in body["vendors"]},
        "vendors": [_vendor_detail(vendor, texts) for vendor in body["vendors"]],
        "texts": texts["preferences"] | {key: texts["banner"][key] for key in PLACEHOLDER_TEXTS},
    }


def _vendor_detail(vendor: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, Any]:
    operator, declared = vendor["operator"], vendor.get("declared")
    named = (
        texts["preferences"]["declared"].format(declared=f"{declared['name']}, {declared['address']}")
        if declared
        else ""
    )
    return {
        "key": vendor["key"],
        "operator": f"{operator['name']}, {operator['address']}",
        "declared": named,
        "policy": vendor["policy_url"],
        "transfer": _transfer(vendor, texts),
        "cookies": [_cookie(cookie, texts) for cookie in vendor["cookies"]],
    }


def _transfer(vendor: Mapping[str, Any], texts: Mapping[str, Any]) -> str:
    transfer = vendor.get("transfer")
    if transfer is None:
        return ""
    recipients = [entity["name"] for entity in vendor.get("other_entities", ())] or [vendor["operator"]["name"]]
    sentence: str = texts["transfer"][transfer["mechanism"]]
    return sentence.format(recipient=", ".join(recipients), reference=transfer["reference"])


def _cookie(cookie: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, str]:
    preferences = texts["preferences"]
    endless = preferences["session" if cookie.get("expiry") == "session" else "no_expiry"]
    return {
        "name": cookie["name"],
        "lifetime": texts["lifetimes"][str(cookie["lifetime"])] if "lifetime" in cookie else endless,
        "text": texts["cookie_purposes"][cookie["purpose"]],
        "storage": preferences[f"storage_{cookie['storage']}"],
        "host": cookie.get("host", ""),
    }
