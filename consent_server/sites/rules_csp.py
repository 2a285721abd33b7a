"""The Content-Security-Policy that a page with the widget needs (CSP Level 3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# What loads and what is asked. A page that limits no styles, fonts or forms must not begin to by a vendor's need.
LIMITED = ("script-src", "img-src", "connect-src", "frame-src")
HEADER = "Content-Security-Policy"
Directives = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Need:
    """What one party's code needs of a page's policy, by directive; None where that is not known."""

    name: str
    directives: Directives | None


def widget_need(server: str, logo: str) -> Need:
    """What the widget itself needs: its scripts, its server to post to, a logo that stands in its data."""
    pictures = {"img-src": ("data:",)} if logo.startswith("data:") else {}
    return Need("consent server", {"script-src": (server,), "connect-src": (server,), **pictures})


def policy_lines(needs: Sequence[Need], report: bool) -> Iterator[str]:
    """The header, then what it is made of, line by line; remarks begin with "# "."""
    header = f"{HEADER}-Report-Only" if report else HEADER
    together = {directive: ("'self'", *_sources(needs, directive)) for directive in LIMITED}
    yield f"{header}: {_written(together)}"
    for need in needs:
        known = _written(need.directives) if need.directives else "not known; add what its code asks for"
        yield f"# {need.name}: {known}"
    more = {directive: _sources(needs, directive) for directive in _others(needs)}
    if more:
        yield f"# Where your policy has these directives too: {_written(more)}"
    yield "# In place of the hosts of script-src; RANDOM is new in each answer, and on the tag and each gated script:"
    yield "# script-src 'nonce-RANDOM' 'strict-dynamic'"


def _sources(needs: Sequence[Need], directive: str) -> tuple[str, ...]:
    listed = (source for need in needs for source in (need.directives or {}).get(directive, ()))
    return tuple(dict.fromkeys(listed))


def _others(needs: Sequence[Need]) -> list[str]:
    named = (directive for need in needs for directive in need.directives or {})
    return [directive for directive in dict.fromkeys(named) if directive not in LIMITED]


def _written(directives: Directives) -> str:
    return "; ".join(" ".join([directive, *sources]) for directive, sources in directives.items())
