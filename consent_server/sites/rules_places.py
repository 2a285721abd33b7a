"""Where a visitor is, as far as the operator's proxy says it, and which places a site file may name.

A place is a country (ISO 3166-1) and a part of it (ISO 3166-2), or unknown. What somebody does with an unknown place
is theirs to say: it is neither a place that is listed nor one that is not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# ISO 3166-1 alpha-2, and Kosovo by the code that proxies give it.
COUNTRIES = _codes(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
# The parts of the two countries whose law is another in each.
REGIONS = {
    "CA": _codes("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
    "US": _codes(
        "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ "
        "NM NV NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY"
    ),
}
# What holds where the part is not known: the strictest of that country.
STRICTEST = {"CA": "CA-QC", "US": "US-CA"}

# Its law holds in the outermost regions too, which have codes of their own (TFEU, Article 355(1)), and in Åland.
EU = _codes("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK AX GF GP MF MQ RE YT")
GROUPS = {"EU": EU, "EEA": EU | {"IS", "LI", "NO"}}

# "US", "US-CA", "us_ca", "US:CA", "US-USCA"; "US-", "US-?" and "US-NO REGION" where the part is not known. No comma:
# two headers of one name are joined by it, and a visitor may have sent the first.
_HEADER = re.compile(r"\s*([A-Za-z]{2})\s*(?:[-_:/ ]\s*([A-Za-z0-9? *-]{0,10}))?\s*", re.ASCII)
_PART = re.compile(r"[A-Z0-9]{1,3}")


class Rule(StrEnum):
    """What holds in a place before somebody chose."""

    OPT_IN = "opt-in"
    OPT_OUT = "opt-out"
    NOTICE = "notice"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visitor is: a country ("US") and a part of it ("US-CA"), each None where it is unknown."""

    country: str | None = None
    region: str | None = None


UNKNOWN = Place()


def parse_place(header: str | None) -> Place:
    """The place that a proxy names. What names no country of ISO 3166-1 (XX, T1, EU, anything else) is unknown.

    Of Canada and the United States a part that is not known is the strictest one.
    """
    match = _HEADER.fullmatch(header or "")
    country, part = (match[1].upper(), (match[2] or "").strip().upper()) if match else ("", "")
    if country not in COUNTRIES:
        return UNKNOWN
    if len(part) > 3:
        # As Unicode writes it: USCA, GBENG.
        part = part.removeprefix(country)
    if part not in REGIONS[country] if country in REGIONS else not _PART.fullmatch(part):
        return Place(country, STRICTEST.get(country))
    return Place(country, f"{country}-{part}")


def is_code(code: str) -> bool:
    """Whether a site file may name it: a group, a country, or a part of a country."""
    country, dash, part = code.partition("-")
    if not dash:
        return code in GROUPS or code in COUNTRIES
    known = REGIONS.get(country)
    return country in COUNTRIES and bool(part in known if known else _PART.fullmatch(part))


def members(group: str) -> frozenset[str]:
    """The countries of a group such as EEA; any other code stands for itself."""
    return GROUPS.get(group, frozenset([group]))


def covers(codes: Sequence[str], place: Place) -> bool:
    """Whether one of the codes is this place, its country, or a group that its country is in."""
    return any(place.region == code or place.country in members(code) for code in codes)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the law of some places asks for, as far as it was found; places.toml says what each field means."""

    name: str
    rule: Rule
    law: str
    source: str
    reviewed: date
    places: tuple[str, ...] = ()
    statistics: str = ""
    signal: str = ""
    shown: bool = False
    links: tuple[str, ...] = ()
    url: str = ""
    note: str = ""

    def is_old(self, today: date) -> bool:
        """Whether nobody looked for a year."""
        return (today - self.reviewed).days > 365


@dataclass(frozen=True, slots=True)
class Proposals:
    """The table of places. It proposes, and never decides for a site."""

    rows: tuple[Proposal, ...]
    elsewhere: Proposal

    def of(self, place: Place) -> Proposal:
        """The one row of a known place: that of the part before that of the country, or what holds elsewhere."""
        for code in (place.region, place.country):
            for row in self.rows:
                if code in row.places:
                    return row
        return self.elsewhere

    def named(self, code: str) -> list[Proposal]:
        """The rows of all places that a code of a site file stands for."""
        return [row for row in self.rows if any(_meet(code, place) for place in row.places)] or [self.elsewhere]


def _meet(code: str, place: str) -> bool:
    country, within = place.partition("-")[0], code.partition("-")[0]
    return code == place or country in members(code) or place == within
