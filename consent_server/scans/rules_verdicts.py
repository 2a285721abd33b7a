"""What is wrong with what was seen: pure, one function for each question that a scan answers."""

from collections.abc import Iterable, Iterator, Mapping

from consent_server.scans.rules import (
    Banner,
    Button,
    ConsentMode,
    Cookie,
    Finding,
    Level,
    Owner,
    ReadNotice,
    Request,
    Scan,
    Seen,
    Source,
    State,
    Stored,
)
from consent_server.scans.rules_owners import is_host, is_name

Thing = Cookie | Stored | Request
# What needs no consent wherever it is asked, as far as a database of names can say.
NEEDS_NONE = {"necessary", "security", "functional"}
# How much smaller a refusal may be than an acceptance: fonts and rounding differ, a design does not.
LEAST_SIZE, LEAST_FONT = 0.8, 0.9
MOST_EVIDENCE = 12
# Consent Mode's types that a visitor is to grant (Google's documentation).
ASKED_TYPES = ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
WHEN = {
    State.BEFORE: "before a choice",
    State.REFUSED: "after a refusal",
    State.GRANTED: "after a grant",
    State.WITHDRAWN: "after a withdrawal",
}


def judge(scan: Scan) -> tuple[Finding, ...]:
    """Every finding, what is wrong first."""
    found = [
        *_before(scan),
        *_refused(scan),
        *_withdrawn(scan),
        *_against_notice(scan),
        *_consent_mode(scan.consent_mode),
        *_fairness(scan),
    ]
    return tuple(sorted(found, key=lambda one: one.level is not Level.WRONG))


def _before(scan: Scan) -> Iterator[Finding]:
    """What loads, or is stored, while nobody has consented."""
    seen = scan.seen.get(State.BEFORE)
    if seen is None:
        return
    allowed = {vendor.key for vendor in scan.notice.vendors if vendor.on_before} if scan.notice else set()
    yield from _by_vendor(
        "loads-before-choice", seen, _needing(seen, allowed), "{name} {does} before the visitor has chosen."
    )
    yield from _strangers(seen, set())


def _refused(scan: Scan) -> Iterator[Finding]:
    """What goes on although the visitor refused."""
    if seen := scan.seen.get(State.REFUSED):
        yield from _by_vendor("ignores-refusal", seen, _needing(seen, set()), "{name} {does} although it was refused.")
        yield from _strangers(seen, _hosts(scan.seen.get(State.BEFORE)))


def _withdrawn(scan: Scan) -> Iterator[Finding]:
    """What goes on, and what is left, although the visitor took the grant back."""
    seen = scan.seen.get(State.WITHDRAWN)
    if seen is None:
        return
    asked = [request for request in _needing(seen, set()) if isinstance(request, Request)]
    said = "{name} is still contacted on the next page after the consent was withdrawn."
    yield from _by_vendor("loads-after-withdrawal", seen, asked, said)
    yield from _strangers(seen, _hosts(scan.seen.get(State.BEFORE)))
    # What a refusal leaves too is how the choice is kept.
    others_too = [scan.seen[state] for state in (State.BEFORE, State.REFUSED) if state in scan.seen]
    there = {_identity(one) for other in others_too for one in _kept(other)}
    left = [one for one in _kept(seen) if _needs(one.owner) or _identity(one) not in there]
    left = [one for one in left if one.owner.source is not Source.BANNER and not _harmless(one.owner)]
    own, others = [one for one in left if one.first_party], [one for one in left if not one.first_party]
    said = "What {name} stored is still there after the consent was withdrawn."
    yield from _by_vendor("stays-after-withdrawal", seen, own, said)
    said = "What {name} stored under its own address is still there; no page of the site can delete it."
    yield from _by_vendor("stays-at-third-party", seen, others, said, Level.NOTE)


def _against_notice(scan: Scan) -> Iterator[Finding]:
    """What the notice does not name, and what it names and nobody uses."""
    if scan.notice is None:
        return
    named = {vendor.key for vendor in scan.notice.vendors}
    met = {_identity(one): (seen, one) for seen in scan.seen.values() for one in things(seen)}
    strange: dict[Owner, list[tuple[Seen, Thing]]] = {}
    for seen, one in met.values():
        if one.owner.key and one.owner.key not in named:
            strange.setdefault(one.owner, []).append((seen, one))
    for owner, found in strange.items():
        said = f"The notice does not name {owner.name}."
        yield _finding("not-in-notice", found[0][0], owner, [one for _, one in found], said)
    yield from _unnamed_cookies(scan, scan.notice)
    granted = scan.seen.get(State.GRANTED)
    if granted is None:
        return
    used = {one.owner.key for one in things(granted)}
    hosts = {request.host for request in granted.requests}
    count = _pages(len(granted.pages))
    for vendor in scan.notice.vendors:
        # Vendors of one house share their hosts.
        asked = any(is_host(host, pattern) for host in hosts for pattern in vendor.hosts)
        if vendor.key not in used and not asked:
            said = f"The notice names {vendor.name}, and nothing of it was seen on {count} after a grant."
            yield Finding("named-not-seen", Level.NOTE, said, State.GRANTED, vendor.key)


def _unnamed_cookies(scan: Scan, notice: ReadNotice) -> Iterator[Finding]:
    """Cookies and entries that are in no vendor's list, of vendors that the notice names and of nobody known."""
    patterns = [pair for vendor in notice.vendors for pair in vendor.cookies]
    found: dict[tuple[str, ...], Cookie | Stored] = {}
    for seen in scan.seen.values():
        for one in _kept(seen):
            kind = "cookie" if isinstance(one, Cookie) else one.storage
            if one.owner.source in (Source.HINT, Source.UNKNOWN) and not any(
                storage == kind and is_name(one.name, pattern) for storage, pattern in patterns
            ):
                found.setdefault(_identity(one), one)
    if found:
        said = f"The notice does not say what {_count(len(found), 'cookie or entry', 'cookies and entries')} is for."
        if len(found) > 1:
            said = said.replace(" is for", " are for")
        yield Finding("unnamed-storage", Level.NOTE, said, evidence=_evidence(found.values()))


def _strangers(seen: Seen, told: set[str]) -> Iterator[Finding]:
    """Hosts of others that nobody knows, where nothing was granted: each learns who visits. `told` are told of."""
    strange = [
        r for r in seen.requests if not r.first_party and r.owner.source is Source.UNKNOWN and r.host not in told
    ]
    if hosts := sorted({request.host for request in strange}):
        asked = _count(len(hosts), "other host is", "other hosts are")
        said = (
            f"{asked} contacted {WHEN[seen.state]}, and nobody here knows for what. Each learns the visitor's address: "
        )
        said += "let it wait for a grant, or allow it if the site cannot do without."
        yield Finding("unknown-hosts", Level.WRONG, said, seen.state, evidence=_evidence(strange))


def _hosts(seen: Seen | None) -> set[str]:
    return {request.host for request in seen.requests} if seen else set()


def _consent_mode(states: Iterable[ConsentMode]) -> Iterator[Finding]:
    """Whether Google's tag met a denied default first."""
    for mode in states:
        when = WHEN[mode.state]
        granted = [name for name in ASKED_TYPES if (mode.default or {}).get(name) == "granted"]
        if granted and mode.state is State.BEFORE:
            said = f"Consent Mode's default grants {', '.join(granted)} before the visitor has chosen."
            yield Finding("consent-mode-granted", Level.WRONG, said, mode.state)
        if mode.google_tag and mode.default is None:
            said = f"A Google tag ran {when} without Consent Mode: it was told no default."
            yield Finding("consent-mode-missing", Level.NOTE, said, mode.state)
        elif mode.late and mode.default is not None:
            said = f"Consent Mode's default came after the first call of Google's tag ({when}): put it first."
            yield Finding("consent-mode-late", Level.WRONG, said, mode.state)
        missing = [name for name in ASKED_TYPES if mode.default is not None and name not in mode.default]
        if missing and not granted and mode.state is State.BEFORE:
            said = f"Consent Mode's default says nothing of {', '.join(missing)}."
            yield Finding("consent-mode-incomplete", Level.WRONG, said, mode.state)


def _fairness(scan: Scan) -> Iterator[Finding]:
    """Whether refusing is as easy as accepting: same layer, as many presses, as big (EDPB 03/2022; CNIL 2020-092)."""
    banner = scan.banner
    if banner is None or banner.accept is None:
        return
    if banner.refuse is None:
        yield Finding("refusing-is-harder", Level.WRONG, "No button was found that refuses.", State.BEFORE)
        return
    for said in _harder(banner, banner.accept, banner.refuse):
        yield Finding("refusing-is-harder", Level.WRONG, said, State.BEFORE)
    if banner.accept.filled and not banner.refuse.filled:
        said = f"“{banner.accept.text}” has a ground of its own colour and “{banner.refuse.text}” has none."
        yield Finding("refusing-is-paler", Level.NOTE, said, State.BEFORE)


def _harder(banner: Banner, accept: Button, refuse: Button) -> Iterator[str]:
    if refuse.presses > accept.presses:
        yield f"Refusing takes {refuse.presses} presses, accepting {accept.presses}: put both on the first layer."
        return
    if refuse.height < LEAST_SIZE * accept.height:
        yield f"“{refuse.text}” is {refuse.height} pixels high, “{accept.text}” {accept.height}."
    if refuse.font_size < LEAST_FONT * accept.font_size:
        yield f"“{refuse.text}” is written in {refuse.font_size:g} pixels, “{accept.text}” in {accept.font_size:g}."


def things(seen: Seen) -> tuple[Thing, ...]:
    """All that one state showed."""
    return (*seen.requests, *seen.cookies, *seen.storage)


def _kept(seen: Seen) -> tuple[Cookie | Stored, ...]:
    return (*seen.cookies, *seen.storage)


def _needing(seen: Seen, allowed: Iterable[str]) -> list[Thing]:
    """What needs a consent that there is not."""
    allowed = set(allowed)
    return [
        one for one in things(seen) if one.owner.key not in allowed and (_needs(one.owner) or _is_foreign_cookie(one))
    ]


def _needs(owner: Owner) -> bool:
    """A vendor that is known needs it; so does what the database of names calls analytics or advertising."""
    known = owner.source in (Source.CATALOGUE, Source.NOTICE, Source.HINT)
    return known and not _harmless(owner)


def _harmless(owner: Owner) -> bool:
    return owner.source is Source.HINT and NEEDS_NONE.issuperset(owner.purposes)


def _is_foreign_cookie(one: Thing) -> bool:
    return isinstance(one, Cookie) and not one.first_party and one.owner.source is Source.UNKNOWN


def _by_vendor(
    rule: str, seen: Seen, found: Iterable[Thing], said: str, level: Level = Level.WRONG
) -> Iterator[Finding]:
    """A finding for each owner, with what was seen of it."""
    owners: dict[Owner, list[Thing]] = {}
    for one in found:
        owners.setdefault(one.owner, []).append(one)
    for owner, theirs in owners.items():
        yield _finding(rule, seen, owner, theirs, said, level)


def _finding(rule: str, seen: Seen, owner: Owner, found: list[Thing], said: str, level: Level = Level.WRONG) -> Finding:
    name = owner.name or ("Somebody unknown" if said.startswith("{name}") else "somebody unknown")
    does = "is contacted" if any(isinstance(one, Request) for one in found) else "is stored"
    if does == "is stored" and owner.name:
        does = "stores something"
    hint = " (By the Open Cookie Database: a hint, not a fact.)" if owner.source is Source.HINT else ""
    words = said.format(name=name, does=does) + hint
    return Finding(rule, level, words, seen.state, owner.key, _evidence(found))


def _evidence(found: Iterable[Thing]) -> tuple[str, ...]:
    lines = [_line(one) for one in found]
    more = len(lines) - MOST_EVIDENCE
    return tuple([*lines[:MOST_EVIDENCE], f"and {more} more"] if more > 0 else lines)


def _line(one: Thing) -> str:
    if isinstance(one, Request):
        by = f", by {one.initiator}" if one.initiator else ""
        return f"{one.method} {one.host}{one.path} ({one.type.lower()}, {_count(one.count, 'time', 'times')}{by})"
    by = f", set by {one.set_by}" if one.set_by else ""
    if isinstance(one, Cookie):
        return f"cookie {one.name} of {one.domain}, {life(one.seconds)}{by}"
    return f"{STORAGE[one.storage]} {one.name} of {one.origin}{by}"


STORAGE: Mapping[str, str] = {
    "local": "local storage",
    "session": "session storage",
    "indexeddb": "IndexedDB",
    "cache": "cache",
    "service-worker": "service worker",
}


def life(seconds: int | None) -> str:
    """How long a cookie lives, in words."""
    if seconds is None:
        return "until the browser is closed"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"for {_count(round(seconds / length), unit, f'{unit}s')}"
    return f"for {_count(seconds, 'second', 'seconds')}"


def _identity(one: Thing) -> tuple[str, ...]:
    if isinstance(one, Cookie):
        return "cookie", one.name, one.domain
    if isinstance(one, Stored):
        return one.storage, one.name, one.origin
    return "request", one.host, one.type


def _pages(count: int) -> str:
    return _count(count, "page", "pages")


def _count(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
