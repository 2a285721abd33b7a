"""The questions that a scan answers, one line each."""

from dataclasses import dataclass

from consent_server.scans.rules import Level, Scan, State

# Each question with the rules of the findings that answer it (of one state alone: `rule@state`), and the states that
# have to be looked at.
QUESTIONS: tuple[tuple[str, str, tuple[str, ...], tuple[State, ...]], ...] = (
    (
        "before",
        "Does anything load before a choice?",
        ("loads-before-choice", "unknown-hosts@before_choice"),
        (State.BEFORE,),
    ),
    ("refusal", "Is a refusal heeded?", ("ignores-refusal", "unknown-hosts@after_refusal"), (State.REFUSED,)),
    (
        "withdrawal",
        "Is a withdrawal heeded?",
        ("loads-after-withdrawal", "unknown-hosts@after_withdrawal", "stays-after-withdrawal", "stays-at-third-party"),
        (State.WITHDRAWN,),
    ),
    (
        "notice",
        "Does the notice name what is used, and nothing else?",
        ("not-in-notice", "unnamed-storage", "named-not-seen"),
        (State.BEFORE, State.GRANTED),
    ),
    (
        "consent-mode",
        "Did Consent Mode come first?",
        ("consent-mode-granted", "consent-mode-missing", "consent-mode-late", "consent-mode-incomplete"),
        (State.BEFORE, State.GRANTED),
    ),
    (
        "fairness",
        "Is refusing as easy as accepting?",
        ("refusing-is-harder", "refusing-is-paler"),
        (State.BEFORE, State.REFUSED),
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question: "good", "wrong", "note", "unseen" or "none" where there is nothing to ask about."""

    key: str
    question: str
    answer: str
    said: str


WORDS = {
    "before": ("Nothing does.", "It does."),
    "refusal": ("Yes: nobody was contacted, and nothing stored, that needs consent.", "No."),
    "withdrawal": ("Yes: nobody is contacted any more, and what was stored is gone.", "No."),
    "notice": ("Yes.", "No."),
    "consent-mode": ("Yes: all was denied before Google's tag began.", "No."),
    "fairness": ("Yes: same layer, as many presses, as big.", "No."),
}
UNSEEN = "It could not be looked at."


def verdicts(scan: Scan) -> list[Verdict]:
    """An answer to each question; what could not be looked at is never good."""
    return [_verdict(scan, *question) for question in QUESTIONS]


def _verdict(scan: Scan, key: str, question: str, rules: tuple[str, ...], states: tuple[State, ...]) -> Verdict:
    levels = [one.level for one in scan.findings if {one.rule, f"{one.rule}@{one.state}"} & set(rules)]
    good, bad = WORDS[key]
    if Level.WRONG in levels:
        return Verdict(key, question, "wrong", bad)
    if none := _none(scan, key):
        return Verdict(key, question, "none", none)
    if any(state not in scan.seen for state in states):
        return Verdict(key, question, "unseen", UNSEEN)
    if levels:
        return Verdict(key, question, "note", "Nothing wrong was seen; look at the notes.")
    return Verdict(key, question, "good", good)


def _none(scan: Scan, key: str) -> str:
    """Why a question is not asked of this site."""
    if key == "consent-mode" and not any(mode.google_tag for mode in scan.consent_mode) and State.GRANTED in scan.seen:
        return "No Google tag was seen."
    if key == "notice" and scan.banner and scan.notice is None:
        return "Only the notices of our own banner can be read."
    if scan.banner is None and key in ("refusal", "withdrawal", "notice", "fairness"):
        return "No banner was found, so there is nothing to answer."
    return ""
