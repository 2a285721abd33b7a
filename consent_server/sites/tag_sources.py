"""Where a vendor's tags come from, to tell one that stands in a page ungated."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from consent_server.sites import catalogue
from consent_server.sites.rules_site import Tag
from consent_server.sites.widget_code import adapter_hosts

DIRECTIVES = ("script-src", "frame-src")


def tag_sources(tag: Tag) -> tuple[str, ...]:
    """Parts of the addresses of this vendor's tags; none where others come from the same host."""
    return tuple(_part(host) for host in _hosts(tag) if host not in _shared())


def _hosts(tag: Tag) -> Iterable[str]:
    if tag.adapter:
        return adapter_hosts(tag.adapter)
    return tag.hosts or _policy_hosts(catalogue.vendors().get(tag.vendor, {}))


def _policy_hosts(vendor: Mapping[str, Any]) -> list[str]:
    sources = [source for directive in DIRECTIVES for source in vendor.get("csp", {}).get(directive, ())]
    return [host for source in sources if (host := source.removeprefix("https://"))[:1].isalnum() or host[:2] == "*."]


@cache
def _shared() -> frozenset[str]:
    """Hosts that several unlike vendors of the catalogue are loaded from."""
    users: dict[str, set[str]] = {}
    for key, vendor in catalogue.vendors().items():
        for host in _policy_hosts(vendor):
            users.setdefault(host, set()).add(vendor.get("adapter", key))
    return frozenset(host for host, them in users.items() if len(them) > 1)


def _part(host: str) -> str:
    return f"{host.removeprefix('*') if host.startswith('*.') else '//' + host}/"
