"""What a scan saw: plain data, which says nothing of whether it is right. Values are never kept, only their lengths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What the visitor had answered."""

    BEFORE = "before_choice"
    REFUSED = "after_refusal"
    GRANTED = "after_grant"
    WITHDRAWN = "after_withdrawal"


class Source(StrEnum):
    """Who says what something is for; a hint is the Open Cookie Database's, whom nobody checked for this site."""

    CATALOGUE = "catalogue"
    NOTICE = "notice"
    HINT = "open_cookie_database"
    BANNER = "banner"
    ALLOWED = "allowed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is, and for what. `key` is a vendor of the catalogue or of the notice."""

    name: str = ""
    purposes: tuple[str, ...] = ()
    source: Source = Source.UNKNOWN
    key: str | None = None


UNKNOWN = Owner()


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie in the profile. `seconds` is its life, None for the session's; `set_by` a script or a host."""

    name: str
    domain: str
    path: str
    length: int
    seconds: int | None
    first_party: bool
    http_only: bool
    secure: bool
    same_site: str
    set_by: str | None
    owner: Owner = UNKNOWN


@dataclass(frozen=True, slots=True)
class Stored:
    """Something in another storage: local, session, indexeddb, cache or service-worker."""

    storage: str
    origin: str
    name: str
    length: int | None
    first_party: bool
    set_by: str | None
    owner: Owner = UNKNOWN


@dataclass(frozen=True, slots=True)
class Request:
    """All requests of one kind to one host. `path` is that of the first, without what followed its `?`."""

    host: str
    method: str
    type: str
    initiator: str | None
    path: str
    first_party: bool
    count: int
    pages: tuple[str, ...]
    owner: Owner = UNKNOWN


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was in one state, all pages together."""

    state: State
    pages: tuple[str, ...]
    cookies: tuple[Cookie, ...]
    storage: tuple[Stored, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """An answer as the visitor meets it: its words, how often is pressed to get there, and how big it is (CSS pixels).

    `filled`: it has a ground of its own colour.
    """

    text: str
    presses: int
    width: int
    height: int
    font_size: float
    filled: bool


@dataclass(frozen=True, slots=True)
class Banner:
    """The banner that was found, and the ways to answer it. `tool` is whose it is; "generic" was told by its words."""

    tool: str
    text: str
    accept: Button | None
    refuse: Button | None
    withdraw: Button | None = None


@dataclass(frozen=True, slots=True)
class ConsentMode:
    """How Google's Consent Mode stood in one state. `late`: the default came after the first command or start.

    `default` and `update` name each type with what was said of it; None where nothing was said.
    """

    state: State
    google_tag: bool
    default: Mapping[str, str] | None
    update: Mapping[str, str] | None
    late: bool


@dataclass(frozen=True, slots=True)
class NamedVendor:
    """A vendor that the notice names, with its cookies: pairs of storage and name, a `*` at the end for any more."""

    key: str
    name: str
    purposes: tuple[str, ...]
    cookies: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...] = ()
    on_before: bool = False


@dataclass(frozen=True, slots=True)
class ReadNotice:
    """What a notice of ours says that is compared."""

    site: str
    hash: str
    vendors: tuple[NamedVendor, ...]


class Level(StrEnum):
    """How bad a finding is. A note is for a person to look at."""

    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a scan says. `rule` is a stable name for programs; `evidence` what was seen, a line each."""

    rule: str
    level: Level
    said: str
    state: State | None = None
    vendor: str | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """All of it. `unseen` says what could not be looked at, and why: it is never counted as good."""

    started_at: datetime
    seconds: float
    browser: str
    starts: tuple[str, ...]
    banner: Banner | None
    seen: Mapping[State, Seen]
    consent_mode: tuple[ConsentMode, ...]
    notice: ReadNotice | None
    unseen: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    pictures: Mapping[State, bytes] = field(default_factory=dict)

    @property
    def wrong(self) -> list[Finding]:
        """What has to be mended."""
        return [finding for finding in self.findings if finding.level is Level.WRONG]

    @property
    def exit_code(self) -> int:
        """1 where something was found; else 2 where not all could be looked at; else 0."""
        return 1 if self.wrong else 2 if self.unseen else 0
