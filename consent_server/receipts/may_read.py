"""Whether who asks may read a receipt without its signed link."""

from consent_server.access.guard import known_caller
from consent_server.access.log_lookup import log_lookup
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.receipts.read import place_of_receipt


def may_read_receipt(receipt_id: str) -> bool:
    """Whether the caller is an auditor of the receipt's site; if so, that they look at it is written down.

    False when nobody says who they are. Raises Unauthenticated for a token that is none, Forbidden for
    another role or site, UnknownReceipt.
    """
    access = known_caller()
    if access is None:
        return False
    access.require(Role.AUDITOR, None)
    ctx = context()
    stored, leaf = place_of_receipt(ctx.database, receipt_id)
    access.require(Role.AUDITOR, stored.site.key)
    log_lookup(ctx.database, access, stored.id, "receipt", {"leaf": leaf}, ctx.now())
    return True
