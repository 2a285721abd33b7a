"""Every refusal of the product, one class each. What HTTP says of each stands in web/problems.py."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where (JSON Pointer, RFC 6901, as a URI fragment) and what."""

    pointer: str
    detail: str


def pointer(*tokens: str) -> str:
    """Where something stands: "#/sent/a~1b" for the tokens "sent" and "a/b" (RFC 6901, section 3)."""
    return "".join(["#", *("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)])


class Refusal(Exception):
    """Something that the product declines to do, with a sentence that says what to do next."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail + "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in faults))
        self.detail = detail
        self.faults = tuple(faults)


class MalformedBody(Refusal):
    """The request body is not what its content type says, or lacks a field's form."""


class BodyTooLarge(Refusal):
    """The request body exceeds the limit."""


class UnsupportedContentType(Refusal):
    """The request body has a content type that is not read here."""


class UnknownSite(Refusal):
    """No site has this key."""


class UnknownNotice(Refusal):
    """No notice has this hash."""


class UnknownWidget(Refusal):
    """No served widget code has this hash."""


class UnknownConfiguration(Refusal):
    """This code is not known to have shown this notice, or not in this language."""


class UnknownPicture(Refusal):
    """No picture of this notice has this hash."""


class PictureUnavailable(Refusal):
    """No browser is there to take a picture with, or it failed."""


class UnknownReport(Refusal):
    """No report answers to this link."""


class ExpiredReport(Refusal):
    """The link to a report is older than its time."""


class UnknownReceipt(Refusal):
    """No receipt answers to this link."""


class RemovedReceipt(Refusal):
    """The record of this receipt was removed: erased at the visitor's request, or at the end of its retention."""


class ForeignOrigin(Refusal):
    """The request comes from a page that is not the site's."""


class InvalidDecision(Refusal):
    """A well-formed decision that cannot be one: it contradicts itself or the notice it answers."""


class DecisionConflict(Refusal):
    """This decision_id is already recorded with another content."""


class Unauthenticated(Refusal):
    """The caller has not said who they are."""


class TooManyRequests(Refusal):
    """The caller sent more than the limit allows; `retry_after` is in seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StorageUnavailable(Refusal):
    """The database did not answer. Nothing was recorded; sending again later is safe."""

    retry_after = 5


class NotSealedYet(Refusal):
    """The record is durable, and no checkpoint covers it yet."""

    retry_after = 5


class TimestampRefused(Refusal):
    """A timestamp authority gave no timestamp that holds. Nothing of its answer was kept."""


class UnknownTimestamp(Refusal):
    """Nothing with this SHA-256 has a timestamp here."""


class UnknownTile(Refusal):
    """The ledger has no such tile or checkpoint."""


class InvalidRange(Refusal):
    """Two sizes of a ledger that do not make a range."""


class InvalidProof(Refusal):
    """Untrusted bytes (receipt, token, note, proof) that do not prove what they claim."""


class InvalidSiteFile(Refusal):
    """A site file that is refused whole. `faults` name each place as a path in the file."""


class InvalidSettings(Refusal):
    """The environment lacks settings or has wrong ones; all are named at once."""


class KeysNotOurs(Refusal):
    """The signing keys cannot be changed from here: they stand in the environment, or in somebody else's file."""


class Forbidden(Refusal):
    """The caller is known, and their role or their sites do not allow this."""


class StaleForm(Refusal):
    """A form came without the token of the page that it stands on."""


class SpentLink(Refusal):
    """A sign-in link that was used, replaced or is older than its time."""


class InvalidUser(Refusal):
    """An e-mail address or a password that cannot be one here."""


class UserConflict(Refusal):
    """This e-mail address already has a user."""


class UnknownExperiment(Refusal):
    """The site never ran this experiment, or none at all, or it has no such arm."""


class ExperimentConflict(Refusal):
    """An experiment that runs cannot become another one, and what was decided by one is not undone in passing."""


class UnknownUser(Refusal):
    """No user has this e-mail address."""


class UnknownToken(Refusal):
    """No token has this number."""


class InvalidQuery(Refusal):
    """The parameters of the address cannot be read; each fault is named."""
