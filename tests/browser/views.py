"""Every page of the server and its main states: who opens it, where, and what they do there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.request import Request, urlopen

from playwright.sync_api import Page, expect

from tests.support.people import PASSWORD

from .library import Library

Where = Callable[[Library], str]
Act = Callable[[Library, Page], object]


@dataclass(frozen=True)
class View:
    """A page in one state."""

    name: str
    reader: str
    where: Where
    act: Act = lambda library, page: None

    def open(self, library: Library, page: Page) -> None:
        """Go there, and do it."""
        page.goto(self.where(library))
        self.act(library, page)


def _a_request(library: Library, page: Page) -> None:
    urlopen(Request(f"{library.receipts['shop choice']['receipt_url']}/erasure", method="POST")).close()
    page.reload()
    expect(page.get_by_text("You asked for erasure").or_(page.get_by_text("days left"))).to_be_visible()


def _a_decision(library: Library, page: Page) -> None:
    _a_request(library, page)
    page.get_by_role("link", name="Decide").first.click()
    expect(page.get_by_role("heading", name="Refuse")).to_be_visible()


def _unfold(library: Library, page: Page) -> None:
    for summary in page.locator("main summary").all():
        summary.click()


def _invite_nobody(library: Library, page: Page) -> None:
    page.get_by_label("E-mail address").fill("new@example.org")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("at least one site")).to_be_visible()


def _begin_codes(library: Library, page: Page) -> None:
    page.get_by_text("Set up codes").click()
    form = page.locator("form[action$='/account/codes']")
    form.get_by_label("Present password").fill(PASSWORD)
    form.get_by_role("button").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()


def _at(path: str) -> Where:
    return lambda library: path


def _record(name: str, site: str = "shop") -> Where:
    return lambda library: f"/console/sites/{site}/records/{library.receipts[name]['receipt_id']}"


def _receipt(name: str) -> Where:
    return lambda library: library.receipts[name]["receipt_url"]


def _jws(name: str) -> Where:
    return lambda library: str(library.receipts[name]["receipt"])


def _notice(query: str = "") -> Where:
    return lambda library: f"/v1/notices/{library.notice()}{query}"


def _invitation(name: str) -> Where:
    return lambda library: library.invite(name, "--role", "auditor")


def _sign_in_wrongly(library: Library, page: Page) -> None:
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _set_two_passwords(library: Library, page: Page) -> None:
    page.get_by_label("New password").fill("a long enough password")
    page.get_by_label("The same again").fill("another long password")
    page.get_by_role("button", name="Set it and sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


UNFOLD = "for (const one of document.querySelectorAll('details')) one.open = true"


def _unfold_settings(library: Library, page: Page) -> None:
    page.evaluate(UNFOLD)
    expect(page.frame_locator(".screen iframe:not(.coming)").get_by_role("dialog")).to_be_visible()


def _save_what_is_wrong(library: Library, page: Page) -> None:
    page.get_by_label("Contact").first.fill("nobody")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_role("heading", name="1 thing to mend")).to_be_visible()
    page.evaluate(UNFOLD)


def _see_plan(library: Library, page: Page) -> None:
    page.get_by_label("Name of the site").fill("Another name")
    page.get_by_role("button", name="See plan").click()
    expect(page.get_by_role("heading", name="What publishing changes")).to_be_visible()
    _two_banners_are_there(library, page)


def _open_all(library: Library, page: Page) -> None:
    for summary in page.locator("summary:visible").all():
        summary.click()


def _checked(outcome: str) -> Act:
    return lambda library, page: expect(page.get_by_role("status")).to_have_attribute(
        "data-outcome", outcome, timeout=20_000
    )


def _ask_for(given: Callable[[Library], str]) -> Act:
    def paste(library: Library, page: Page) -> None:
        _open_all(library, page)
        page.get_by_label("Paste it").fill(given(library))
        page.get_by_role("button", name="Check and find").click()
        page.wait_for_url("**/find")

    return paste


def _paste_at_verify(given: Callable[[Library], str], outcome: str) -> Act:
    def paste(library: Library, page: Page) -> None:
        expect(page.locator("body[data-ready]")).to_be_attached()
        page.locator("#pasted").fill(given(library))
        page.locator("form button").first.click()
        _checked(outcome)(library, page)
        _open_all(library, page)

    return paste


def _check_a_pack(library: Library, page: Page) -> None:
    expect(page.locator("body[data-ready]")).to_be_attached()
    page.set_input_files("input[type=file]", library.pack())
    _checked("ok")(library, page)


def _banner_is_there(library: Library, page: Page) -> None:
    expect(page.frame_locator("iframe").get_by_role("dialog")).to_be_visible()


def _two_banners_are_there(library: Library, page: Page) -> None:
    """The experiment's winner beside what it replaced, once somebody has ended it."""
    for frame in page.locator("iframe").all():
        expect(frame.content_frame.get_by_role("dialog")).to_be_visible()


def _drawn(charts: int) -> Act:
    def wait(library: Library, page: Page) -> None:
        expect(page.locator("body")).to_have_attribute("data-drawn", str(charts))
        _open_all(library, page)

    return wait


def _fallen(query: Callable[[date], str]) -> Where:
    """The rates of the site where one fell, asked for as of today."""
    return lambda library: f"{RATES.format('fallen')}?{query(datetime.now(UTC).date())}"


def _two_weeks(today: date) -> str:
    days = [today - timedelta(days=ago) for ago in (7, 1, 14, 9)]
    return "from={}&to={}&compare_from={}&compare_to={}".format(*days)


def _two_periods(library: Library, page: Page) -> None:
    expect(page.get_by_role("region", name="Table of the two periods").get_by_text("64.3").first).to_be_visible()
    _drawn(3)(library, page)


def _alert_and_drop(library: Library, page: Page) -> None:
    expect(page.get_by_text("points lower since").first).to_be_visible()
    _told("Worth a look", _drawn(3))(library, page)


def _told(text: str, then: Act = lambda library, page: None) -> Act:
    def look(library: Library, page: Page) -> None:
        expect(page.get_by_text(text).first).to_be_visible()
        then(library, page)

    return look


def _end_it(library: Library, page: Page) -> None:
    button = page.get_by_role("button", name="Make it the notice (box)")
    if button.count():
        button.click()
    expect(page.get_by_text("made the notice", exact=True)).to_be_visible()


def _share(library: Library, page: Page) -> None:
    page.locator("summary", has_text="Share").click()
    page.get_by_role("button", name="Make the link").click()
    page.wait_for_url("**/rates/link")


def _read_what_is_shared(library: Library, page: Page) -> None:
    _share(library, page)
    page.get_by_role("link", name="Look at it").click()
    _drawn(3)(library, page)


RECORDS, SAMPLE, GAPS, RATES, EXPERIMENT = (
    "/console/sites/{}/" + part for part in ("records", "sample", "gaps", "rates", "experiment")
)
NOBODY = "01a20959-a77a-7518-936b-f2062a57b346"
FAULTS = "?from=x&to=x&visitor=x&receipt=x&notice=x&purpose=x&action=x&other=x"

VIEWS = [
    View("sign in", "", _at("/sign-in")),
    View("sign in, wrong password", "", _at("/sign-in"), _sign_in_wrongly),
    View("set password", "", _invitation("nina")),
    View("set password, two different ones", "", _invitation("noah"), _set_two_passwords),
    View("expired link", "", _at("/sign-in/link?t=spent")),
    View("the server", "", _at("/")),
    View("all sites of an operator", "olga", _at("/console")),
    View("home of an operator", "olga", _at("/console/sites/shop")),
    View("home of an auditor", "ada", _at("/console")),
    View("home of a marketer", "max", _at("/console")),
    View("records", "ada", _at(RECORDS.format("shop")), _open_all),
    View("records, the last page", "ada", _at(f"{RECORDS.format('shop')}?cursor=99999999999999-1")),
    View("records, filtered", "ada", _at(f"{RECORDS.format('shop')}?action=refuse_all")),
    View("records, nothing found", "ada", _at(f"{RECORDS.format('shop')}?visitor={NOBODY}")),
    View("records, none yet", "olga", _at(RECORDS.format("quiet"))),
    View("records, wrong parameters", "ada", _at(RECORDS.format("shop") + FAULTS)),
    View("record of a grant", "ada", _record("grant"), _open_all),
    View("record of a refusal", "ada", _record("refusal")),
    View("record that was altered", "olga", _record("broken choice", "broken")),
    View("no such record", "ada", _at(f"{RECORDS.format('shop')}/{NOBODY}")),
    View("found no receipt", "ada", _at(RECORDS.format("shop")), _ask_for(lambda library: "a.b.c")),
    View("found a receipt of another site", "ada", _at(RECORDS.format("shop")), _ask_for(_jws("broken choice"))),
    View("spot check", "ada", _at(f"{SAMPLE.format('shop')}?n=20&seed=ada")),
    View("spot check of altered records", "olga", _at(f"{SAMPLE.format('broken')}?n=20&seed=ada")),
    View("spot check, nothing to draw", "olga", _at(SAMPLE.format("quiet"))),
    View("spot check, wrong parameters", "ada", _at(f"{SAMPLE.format('shop')}?n=x&seed=%C3%A9&size=x&other=x")),
    View("gaps", "ada", _at(GAPS.format("shop"))),
    View("gaps, some", "olga", _at(GAPS.format("broken"))),
    View("gaps of an empty ledger", "olga", _at(GAPS.format("quiet"))),
    View("replay", "ada", _at(f"{GAPS.format('shop')}?from=0")),
    View("replay of altered records", "olga", _at(f"{GAPS.format('broken')}?from=0")),
    View("replay of nothing", "olga", _at(f"{GAPS.format('quiet')}?from=0")),
    View("people", "olga", _at("/console/people")),
    View("a person", "olga", _at("/console/people/1"), _unfold),
    View("account", "ada", _at("/console/account"), _unfold),
    View("codes, to be set up", "max", _at("/console/account"), _begin_codes),
    View("people, a wrong invitation", "olga", _at("/console/people"), _invite_nobody),
    View("a new password", "", _at("/sign-in/forgotten")),
    View("shared reports", "max", _at("/console/sites/shop/reports")),
    View("tokens", "olga", _at("/console/tokens")),
    View("look-ups", "olga", _at("/console/lookups")),
    View("look-ups, none yet", "oscar", _at("/console/lookups")),
    View("another's site", "ada", _at(RECORDS.format("quiet"))),
    View("another's role", "max", _at(RECORDS.format("shop"))),
    View("requests for erasure", "olga", _at("/console/sites/shop/erasure-requests"), _a_request),
    View("request for erasure, to decide", "olga", _at("/console/sites/shop/erasure-requests"), _a_decision),
    View("requests for erasure, none", "oscar", _at("/console/sites/quiet/erasure-requests")),
    View("settings", "olga", _at("/console/sites/shop/settings"), _unfold_settings),
    View("settings to mend", "olga", _at("/console/sites/quiet/settings"), _save_what_is_wrong),
    View("settings as a file", "olga", _at("/console/sites/shop/settings/file")),
    View("plan of a publication", "olga", _at("/console/sites/broken/settings"), _see_plan),
    View("new site", "olga", _at("/console/sites/new")),
    View("receipt with a request for erasure", "", _receipt("shop choice"), _a_request),
    View("receipt of a removed record", "", _receipt("erased")),
    View("receipt of a grant", "", _receipt("grant"), _checked("ok")),
    View("receipt of a refusal", "", _receipt("refusal"), _checked("ok")),
    View("receipt without its link", "", lambda library: f"/v1/receipts/{library.receipts['grant']['receipt_id']}"),
    View("receipt of a wrong link", "", lambda library: f"{library.receipts['grant']['receipt_url']}x"),
    View("verify", "", _at("/verify?lang=en"), _open_all),
    View("verify in French", "", _at("/verify?lang=fr")),
    View("verify, a receipt", "", _at("/verify"), _paste_at_verify(_jws("grant"), "wait")),
    View("verify, an evidence pack", "", _at("/verify"), _check_a_pack),
    View("verify, junk", "", _at("/verify"), _paste_at_verify(lambda library: "junk", "fail")),
    View("notice", "", _notice("?format=html&lang=en"), _banner_is_there),
    View("notice in French", "", _notice("?format=html&lang=fr"), _banner_is_there),
    View("rates", "max", _at(RATES.format("shop")), _drawn(3)),
    View("rates by hour", "max", _at(f"{RATES.format('shop')}?by=hour"), _drawn(3)),
    View("rates, an alert and a drop", "olga", _fallen(lambda today: ""), _alert_and_drop),
    View("rates, two periods", "olga", _fallen(_two_weeks), _two_periods),
    View("what a notice changed", "olga", _at("/console/sites/ended/rates/notice"), _two_banners_are_there),
    View("rates of all sites", "olga", _at("/console/rates")),
    View("rates, never answered", "olga", _at(RATES.format("silent")), _told("Worth a look", _open_all)),
    View("rates, nothing counted yet", "olga", _at(RATES.format("quiet"))),
    View("rates, nothing in these days", "max", _at(f"{RATES.format('shop')}?from=2025-01-01&to=2025-01-02")),
    View(
        "rates, wrong parameters",
        "max",
        _at(f"{RATES.format('shop')}?from=x&to=x&by=x&notice=x&other=x&compare_from=x"),
    ),
    View("a link to a report", "max", _at(RATES.format("shop")), _share),
    View("report", "max", _at(RATES.format("shop")), _read_what_is_shared),
    View("report that has ended", "", Library.expired_report),
    View("no such report", "", _at("/reports/x")),
    View("experiment", "olga", _at(EXPERIMENT.format("trial"))),
    View("experiment, just begun", "olga", _at(EXPERIMENT.format("fresh"))),
    View("experiment, ended", "olga", _at(EXPERIMENT.format("ended")), _end_it),
    View("experiment, none yet", "max", _at(EXPERIMENT.format("shop"))),
    View("what rates mean", "", _at("/docs/rates")),
    View("in your pages", "", _at("/docs/embedding")),
    View("docs", "", _at("/docs")),
    View("problem type", "", _at("/problems/forbidden")),
    View("no such page", "", _at("/nowhere")),
]
