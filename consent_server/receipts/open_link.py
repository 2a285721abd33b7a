"""The receipt that a signed link leads to."""

from collections.abc import Iterator
from contextlib import contextmanager

from consent_server.core.context import context
from consent_server.core.errors import RemovedReceipt, UnknownReceipt
from consent_server.decisions.rules_receipt import RECEIPT_LINK


@contextmanager
def of_link(link: str) -> Iterator[str]:
    """The receipt id of a signed link. Raises UnknownReceipt for a wrong one.

    A link is signed when its record is on record: what is not found by it was removed (RemovedReceipt).
    """
    receipt_id = context().signer(RECEIPT_LINK).read(link)
    if receipt_id is None:
        raise UnknownReceipt("There is no receipt at this address. Check that the link is complete.")
    try:
        yield receipt_id
    except UnknownReceipt:
        raise RemovedReceipt(
            "The record of this receipt was removed: it was erased, or its retention ended. Whoever kept the receipt"
            " can still check its signature with the published keys."
        ) from None
