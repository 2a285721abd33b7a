"""Every refusal of the product, one class each. What HTTP says of each stands in http/problems.py."""

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
    """The request body does not match its content type, or has a field of the wrong form."""


class BodyTooLarge(Refusal):
    """The request body exceeds the limit."""


class UnsupportedContentType(Refusal):
    """The request body has a content type that is not accepted here."""


class UnknownSite(Refusal):
    """No site has this key."""


class UnknownNotice(Refusal):
    """No notice has this hash."""


class UnknownWidget(Refusal):
    """No served widget code has this hash."""


class UnknownConfiguration(Refusal):
    """There is no record that this code showed this notice in this language."""


class UnknownPicture(Refusal):
    """No picture of this notice has this hash."""


class PictureUnavailable(Refusal):
    """There is no browser to take a picture with, or the browser failed."""


class UnknownReport(Refusal):
    """There is no report at this link."""


class UnknownAnnotation(Refusal):
    """The site has no annotation of this number."""


class UnknownRequest(Refusal):
    """No request of a visitor is open there."""


class UnknownScan(Refusal):
    """The site has no scan of this number."""


class ExpiredReport(Refusal):
    """The link to the report has expired."""


class UnknownReceipt(Refusal):
    """There is no receipt at this link."""


class RemovedReceipt(Refusal):
    """The record of this receipt was removed: erased at the visitor's request, or at the end of its retention."""


class ForeignOrigin(Refusal):
    """The request comes from a page that is not on one of the site's origins."""


class InvalidDecision(Refusal):
    """The decision is well formed, but contradicts itself or the notice it answers."""


class DecisionConflict(Refusal):
    """A decision with this decision_id is already recorded, with different content."""


class Unauthenticated(Refusal):
    """The request does not say who is asking, or not in a way that can be checked."""


class TooManyRequests(Refusal):
    """The caller sent more than the limit allows; `retry_after` is in seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StorageUnavailable(Refusal):
    """The database did not answer. Nothing was recorded; sending again later is safe."""

    retry_after = 5


class UnsuitableDatabase(StorageUnavailable):
    """The database spreads its tables over nodes, and the ledger needs one PostgreSQL. Nothing was recorded."""


class NotSealedYet(Refusal):
    """The record is stored, but no checkpoint covers it yet."""

    retry_after = 5


class TimestampRefused(Refusal):
    """The timestamp authority gave no valid timestamp. Nothing of its answer was kept."""


class UnknownTimestamp(Refusal):
    """Nothing with this SHA-256 has a timestamp here."""


class UnknownTile(Refusal):
    """The ledger has no such tile or checkpoint."""


class InvalidRange(Refusal):
    """The two sizes do not form a range of this ledger."""


class InvalidProof(Refusal):
    """A receipt, token, note or proof does not prove what it claims."""


class InvalidSiteFile(Refusal):
    """The site file is refused as a whole; each fault is named by its path in the file."""


class InvalidSettings(Refusal):
    """Settings in the environment are missing or wrong; all of them are named at once."""


class KeysNotOurs(Refusal):
    """The signing keys cannot be changed from here: they are set in the environment, or in a file of another user."""


class Forbidden(Refusal):
    """The caller is known, but their role or sites do not allow this."""


class NotOpened(Refusal):
    """A script or another page asks for what only a person may open, in a window of its own."""


class StaleForm(Refusal):
    """The form was sent without the token of its page."""


class SpentLink(Refusal):
    """The sign-in link was used or replaced, or has expired."""


class InvalidUser(Refusal):
    """The e-mail address, password or name cannot be used here."""


class UserConflict(Refusal):
    """This e-mail address already has a user."""


class LastOperator(Refusal):
    """Nobody would be left who can sign in and operates all sites."""


class ProviderRefused(Refusal):
    """The OpenID provider did not answer, or its answer does not hold."""


class NotInvited(Refusal):
    """The OpenID provider named somebody whom nobody invited here."""


class MailNotSent(Refusal):
    """No mail server is set, or it did not take the message."""


class UnknownExperiment(Refusal):
    """The site has never run this experiment, or the experiment has no such arm."""


class ExperimentConflict(Refusal):
    """A running experiment cannot be changed into another one, and its outcome is not undone by accident."""


class UnknownUser(Refusal):
    """No user has this e-mail address."""


class UnknownToken(Refusal):
    """No token has this number."""


class InvalidQuery(Refusal):
    """The query parameters are invalid; each fault is named."""
