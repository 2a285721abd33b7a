"""A receipt as people hand it over: out of a mail, a chat or a file, and perhaps not whole."""

import re

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import ALGORITHM, read_header, unsigned_claims
from consent_server.decisions.rules_receipt import RECEIPT_TYPE

# An Ed25519 signature of 64 bytes in base64url.
SIGNATURE_LETTERS = 86
# A mail's soft line break, the marks of a quotation, and what has no width.
_OF_MAIL = re.compile(r"=\r?\n|^[ \t]*(?:[>|][ \t]*)+|[\u00ad\u200b-\u200d\u2060\ufeff]", re.MULTILINE)
_LETTERS = re.compile(r"[A-Za-z0-9_.-]*")


def receipt_in(text: str) -> str:
    """The receipt in a text, however it was wrapped, indented or quoted; the text itself where none begins in it."""
    text = text.strip()
    if text.startswith("{"):
        # The answer to a post, kept as it came, holds the receipt as one of its members.
        try:
            text = str(decode_strict(text.encode())["receipt"])
        except (InvalidProof, KeyError):
            return text
    plain = _OF_MAIL.sub("", text)
    # Every header begins with {", which is eyJ in base64url.
    begins = plain.find("eyJ")
    return _joined(plain[begins:].split()) if begins >= 0 else text


def _joined(words: list[str]) -> str:
    receipt = ""
    for word in words:
        letters = _LETTERS.match(word)
        part = letters[0] if letters else ""
        receipt += part
        if part != word or _is_whole(receipt):
            break
    return receipt.rstrip(".")


def _is_whole(receipt: str) -> bool:
    head, _, signature = receipt.rpartition(".")
    return head.count(".") == 1 and len(signature) >= SIGNATURE_LETTERS


def why_unreadable(receipt: str) -> str | None:
    """What of its form is not that of a receipt; None for one that can be read, whoever signed it."""
    try:
        header = read_header(receipt)
        if header["alg"] != ALGORITHM or header["typ"] != RECEIPT_TYPE:
            return f"Its header must say alg {ALGORITHM} and typ {RECEIPT_TYPE}."
        unsigned_claims(receipt)
    except InvalidProof as error:
        return error.detail
    if len(receipt.rpartition(".")[2]) != SIGNATURE_LETTERS:
        return "Its end is missing: copy it again, the whole of it."
    return None
