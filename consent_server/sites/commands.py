"""Sites and their notices, and the vendors of the catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from consent_server.core.context import context
from consent_server.core.errors import ExperimentConflict, Fault, InvalidSiteFile
from consent_server.core.files import read_text
from consent_server.core.terminal import all_or_none, confirm, destructive, refusing, say, site_tag
from consent_server.sites import catalogue
from consent_server.sites.describe import describe_site
from consent_server.sites.draft_site_file import Answers, draft_site_file, read_answer
from consent_server.sites.export_file import export_file
from consent_server.sites.find import find_site, list_notices_in_force
from consent_server.sites.missing_pictures import missing_pictures
from consent_server.sites.publish import Published, publish_notice
from consent_server.sites.retire import retire_site
from consent_server.sites.rules_lines import line_of, lines_of
from consent_server.sites.rules_places import Proposal, is_code
from consent_server.sites.rules_titles import read_title
from consent_server.sites.site_file import read_site_file
from consent_server.sites.standing_grants import StandingGrants
from consent_server.sites.tell_published import tell_published
from consent_server.sites.wording import Wording
from consent_server.sites.write_policy import write_policy

site = AppGroup("site", help="Sites, and what they ask.")
vendor = AppGroup("vendor", help="Vendors that the catalogue knows.")
place = AppGroup("place", help="What the law of each place proposes.")

PROPOSED = "This proposes and never decides: what holds on a site stands in its file. Ask a lawyer of the place."


class Title(click.ParamType[str]):
    """What people will call a notice."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse in the words of the rules."""
        try:
            return read_title(str(value))
        except ValueError as fault:
            return self.fail(str(fault), param, ctx)


@site.command("apply")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Only say what would change.")
@click.option("--title", type=Title(), help='What a new notice is called, such as "November: added Clarity".')
@click.option("--undo-promotion", is_flag=True, help="Also set back what a promoted arm of an experiment changed.")
@refusing
def apply_sites(paths: Sequence[Path], check: bool, title: str | None, undo_promotion: bool) -> None:
    """Apply site files; publish a new notice when a visitor would see a difference.

    Of a folder, all files in it that end in .toml. When one of them is refused, none is applied.
    """

    def publish(file: SiteFile, check_only: bool) -> Published:
        return publish_notice(
            context().database,
            file.declared,
            context().settings.public_url,
            context().now(),
            check_only=check_only,
            undo_promotion=undo_promotion,
            title=title,
            standing=context().find(StandingGrants),
            text=file.text,
        )

    files = [file for path in paths for file in _site_files(path)]
    declared = all_or_none(_read_site, files)
    _refuse_twins(files, declared)
    would_be = all_or_none(lambda one: publish(one, True), declared)
    for one, planned in zip(declared, would_be, strict=True):
        published = planned if check else publish(one, False)
        _say_published(published, check)
        if title and not published.new_notice:
            say(
                f"{published.site.key}: visitors see no difference, so there is no new notice to call “{title}”",
                err=True,
            )


def _site_files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.toml"))
    if not files:
        # No failure: a server that was just set up has none yet.
        say(f"{path} has no site file (*.toml) in it: nothing to apply", err=True)
    return files


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What a file declares, and how it says it."""

    declared: Mapping[str, Any]
    text: str


def _read_site(file: Path) -> SiteFile:
    text = ""
    try:
        text = read_text(file)
        return SiteFile(read_site_file(text), text)
    except InvalidSiteFile as refusal:
        count = len(refusal.faults)
        detail = f"{file.name} is refused, {count} fault{'s' if count > 1 else ''}:"
        raise InvalidSiteFile(detail, [_with_line(fault, lines_of(text)) for fault in refusal.faults]) from refusal
    except UnicodeDecodeError as error:
        raise InvalidSiteFile(f"{file.name} is refused: it is not UTF-8 ({error.reason}).") from error


def _with_line(fault: Fault, lines: dict[str, int]) -> Fault:
    line = line_of(lines, fault.pointer)
    return Fault(f"{fault.pointer}, line {line}", fault.detail) if line else fault


def _refuse_twins(files: Sequence[Path], read: Sequence[SiteFile]) -> None:
    first: dict[str, Path] = {}
    for file, site_file in zip(files, read, strict=True):
        key = site_file.declared["key"]
        if key in first:
            raise InvalidSiteFile(f"{file.name} is refused: {first[key].name} is about the site {key!r} too.")
        first[key] = file


def _say_published(published: Published, check: bool) -> None:
    for line in tell_published(published, check):
        say(line)
    if published.regions and not context().settings.country_header:
        say(
            "region: CONSENT_COUNTRY_HEADER is not set, so that no visitor's place is known: all are asked first",
            err=True,
        )
    click.echo(f"tag {site_tag(published.site.key)}")
    # Only said: pictures take seconds and a browser, and a site must not wait for either.
    if not check and (missing := missing_pictures(context().database, published.site.key)):
        click.echo(f"pictures {len(missing)} missing; to take them: consent notice picture {published.site.key}")


class Answer(click.ParamType[Any]):
    """The answer to a question of `consent init`, which is asked again until the rules of site files take it."""

    def __init__(self, question: str) -> None:
        self.name = question

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse in the words of the rules."""
        try:
            return read_answer(self.name, value) if isinstance(value, str) else value
        except InvalidSiteFile as refusal:
            return self.fail("; ".join(fault.detail for fault in refusal.faults), param, ctx)


@click.command("init")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--name", type=Answer("name"), prompt="Name of the site, as visitors call it", help="As visitors call it."
)
@click.option(
    "--origin", type=Answer("origin"), prompt="Its address, such as https://shop.example",
    help="Its address: https://shop.example.",
)  # fmt: skip
@click.option(
    "--contact", type=Answer("contact"), prompt="Mail address or page for questions of privacy",
    help="Mail address or page for questions of privacy.",
)  # fmt: skip
@click.option(
    "--languages", type=Answer("languages"), prompt="Languages of the banner, such as: en fr", help='As in "en fr".'
)
@click.option(
    "--vendors", type=Answer("vendors"), prompt="Vendors and your ids, such as: meta-pixel=1234567890123456 youtube",
    help='With your ids: "meta-pixel=1234567890123456 youtube".',
)  # fmt: skip
@refusing
def init(file: Path | None, **answers: Any) -> None:
    """Ask five things, or take them from the options, and write a site file with comments.

    FILE is KEY.toml unless you name it. A file that is there is never written over. Vendors: consent vendor list.
    """
    given = Answers(**answers)
    file = file or Path(f"{given.key}.toml")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(draft_site_file(given))
    except FileExistsError:
        raise click.UsageError(f"{file} is there already. Name another file, as in: consent init other.toml") from None
    click.echo(f"{file} is written. Where it says CHANGE, visitors would read an example: put yours there.")
    click.echo("Next, in this folder:")
    click.echo("  consent serve                    and leave it running")
    click.echo(f"  consent site apply {file!s:<13} in another terminal")


@click.command("csp")
@click.argument("site_key", metavar="SITE")
@click.option("--report", is_flag=True, help="Only report what the policy would block.")
@with_appcontext
@refusing
def csp(site_key: str, report: bool) -> None:
    """Print the Content-Security-Policy that a site's pages need for the widget and its vendors.

    Add what the pages need themselves. Lines that begin with # say what it is made of.
    """
    for line in write_policy(context().database, site_key, context().settings.public_url, report):
        say(line)


@site.command("list")
@refusing
def list_sites() -> None:
    """One line a site: key, name, notice in force and what it is called."""
    for listed, notice, title in list_notices_in_force(context().database):
        retired = "\tretired" if listed.retired else ""
        say(f"{listed.key}\t{listed.name}\t{notice or '-'}\t{title or '-'}{retired}")


@site.command("show")
@click.argument("site_key", metavar="KEY")
@refusing
def show_site(site_key: str) -> None:
    """What a site is, what it shows, and every notice that it published, newest first."""
    for label, text in describe_site(context().database, site_key):
        say(f"{label:<11}{text}")
    say(f"{'Tag':<11}{site_tag(site_key)}")


@site.command("export")
@click.argument("site_key", metavar="KEY")
@refusing
def export_site(site_key: str) -> None:
    """Print the site file that was applied last, with its comments, as in: consent site export shop > shop.toml"""
    ctx, text = context(), export_file(context().database, site_key)
    click.echo(text, nl=False)
    try:
        again = publish_notice(ctx.database, read_site_file(text), ctx.settings.public_url, ctx.now(), check_only=True)
    except (InvalidSiteFile, ExperimentConflict) as refusal:
        say(f"It cannot be applied as it is: {refusal.detail}", err=True)
        return
    if again.new_notice or again.settings_changed:
        say("Applied again it would change what the site is now: consent site apply --check says what.", err=True)


@site.command("retire")
@click.argument("site_key", metavar="KEY")
@destructive
@refusing
def retire(site_key: str, dry_run: bool, yes: bool) -> None:
    """Ask no visitor of a site any more: no script, no banner, no post. Applying its file brings it back.

    Records, receipts, ledger, notices and rates stay, a receipt's holder can still withdraw, and retention goes on.
    """
    name = find_site(context().database, site_key).site.name
    if dry_run:
        say(f"{name} would be retired: its tag would load nothing, and its pages could post nothing")
        return
    confirm(f"Retire {name}? Its tag will load nothing, and its pages can post nothing.", yes)
    retire_site(context().database, site_key, context().now())
    say(f"{site_key} is retired. Its records, receipts, ledger and rates stay; `consent site apply` brings it back.")


@vendor.command("list", with_appcontext=False)
def list_vendors() -> None:
    """One line a vendor: key, name, purposes, what loads it."""
    entries = catalogue.vendors()
    widths = [max(map(len, column)) for column in zip(*map(_columns, entries.items()), strict=True)]
    for entry in entries.items():
        say("  ".join(f"{text:{width}}" for text, width in zip(_columns(entry), widths, strict=True)).rstrip())


def _columns(entry: tuple[str, Mapping[str, Any]]) -> tuple[str, str, str, str]:
    key, facts = entry
    return key, facts["name"], ", ".join(facts["purposes"]), "widget" if _is_loaded(facts) else "page's markup"


def _is_loaded(entry: Mapping[str, Any]) -> bool:
    return {"adapter", "id_pattern"} <= entry.keys()


@vendor.command("show", with_appcontext=False)
@click.argument("key", metavar="KEY")
def show_vendor(key: str) -> None:
    """What the catalogue says of a vendor, and how it stands in a site file."""
    entry = catalogue.vendors().get(key)
    if entry is None:
        near = get_close_matches(key, catalogue.vendors(), n=3, cutoff=0.4)
        hint = f" Do you mean {', '.join(near)}?" if near else " See: consent vendor list"
        raise click.BadParameter(f'"{key}" is not in the catalogue.{hint}', param_hint="KEY")
    for label, text in _facts(key, entry):
        say(f"{label:<13}{text}".rstrip())
    click.echo("\nCookies and other storage")
    for line in list(_cookie_lines(entry["cookies"])) or ["none"]:
        say(f"  {line}")
    click.echo("\nSources for a Content-Security-Policy")
    for directive, sources in entry.get("csp", {"not known": ()}).items():
        say(f"  {directive} {' '.join(sources)}".rstrip())
    click.echo("\nIn a site file\n")
    for line in _block(key, entry):
        click.echo(f"  {line}")


def _facts(key: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Vendor", f"{entry['name']} ({key})"
    yield "Purposes", ", ".join(entry["purposes"])
    markup = f'the page\'s markup, where an element has data-consent="{key}"'
    yield "Loaded by", "the widget, after a grant" if _is_loaded(entry) else markup
    if "id_pattern" in entry:
        several = ", several in blocks of their own" if "several_ids" in entry else ""
        yield "Id", f"{entry['id_pattern']}{several}"
    yield "Operator", _party(entry["operator"])
    for other in entry.get("other_entities", []):
        yield "Also", _party(other)
    if "transfer" in entry:
        basis = {"adequacy": "adequacy decision", "scc": "standard contractual clauses of decision"}
        transfer = entry["transfer"]
        yield "Transfer", f"{basis[transfer['mechanism']]} (EU) {transfer['reference']}"
    yield "Policy", entry["policy_url"]
    yield "Hosts", " ".join(entry["hosts"])


def _party(party: Mapping[str, str]) -> str:
    role = f" ({party['role']})" if "role" in party else ""
    return f"{party['name']}{role}, {party['address']}"


def _cookie_lines(cookies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    english, wording = catalogue.locales()["en"], Wording("en")
    ends = {"session": english["preferences"]["session"], "none": english["preferences"]["no_expiry"]}
    for cookie in cookies:
        kept = wording.lifetime(cookie["lifetime"]) if "lifetime" in cookie else ends[cookie["expiry"]]
        where = f" on {cookie['host']}" if "host" in cookie else ""
        kind = english["preferences"][f"storage_{cookie['storage']}"].lower()
        yield f"{cookie['name']}{where}: {kind}, {kept}. {english['cookie_purposes'][cookie['purpose']]}."


def _block(key: str, entry: Mapping[str, Any]) -> Iterator[str]:
    yield "[[vendors]]"
    yield f'key = "{key}"'
    if "example_id" in entry:
        yield f'id = "{entry["example_id"]}"'
    if "example_conversion" in entry:
        yield f'conversions = {{ signup = "{entry["example_conversion"]}" }}'


@place.command("list", with_appcontext=False)
def list_places() -> None:
    """One line a rule: what it proposes, where, and when somebody last looked."""
    table = catalogue.places()
    for row in [*table.rows, table.elsewhere]:
        say(f"{row.rule:<9}{row.reviewed}  {row.name}: {', '.join(row.places) or 'all others'}")
    click.echo(PROPOSED, err=True)


@place.command("show", with_appcontext=False)
@click.argument("code", metavar="CODE")
def show_place(code: str) -> None:
    """What is proposed for a country (FR), a part of one (US-CA) or a group (EEA), from which text and how sure."""
    if not is_code(code):
        raise click.BadParameter(f'"{code}" is no code as in FR, US-CA or EEA.', param_hint="CODE")
    rows = catalogue.places().named(code)
    for row in rows:
        for label, text in _proposed(row):
            say(f"{label:<13}{text}")
        click.echo()
    click.echo(PROPOSED)


def _proposed(row: Proposal) -> Iterator[tuple[str, str]]:
    yield "Places", f"{row.name}: {', '.join(row.places) or 'all others'}"
    yield "Rule", row.rule
    if row.statistics:
        yield "Statistics", "own ones may run until somebody objects, under the conditions of that law"
    if row.signal:
        shown = ", and the site must show that it was" if row.shown else ""
        yield "Signal", f"Global Privacy Control {row.signal} be taken as an opt-out{shown}"
    if row.links:
        yield "Link", " or ".join(f'"{words}"' for words in row.links)
    yield "Law", row.law
    if row.url:
        yield "Address", row.url
    yield "Source", row.source
    yield "Reviewed", f"{row.reviewed}"
    if row.note:
        yield "Note", row.note
