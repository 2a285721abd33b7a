"""Witnesses of a ledger: who they are (C2SP tlog-policy), what they are asked and what they answer (tlog-witness)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from consent_server.core.errors import Fault, InvalidProof
from consent_server.core.notes import COSIGNATURE, NoteKey, parse_vkey
from consent_server.core.rules_address import address_fault

# As many as tlog-policy asks room for.
MAX_WITNESSES = 32

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns what continues the last checkpoint they saw. `url` is the submission prefix."""

    name: str
    key: NoteKey
    url: str


def parse_witnesses(text: str) -> tuple[tuple[Witness, ...], tuple[Fault, ...]]:
    """Read `witness NAME VKEY URL` lines as tlog-policy has them; every wrong line is a fault that names it."""
    witnesses: list[Witness] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), 1):
        # The two kinds of space that tlog-policy knows.
        words = re.split("[ \t]+", line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            if UNPRINTABLE.search(line):
                raise InvalidProof("it has a control character")
            witness = _witness(words)
            _require_new(witness, witnesses)
            witnesses.append(witness)
        except InvalidProof as error:
            faults.append(Fault(f"line {number}", error.detail))
    return tuple(witnesses), tuple(faults)


def _witness(words: Sequence[str]) -> Witness:
    if words[0] != "witness" or len(words) != 4:
        raise InvalidProof("must read: witness NAME VKEY URL")
    _, name, vkey, url = words
    if name == "none":
        raise InvalidProof('"none" cannot be a name: tlog-policy has another use for it')
    key = parse_vkey(vkey)
    if key.kind != COSIGNATURE:
        raise InvalidProof("the key is not one for cosignatures (Ed25519, kind 04)")
    if fault := address_fault(url):
        raise InvalidProof(f"the address {fault}")
    return Witness(name, key, url.rstrip("/"))


def _require_new(witness: Witness, others: Sequence[Witness]) -> None:
    if any(other.name == witness.name for other in others):
        raise InvalidProof(f"the name {witness.name} appears twice")
    # One holder under two names would count as two.
    if any(other.key.public == witness.key.public for other in others):
        raise InvalidProof("the key appears twice")
    if len(others) == MAX_WITNESSES:
        raise InvalidProof(f"there are more than {MAX_WITNESSES} witnesses")
