"""A wrong site file is refused whole, each fault named with its place (docs/formats/site.md)."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent_server.core.errors import InvalidSiteFile
from consent_server.sites.publish import notice_body
from consent_server.sites.site_file import read_site_file
from tests.support.factories import ADS, ANALYTICS, CALLBELL, META, TABLES, TOP, VENDORS, site_file
from tests.support.sites import faults

OWN = (
    '[[vendors]]\nkey = "heat-map"\nname = "Heat Map"\npurposes = ["analytics"]\npolicy_url = "https://h.example/p"\n'
    '[vendors.operator]\nname = "H"\naddress = "A"\ncountry = "DE"\n'
)
FLOODLIGHT = (
    '[[vendors]]\nkey = "google-floodlight"\nid = "DC-1234567"\nconversions = { signup = "sales/signup+standard" }\n'
)
COOKIE = '[[vendors.cookies]]\nname = "_heatmap"\nstorage = "cookie"\nlifetime = 60\npurpose = "visitor-id"\n'
PURPOSE = "[purposes.shop-ads]\n" + "".join(
    f'[purposes.shop-ads.texts.{language}]\ntitle = "T"\nphrase = "p"\ntext = "t"\n' for language in ("en", "fr")
)
INTRO = "{name}, {vendors}, {purposes}, {months}, Cookie settings"


def top(line: str) -> str:
    """The shop's file with one of its first lines replaced, or one more."""
    key = line.partition("=")[0].strip()
    kept = [old for old in TOP.splitlines() if old.partition("=")[0].strip() != key]
    return site_file("\n".join([line, *kept]) + "\n")


def tables(old: str, new: str) -> str:
    assert old in TABLES
    return site_file(tables=TABLES.replace(old, new))


def before_policy(text: str) -> str:
    return tables("[policy.privacy]", f"{text}\n[policy.privacy]")


VERSION = "[[policy.privacy.versions]]\n"


def history(text: str) -> str:
    return tables("[policy.cookies]", f"{text}\n[policy.cookies]")


def vendors(text: str) -> str:
    return site_file(vendors=text)


def texts(language: str, line: str) -> str:
    return site_file(f"{TOP}[texts.{language}]\n{line}\n")


def logo(url: str) -> str:
    return site_file(f'{TOP}[banner.logo]\nurl = "{url}"\nalt = "Shop"\n')


RIGHT = {
    "logo on the site": logo("https://shop.example/logo.svg"),
    "logo in the file": logo("data:image/png;base64,iVBORw0KGgo="),
    "shop": site_file(),
    "callbell": CALLBELL.read_text("utf-8"),
    "several ids": vendors(ANALYTICS + ANALYTICS.replace("ABCD", "EFGH") + ADS + ADS.replace("AW-1", "AW-2")),
    "the same said twice": vendors("".join(f'{META.replace("1234", n)}purposes = ["advertising"]\n' for n in "56")),
    "Google tags": vendors(
        ANALYTICS.replace("G-ABCD123456", "GT-ABCD123")
        + '[[vendors]]\nkey = "google-ads"\nid = "GT-ABCD124"\n' + ADS + FLOODLIGHT
    ),
    "own vendor": vendors(VENDORS + OWN + COOKIE),
    "own purpose": vendors(PURPOSE + ANALYTICS + 'purposes = ["shop-ads"]\n'),
    "loopback origins": top('origins = ["http://localhost", "http://[::1]:*", "http://127.0.0.1:1", "https://a.b-c.example:1"]'),
    "a domain, and this machine": top('cookie_domain = "Shop.example."').replace("http://127.0.0.1:*", "http://[::1]:*"),
    "a domain": top('cookie_domain = "shop.example"'),
    "intro": texts("en", f'intro = "{INTRO}"'),
    "durations": top('proof_retention = "P18M"'),
    "policy history": tables(
        "[policy.cookies]",
        '[[policy.privacy.versions]]\nversion = "2026-03-01"\ndate = 2026-03-01\nchanged = ["5"]\n'
        '[[policy.privacy.versions]]\nversion = "1"\ndate = 2026-03-01\n[policy.cookies]',
    ),
    "longest choice": top("choice_days = 395"),
    "every storage": vendors(
        OWN + "".join(COOKIE.replace('"cookie"', f'"{kind}"') for kind in ("local", "session", "indexeddb", "cache"))
        + COOKIE.replace('"cookie"', '"service-worker"').replace("_heatmap", "/heatmap/worker.js")
    ),
    "third party cookie": vendors(
        OWN + COOKIE.replace('"_heatmap"', '"id"') + 'host = "h.example"\ndeletable = false\n'
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_accepted(text: str) -> None:
    assert faults(text) == {}
    assert notice_body(read_site_file(text))


WRONG: list[tuple[str, str, str]] = [
    # 1. The site
    (top('key = "Shop"'), "key", '"Shop"'), (top('key = "1shop"'), "key", '"1shop"'),
    (top('key = "a--b"'), "key", '"a--b"'), (top('key = "a-"'), "key", '"a-"'), (top("key = 1"), "key", ""),
    (top(f'key = "{"a" * 64}"'), "key", "63"), (top('key = "shop\\n"'), "key", ""),
    (site_file(TOP.replace('key = "shop"', "")), "key", "is missing"),
    (top('name = ""'), "name", ""), (top(f'name = "{"x" * 81}"'), "name", "80"), (top('name = "a\\nb"'), "name", ""),
    (top('name = "a\\u0085b"'), "name", ""),
    (top('name = "a\\u2028b"'), "name", ""),
    (top('name = "a\\u009Fb"'), "name", ""),
    (top("origins = []"), "origins", ""), (top('origins = "https://a.example"'), "origins", ""),
    (top('origins = ["https://shop.example/"]'), "origins[0]", ""),
    (top('origins = ["http://shop.example"]'), "origins[0]", ""),
    (top('origins = ["https://*.shop.example"]'), "origins[0]", ""), (top('origins = ["*"]'), "origins[0]", ""),
    (top('origins = ["https://a.example", "null"]'), "origins[1]", "null"),
    (top('origins = ["https://a.example:*"]'), "origins[0]", ""),
    (top('origins = ["https://a.example:0"]'), "origins[0]", "not a port"),
    (top('origins = ["https://127.1"]'), "origins[0]", "IPv4"),
    (top('origins = ["https://[::g]"]'), "origins[0]", "IPv6"),
    (top('origins = ["https://stra\u00dfe.example"]'), "origins[0]", "xn--"),
    (top('origins = ["https://shop..example"]'), "origins[0]", "not a host name"),
    (top('origins = ["https://a.example?x"]'), "origins[0]", ""),
    (top("origins = [" + '"https://a.example",' * 51 + "]"), "origins", "50"),
    (top('origins = ["https://a@b.example"]'), "origins[0]", ""),
    (top("languages = []"), "languages", ""), (top('languages = ["en", "xx"]'), "languages[1]", '"xx"'),
    (top('time_zone = "Mars/Olympus"'), "time_zone", "not an IANA time zone"), (top("time_zone = 1"), "time_zone", ""),
    (vendors("".join(f'[[vendors]]\nkey = "{"v" * 50}{n}"\n' for n in range(50))), "vendors", "together have more"),
    (top('languages = ["en", "en"]'), "languages[1]", "twice"), (top("languages = [1]"), "languages[0]", ""),
    (top('default_language = "it"'), "default_language", '"it"'), (top('mode = "soft"'), "mode", "soft"),
    (top('cookie_domain = "example"'), "cookie_domain", ""), (top('cookie_domain = ".a.example"'), "cookie_domain", ""),
    (top('cookie_domain = "other.example"'), "origins[0]", "is not under"),
    (top('cookie_domain = "hop.example"'), "origins[0]", "is not under"),
    (top("choice_days = 396"), "choice_days", "(no-hurry)"), (top("choice_days = 0"), "choice_days", "0"),
    (top('choice_days = "180"'), "choice_days", "180"), (top("choice_days = true"), "choice_days", "True"),
    (top("choice_days = 1.5"), "choice_days", "1.5"),
    (top('proof_retention = "3 years"'), "proof_retention", '"3 years"'),
    (top('proof_retention = "P5Y1D"'), "proof_retention", "P5Y"),
    (top('proof_retention = "P10D"'), "proof_retention", "choice_days"),
    (top('proof_retention = "P"'), "proof_retention", ""), (top('proof_retention = "P1Y\\n"'), "proof_retention", ""),
    (top('colour = "red"'), "colour", "is not known"),
    (top('chioce_days = 90'), "chioce_days", "is not known. Did you mean `choice_days`?"),
    (before_policy('nmae = "x"'), "controller.nmae", "is not known. Did you mean `name`?"),
    (vendors(OWN + COOKIE + 'purpos = "x"\n'), "vendors[0].cookies[0].purpos", "Did you mean `purpose`?"),
    (texts("en", 'titel = "x"'), "texts.en.titel", "Did you mean `title`?"),
    # 2. Who asks
    (tables('name = "Example Shop Ltd"\n', ""), "controller.name", "is missing"),
    (tables('address = "1 Main Street, Dublin, Ireland"\n', ""), "controller.address", "is missing"),
    (tables("privacy@shop.example", "privacy"), "controller.contact", "privacy"),
    (before_policy("[controller.extra]\nx = 1"), "controller.extra", "is not known"),
    (before_policy('[dpo]\nname = "D"'), "dpo.contact", "is missing"),
    (before_policy('[authority]\nname = "A"\nurl = "http://a.example"'), "authority.url", ""),
    (before_policy('[authority]\nname = "A"\nurl = "https://a.example"\ncountry = "fr"'), "authority.country", "fr"),
    # 3. What it refers to
    (tables('url = "https://shop.example/privacy"\n', ""), "policy.privacy.url", "is missing"),
    (tables('"https://shop.example/privacy"', "{}"), "policy.privacy.url", ""),
    (tables('"https://shop.example/privacy"', "7"), "policy.privacy.url", 'in quotes is expected: "7"'),
    (tables('"https://shop.example/privacy"', '{ fr = "https://shop.example" }'), "policy.privacy.url.en", "missing"),
    (tables('"https://shop.example/privacy"', '{ en = "javascript:1" }'), "policy.privacy.url.en", "javascript:1"),
    (tables('"https://shop.example/privacy"', '{ en = "https://a.example/", it = "https://b.example/" }'),
     "policy.privacy.url.it", "is not one of languages"),
    (tables("https://shop.example/privacy", "javascript:alert(1)"), "policy.privacy.url", ""),
    (tables("https://shop.example/privacy", "http://shop.example/privacy"), "policy.privacy.url", ""),
    (tables('version = "2026-03-02"', "version = 2"), "policy.cookies.version", 'in quotes is expected: "2"'),
    (tables('version = "2026-03-02"', "version = 1.10"), "policy.cookies.version", "in quotes is expected"),
    (tables('version = "2026-03-02"', "version = []"), "policy.cookies.version", "in quotes is expected"),
    (top("mode = 1"), "mode", "in quotes is expected"),
    (tables('version = "2026-03-02"', f'version = "{"1" * 41}"'), "policy.cookies.version", "40"),
    (history(f"{VERSION}version = '1'\ndate = 2026-03-01"),
     "policy.privacy.versions[0].version", "2026-03-01"),
    (history(f"{VERSION}version = '2026-03-01'\ndate = '1 March 2026'"),
     "policy.privacy.versions[0].date", "2026-03-01"),
    (history(f"{VERSION}version = '2026-03-01'\ndate = 2026-03-01T10:00:00"),
     "policy.privacy.versions[0].date", "2026-03-01"),
    (history(f"{VERSION}version = '2026-03-01'\ndate = 2026-03-01\n{VERSION}version = '1'\ndate = 2026-03-02"),
     "policy.privacy.versions[1].date", "later"),
    # 4. How it looks and what it says
    (site_file(f'{TOP}[banner]\nlayout = "popup"\n'), "banner.layout", "popup"),
    (site_file(f'{TOP}[banner]\nsize = "big"\n'), "banner.size", "is not known"),
    (site_file(f'{TOP}[banner.colours]\naccent = "red"\n'), "banner.colours.accent", "red"),
    (site_file(f'{TOP}[banner.colours]\naccent = "#12345g"\n'), "banner.colours.accent", ""),
    (site_file(f'{TOP}[banner.colours.dark]\nsurface = "black"\n'), "banner.colours.dark.surface", "black"),
    (site_file(f'{TOP}[banner]\ncorner = "left"\n'), "banner.corner", "start, end"),
    (site_file(f'{TOP}[banner]\nscheme = "night"\n'), "banner.scheme", "auto, light, dark"),
    (site_file(f'{TOP}[banner]\nfont = "Arial"\n'), "banner.font", "system, page"),
    (site_file(f"{TOP}[banner]\nradius = 25\n"), "banner.radius", "0 and 24"),
    (site_file(f'{TOP}[banner]\nradius = "9px"\n'), "banner.radius", "whole number"),
    (logo("https://shop.example/logo.svg").replace('alt = "Shop"\n', ""), "banner.logo.alt", "is missing"),
    (logo("https://pictures.example/logo.svg"), "banner.logo.url", "not on one of origins"),
    (logo("http://shop.example/logo.svg"), "banner.logo.url", ""),
    (logo("https://shop.example.evil.example/logo.svg"), "banner.logo.url", "not on one of origins"),
    (logo("data:text/html;base64,PHA+"), "banner.logo.url", ""),
    (logo("data:image/svg+xml;base64," + "A" * 4096), "banner.logo.url", "4096"),
    (texts("it", 'title = "x"'), "texts.it", "languages"),
    (texts("en", f'title = "{"x" * 81}"'), "texts.en.title", "80"),
    (texts("en", 'close = "Close"'), "texts.en.close", "is not known"),
    (texts("en", 'gpc = "x"'), "texts.en.gpc", "is not known"),
    (texts("en", "saved = 1"), "texts.en.saved", ""), (texts("en", 'reopen = "x"'), "texts.en.reopen", "is not known"),
    # 5. Vendors
    (vendors(""), "vendors", "is missing"), (vendors(ANALYTICS * 2), "vendors[1].key", "twice"),
    (vendors(ANALYTICS + META + ANALYTICS), "vendors[2].key", '"google-analytics" with the id "G-ABCD123456"'),
    (vendors(OWN * 2), "vendors[1].key", "twice"),
    (vendors('[[vendors]]\nkey = "youtube"\n' * 2), "vendors[1].key", "twice"),
    (vendors("".join(f'[[vendors]]\nkey = "microsoft-uet"\nid = "{n}2345678"\n' for n in (1, 2))),
     "vendors[1].key", "takes one id"),
    (vendors(META + META.replace("1234", "2345") + 'purposes = ["functional"]\n'), "vendors[1].purposes", "vendors[0]"),
    (vendors(ANALYTICS + ANALYTICS.replace("ABCD", "EFGH") + COOKIE), "vendors[1].cookies", "vendors[0]"),
    (vendors(ANALYTICS + ANALYTICS.replace("ABCD", "efgh")), "vendors[1].id", "G-efgh123456"),
    (vendors('[[vendors]]\nkey = "google-analytics"\n'), "vendors[0].id", "is missing"),
    (vendors(ANALYTICS.replace("G-ABCD123456", "UA-1-1")), "vendors[0].id", "UA-1-1"),
    (vendors(ANALYTICS.replace("G-ABCD123456", "G-ABCD123456\\n")), "vendors[0].id", ""),
    (vendors(ADS.replace("AbC-D_efGhIjKlMnOp", "no spaces!")), "vendors[0].conversions.signup", "no spaces!"),
    (vendors(ADS.replace("AW-123456789", "GT-ABCD123")), "vendors[0].conversions", "AW-"),
    (vendors(ADS.replace("AW-123456789", "GT-ab")), "vendors[0].id", '"GT-ab" is not a Google tag'),
    (vendors(ADS.replace("AW-123456789", "DC-1234567")), "vendors[0].id", "DC-1234567"),
    (vendors(ANALYTICS.replace("G-ABCD123456", "DC-1234567")), "vendors[0].id", "DC-1234567"),
    (vendors(FLOODLIGHT.replace("+standard", "")), "vendors[0].conversions.signup", "sales/signup"),
    (vendors(ADS.replace("signup", "SignUp")), "vendors[0].conversions.SignUp", ""),
    (vendors(META + 'conversions = { a = "abcdef" }\n'), "vendors[0].conversions.a", "no conversions"),
    (vendors(META + 'name = "Facebook"\n'), "vendors[0].name", "catalogue"),
    (vendors(META + "hosts = []\n"), "vendors[0].hosts", "catalogue"),
    (vendors(META + "purposes = []\n"), "vendors[0].purposes", ""),
    (vendors(META + 'purposes = ["selling"]\n'), "vendors[0].purposes[0]", "selling"),
    (vendors(META + 'declared = { name = "F" }\n'), "vendors[0].declared.address", "is missing"),
    (vendors('[[vendors]]\nkey = "nobody"\n'), "vendors[0].name", "is missing"),
    (vendors(OWN.replace('name = "Heat Map"\n', "")), "vendors[0].name", "is missing"),
    (vendors(OWN.replace('purposes = ["analytics"]\n', "")), "vendors[0].purposes", "is missing"),
    (vendors(OWN.replace('policy_url = "https://h.example/p"\n', "")), "vendors[0].policy_url", "is missing"),
    (vendors(OWN.partition("[vendors.operator]")[0]), "vendors[0].operator", "is missing"),
    (vendors(OWN.replace('country = "DE"\n', "")), "vendors[0].operator.country", "is missing"),
    (vendors(OWN.replace('key = "heat-map"\n', 'key = "heat-map"\nid = "1"\n')), "vendors[0].id", "is not known"),
    (vendors(OWN + COOKIE.replace("lifetime = 60\n", "")), "vendors[0].cookies[0].lifetime", ""),
    (vendors(OWN + COOKIE + 'expiry = "none"\n'), "vendors[0].cookies[0].lifetime", ""),
    (vendors(OWN + COOKIE.replace("= 60", "= 0")), "vendors[0].cookies[0].lifetime", "0"),
    (vendors(OWN + COOKIE.replace("= 60", "= true")), "vendors[0].cookies[0].lifetime", ""),
    (vendors(OWN + COOKIE.replace("= 60", f"= {2**60}")), "vendors[0].cookies[0].lifetime", ""),
    (vendors(OWN + COOKIE.replace('"cookie"', '"websql"')), "vendors[0].cookies[0].storage", "websql"),
    (vendors(OWN + COOKIE.replace('"cookie"', '"service-worker"')), "vendors[0].cookies[0].name", "path of a script"),
    *((vendors(OWN + COOKIE.replace('"cookie"', f'"{kind}"').replace("_heatmap", name)),
       "vendors[0].cookies[0].name", name)
      for kind, name in (("service-worker", "/"), ("service-worker", "/sw.js"), ("indexeddb", "keyval-store"),
                         ("cache", "workbox-*"), ("cache", "abc"))),
    (vendors(OWN + COOKIE.replace('"visitor-id"', '"spying"')), "vendors[0].cookies[0].purpose", "spying"),
    (vendors(OWN + COOKIE + "deletable = 1\n"), "vendors[0].cookies[0].deletable", "1"),
    (vendors(OWN + COOKIE + 'deletable = "no"\n'), "vendors[0].cookies[0].deletable", ""),
    *((vendors(OWN + COOKIE.replace("_heatmap", name)), "vendors[0].cookies[0].name", name)
      for name in ("abc", "abc*", "uuid", "session", "token*", "user", "UUID", "eu-consent", "eu-c*",
                   "eu-consent-outbox", "eu-consent-receipt", "eu-consent-*")),
    # 6. Purposes
    (vendors(PURPOSE.replace("shop-ads", "analytics") + ANALYTICS), "purposes.analytics", "built in"),
    (vendors(PURPOSE.replace("shop-ads", "necessary") + ANALYTICS), "purposes.necessary", "built in"),
    (vendors(PURPOSE.partition("[purposes.shop-ads.texts.fr]")[0] + ANALYTICS),
     "purposes.shop-ads.texts.fr", "is missing"),
    (vendors(PURPOSE.replace("texts.fr", "texts.it") + ANALYTICS).replace('["en", "fr"]', '["en"]'),
     "purposes.shop-ads.texts.it", "languages"),
    (vendors(PURPOSE.replace("[purposes.shop-ads]", '[purposes.shop-ads]\nsignals = ["security_storage"]') + ANALYTICS),
     "purposes.shop-ads.signals[0]", "security_storage"),
    (vendors(PURPOSE.replace('phrase = "p"\n', "", 1) + ANALYTICS), "purposes.shop-ads.texts.en.phrase", "is missing"),
    (vendors(PURPOSE.replace("shop-ads", "Shop") + ANALYTICS), "purposes.Shop", ""),
    # 7. Fairness
    (site_file(f'{TOP}[banner.colours]\nrefuse = "#eeeeee"\n'), "banner.colours.refuse", "(one-style)"),
    (site_file(f'{TOP}[banner]\naccept_size = "big"\n'), "banner.accept_size", "(one-style)"),
    (site_file(f'{TOP}[banner.logo]\nrefuse = "x"\n'), "banner.logo.refuse", "(one-style)"),
    (site_file(f'{TOP}[banner.colours.dark]\naccept = "#00ff00"\n'), "banner.colours.dark.accept", "(one-style)"),
    (site_file(f'{TOP}[banner]\nreject_style = "link"\n'), "banner.reject_style", "(one-style)"),
    (site_file(f'{TOP}[banner.deny]\ncolour = "x"\n'), "banner.deny", "(one-style)"),
    (texts("en", 'accept = "OK"\nrefuse = "ok"'), "texts.en.refuse", "(both-answers)"),
    (texts("en", 'refuse = "I would rather not, thank you"'), "texts.en.refuse", "(both-answers)"),
    (texts("en", f'intro = "{INTRO.replace("{months}", "x")}"'), "texts.en.intro", "{months} is missing (words-kept)"),
    (texts("en", 'intro = "' + INTRO.replace("Cookie settings", "x") + '"'), "texts.en.intro", "(words-kept)"),
    (texts("en", f'intro = "{INTRO} }}"'), "texts.en.intro", "(words-kept)"),
    (texts("fr", 'always = "Toujours"'), "texts.fr.always", "(words-kept)"),
    (top("refuse_days = 7"), "refuse_days", "(no-hurry)"), (top("accept_days = 7"), "accept_days", "(no-hurry)"),
    (site_file(f"{TOP}[banner]\ntimeout = 7\n"), "banner.timeout", "(no-hurry)"),
    (site_file(f"{TOP}[banner]\ncountdown = 7\n"), "banner.countdown", "(no-hurry)"),
    (top("repeat_after = 7"), "repeat_after", "(no-hurry)"),
    (vendors(META + 'purposes = ["analytics"]\n'), "vendors[0].purposes[0]", "(true-purpose)"),
    (vendors(PURPOSE + META + 'purposes = ["shop-ads"]\n'), "vendors[0].purposes[0]", "(true-purpose)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "says"), WRONG, ids=[f"{n}-{case[1]}" for n, case in enumerate(WRONG)])
def test_a_fault_is_named_at_its_place(text: str, place: str, says: str) -> None:
    found = faults(text)
    assert place in found, found
    assert says in found[place]


def test_a_vendor_that_is_misspelt_is_one_fault() -> None:
    assert faults(vendors('[[vendors]]\nkey = "youtub"\n')) == {
        "vendors[0].key": '"youtub" is not in the catalogue. Did you mean `youtube`?'
    }


def test_a_purpose_of_its_own_with_an_ad_signal_keeps_global_privacy_control() -> None:
    own = PURPOSE.replace("[purposes.shop-ads]\n", '[purposes.shop-ads]\nsignals = ["ad_storage"]\n')
    assert faults(vendors(f'{own}{META}purposes = ["shop-ads"]\n')) == {}


@pytest.mark.parametrize("text", ["key = ", "key = 'a'\nkey = 'b'", "[a\n", "\x00", "a = 2026-99-99", "= 1", "\ud800"])
def test_what_is_not_toml_is_one_fault(text: str) -> None:
    found = faults(text)
    assert list(found) == ["TOML"]
    assert found["TOML"]


def test_all_faults_are_named_at_once() -> None:
    text = f"""\
key = "Shop"
name = ""
origins = ["http://shop.example", "https://ok.example"]
languages = ["en", "xx"]
default_language = "it"
choice_days = "180"
proof_retention = "long"
colour = "red"
{TABLES.replace("privacy@", "privacy ").replace("https://shop.example/cookies", "cookies")}
[banner.colours]
accent = "red"
refuse = "red"
[texts.en]
accept = "Yes"
refuse = "yes"
[[vendors]]
id = "G-ABCD123456"
[[vendors]]
key = "google-ads"
id = "AW-12AB"
[[vendors]]
key = "nobody"
"""
    assert faults(text).keys() == {
        "key", "name", "origins[0]", "languages[1]", "default_language", "choice_days", "proof_retention", "colour",
        "controller.contact", "policy.cookies.url", "banner.colours.accent", "banner.colours.refuse", "texts.en.refuse",
        "vendors[0].key", "vendors[1].id", "vendors[2].name", "vendors[2].purposes", "vendors[2].policy_url",
        "vendors[2].operator",
    }  # fmt: skip


def test_a_list_keeps_its_numbers_when_one_item_is_unreadable() -> None:
    assert faults(top('languages = [1, "xx"]')).keys() == {"languages[0]", "languages[1]"}


EXAMPLE = CALLBELL.read_text("utf-8")
JUNK = ["", '""', "1", "-1", "true", "[]", "{}", "[[]]", '["x"]', "{ x = 1 }", "1.5", "nan", "2026-01-01", '"\\n"',
        '"{"', '"}"', '"{name}"', '"https://x.example"', "9999999999999999999", '"' + "x" * 500 + '"']  # fmt: skip
LINES = EXAMPLE.splitlines()


@given(st.integers(0, len(LINES) - 1), st.sampled_from(JUNK))
@example(8, '"}"')
def test_whatever_stands_there_it_is_read_or_refused(number: int, junk: str) -> None:
    key, equals, _ = LINES[number].partition("=")
    changed = f"{key}= {junk}" if equals else junk
    read_or_refuse("\n".join([*LINES[:number], changed, *LINES[number + 1 :]]))


SYNTAX = st.text(st.sampled_from('[]{}"=.#\n,a1 \\é\u2028'), max_size=6)
FORMATS = st.text(st.sampled_from("{}!:[].name mothsvedrup"), max_size=40)


@settings(deadline=None)  # a file of many vendors takes its time
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 40), SYNTAX)
def test_whatever_is_cut_or_added_it_is_read_or_refused(start: int, length: int, added: str) -> None:
    read_or_refuse(EXAMPLE[:start] + added + EXAMPLE[start + length :])


@given(st.sampled_from(["title", "intro", "accept", "placeholder", "always"]), FORMATS)
def test_whatever_a_text_says_it_is_shown_or_refused(key: str, text: str) -> None:
    read_or_refuse(texts("en", f'{key} = "{INTRO if key == "intro" else ""}{text}"'))


def read_or_refuse(text: str) -> None:
    """Nothing but InvalidSiteFile comes out, and what was accepted can be published."""
    try:
        declared = read_site_file(text)
    except InvalidSiteFile:
        return
    assert notice_body(declared)
