"""A decision: one act of a visitor, settled against the notice it answers."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from consent_server.core.errors import Fault, InvalidDecision, pointer
from consent_server.sites.rules_notice import Notice


class Action(StrEnum):
    """What the visitor did."""

    ACCEPT_ALL = "accept_all"
    REFUSE_ALL = "refuse_all"
    SAVE = "save"
    WITHDRAW = "withdraw"
    GPC = "gpc"


class AskedAs(StrEnum):
    """What a banner had asked that a visitor answers: for the first time, or again, as the earlier choice had ended."""

    FIRST = "first"
    AGAIN = "again"


class Method(StrEnum):
    """Where the visitor did it."""

    BANNER = "banner"
    PREFERENCES = "preferences"
    PLACEHOLDER = "placeholder"
    API = "api"
    SIGNAL = "signal"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser says that the visitor decided. Nothing in it is trusted yet.

    `asked` is counted and recorded nowhere. It is None where an earlier choice stands, and where nobody says it.
    """

    decision_id: UUID
    notice: str
    action: Action
    method: Method
    grants: Mapping[str, bool]
    vendors: Mapping[str, bool]
    visitor: str | None
    change: bool
    language: str
    page: str | None
    gpc: bool
    widget: str | None
    asked: AskedAs | None = None


@dataclass(frozen=True, slots=True)
class Objections:
    """What runs until somebody objects, by key: whether this visitor did. Nothing of it is a grant."""

    purposes: Mapping[str, bool] = field(default_factory=dict)
    vendors: Mapping[str, bool] = field(default_factory=dict)


NONE = Objections()


@dataclass(frozen=True, slots=True)
class Decision:
    """A settled answer: every purpose and every vendor of the notice is either granted or denied.

    Only where it is `partial`, given at a stand-in before the banner was answered, the rest is not decided yet, and
    stands nowhere. `exceptions` are the vendors whose state differs from what their purposes alone would give.
    Those that no grant is needed for stand under `objections` alone; `runs` has each purpose, of either kind, and
    whether it may run.
    """

    answer: Answer
    grants: Mapping[str, bool]
    vendors: Mapping[str, bool]
    exceptions: Mapping[str, bool]
    partial: bool = False
    objections: Objections = NONE
    runs: Mapping[str, bool] = field(default_factory=dict)

    @property
    def runs_anything(self) -> bool:
        """Whether something is left that may run."""
        return self.grants_anything or any(self.runs.values()) or any(self.exceptions.values())

    @property
    def grants_anything(self) -> bool:
        """Only a visitor who granted something may be given an identifier."""
        return any(self.grants.values()) or any(self.vendors.values())


def decide(notice: Notice, answer: Answer) -> Decision:
    """Settle a visitor's answer against the notice it answers.

    A purpose that the visitor did not mention is denied: silence is never consent (GDPR 4(11),
    recital 32). But whoever lets one video show was not asked for the rest: that is then left undecided.
    Raises InvalidDecision with a fault for each contradiction.
    """
    faults = [*_unknown(notice, answer), *_contradictions(notice, answer)]
    if faults:
        raise InvalidDecision("The decision contradicts itself or its notice; nothing was recorded.", faults)
    language = notice.language_shown(answer.language)
    if language != answer.language:
        answer = replace(answer, language=language)
    partial = _is_partial(notice, answer)
    asked = [purpose for purpose in notice.purposes if purpose in answer.grants or not partial]
    grants = {purpose: answer.grants.get(purpose, False) for purpose in asked}
    by_purpose = {vendor: implied(grants, purposes) for vendor, purposes in notice.vendors.items()}
    exceptions = {vendor: granted for vendor, granted in answer.vendors.items() if granted is not by_purpose[vendor]}
    vendors = {vendor: granted for vendor, granted in (by_purpose | exceptions).items() if granted is not None}
    if not notice.on_before:
        return Decision(answer, grants, vendors, exceptions, partial, runs=grants)
    asked_purposes, objected_purposes = _parted(grants, notice.on_before)
    asked_vendors, objected_vendors = _parted(vendors, notice.vendors_on_before)
    objections = Objections(objected_purposes, objected_vendors)
    return Decision(answer, asked_purposes, asked_vendors, exceptions, partial, objections, grants)


def _parted(states: Mapping[str, bool], unasked: Collection[str]) -> tuple[dict[str, bool], dict[str, bool]]:
    """Those that are granted or denied, and of the rest whether somebody objected."""
    granted = {key: on for key, on in states.items() if key not in unasked}
    return granted, {key: not on for key, on in states.items() if key in unasked}


def implied(grants: Mapping[str, bool], purposes: Collection[str]) -> bool | None:
    """What becomes of a vendor of these purposes without an answer of its own; None while that is undecided."""
    answers = {grants.get(purpose) for purpose in purposes}
    return True if True in answers else None if None in answers else False


def exceptions(
    grants: Mapping[str, bool], vendors: Mapping[str, bool], purposes: Mapping[str, Collection[str]]
) -> dict[str, list[str]]:
    """By purpose that was answered, its vendors (with their purposes in `purposes`) that were answered otherwise."""
    apart = [key for key, own in purposes.items() if key in vendors and vendors[key] is not implied(grants, own)]
    return {purpose: [key for key in apart if purpose in purposes[key]] for purpose in grants}


def _is_partial(notice: Notice, answer: Answer) -> bool:
    at_a_stand_in = answer.method is Method.PLACEHOLDER and answer.action is Action.SAVE
    return at_a_stand_in and bool(answer.grants or answer.vendors) and not answer.grants.keys() >= set(notice.purposes)


def _unknown(notice: Notice, answer: Answer) -> Iterator[Fault]:
    for name, given, known in (
        ("grants", answer.grants, notice.purposes),
        ("vendors", answer.vendors, notice.vendors),
    ):
        for key in given:
            if key not in known:
                yield Fault(pointer(name, key), "The notice does not name this key.")


def _contradictions(notice: Notice, answer: Answer) -> Iterator[Fault]:
    if answer.action is Action.ACCEPT_ALL:
        for purpose in notice.purposes:
            if not answer.grants.get(purpose, False):
                yield Fault(pointer("grants", purpose), "accept_all grants every purpose; this one is denied.")
        yield from _each(answer.vendors, False, "accept_all denies no vendor.")
    elif answer.action in (Action.REFUSE_ALL, Action.WITHDRAW):
        for purpose, granted in answer.grants.items():
            if granted:
                yield Fault(pointer("grants", purpose), f"{answer.action} grants nothing; this one is granted.")
        yield from _each(answer.vendors, True, f"{answer.action} grants no vendor.")
    elif answer.action is Action.GPC:
        yield from _against_signal(notice, answer)


def _against_signal(notice: Notice, answer: Answer) -> Iterator[Fault]:
    for purpose in notice.gpc_purposes:
        if answer.grants.get(purpose, False):
            yield Fault(pointer("grants", purpose), "Global Privacy Control keeps this purpose off.")
    for vendor, granted in answer.vendors.items():
        if granted and set(notice.vendors.get(vendor, ())) <= set(notice.gpc_purposes):
            yield Fault(pointer("vendors", vendor), "Global Privacy Control keeps this vendor off.")


def _each(vendors: Mapping[str, bool], forbidden: bool, detail: str) -> Iterator[Fault]:
    for vendor, granted in vendors.items():
        if granted is forbidden:
            yield Fault(pointer("vendors", vendor), detail)
