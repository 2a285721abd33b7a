"""What is said of a week in a mail: the numbers of the page's first screen, as text and as a page without pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from consent_server.core.channels import Mail
from consent_server.core.outgoing import mail_message
from consent_server.rates import board
from consent_server.rates.read import SiteRates
from consent_server.rates.rules import Difference
from consent_server.rates.rules_dashboard import Rates
from consent_server.rates.rules_filters import By, Filters, Span
from consent_server.rates.words import between, percent, points, span_words

PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="font-family:sans-serif;line-height:1.5;max-width:36em;margin:1em auto;padding:0 1em">'
    '<h1 style="font-size:18px;margin:0 0 4px">{title}</h1><p style="margin:0 0 16px">{lead}</p>'
    '<table style="border-collapse:collapse;width:100%">{rows}</table>{paragraphs}'
    '<p><a href="{link}">All of it</a></p><p style="font-size:13px">{footer}</p></body></html>'
)
CELL = "padding:8px 12px 8px 0;border-bottom:1px solid #ddd;text-align:left"
ROW = Markup(
    '<tr><th scope="row" style="{cell};font-weight:400">{words}</th>'
    '<td style="{cell};font-size:24px;white-space:nowrap">{value}</td><td style="{cell}">{change}</td></tr>'
)
FOOTER = "Sent each week to those who are told of alerts, since the site file says weekly_mail = true."


@dataclass(frozen=True, slots=True)
class Headline:
    """A rate of the week, with what may be said of its change."""

    words: str
    value: str
    interval: str
    change: str


@dataclass(frozen=True, slots=True)
class Week:
    """All that the mail says."""

    title: str
    lead: str
    headlines: Sequence[Headline]
    sentences: Sequence[str]
    link: str


def read_week(site: SiteRates, span: Span, console_url: str) -> Week:
    """The figures of a week that is over, beside the week before."""
    rates = site.rates(Filters(span, By.DAY, None, span.before))
    vendors = {key: name for asked in site.asked.values() for key, name in asked.vendors.items()}
    days = urlencode({"from": span.first.isoformat(), "to": span.last.isoformat()})
    changes = rates.differences.rates if rates.differences else {}
    demo = ", made up" if site.site.demo else ""
    return Week(
        title=f"{site.site.name}: consent in the week of {span_words(span)}{demo}",
        lead=_lead(rates),
        headlines=[_headline(one) for one in board.headlines(rates.report.whole.totals, changes)],
        sentences=[*_leading(board.leading(rates, vendors)), *_happened(rates)],
        link=f"{console_url}/console/sites/{site.site.key}/rates?{days}",
    )


def _lead(rates: Rates) -> str:
    totals = rates.report.whole.totals
    shown = f"{totals.shown:,} banners shown, {totals.decisions:,} first choices"
    return f"{shown}. Changes are those from the week before."


def _headline(shown: Mapping[str, Any]) -> Headline:
    rate = shown["rate"]
    return Headline(f"{shown['words']}, {shown['part']}", percent(rate.value), between(rate), _change(shown["change"]))


def _change(changed: Difference) -> str:
    if changed.value is None:
        return "nothing to compare with"
    return f"{points(changed.value)} points" if changed.sure else "no clear change"


def _leading(shown: Mapping[str, Any]) -> Iterator[str]:
    """What the vendors that matter most see, as the first screen says it."""
    verb, whole = ("sees", "page views") if shown["sampled"] else ("is allowed on", "banners shown")
    vendors = [(vendor["words"], percent(vendor["rate"].value, 0)) for vendor in shown["vendors"]]
    for (first, value), *others in [vendors] if vendors else ():
        yield ", ".join([f"{first} {verb} {value} of {whole}", *(f"{name} {share}" for name, share in others)]) + "."


def _happened(rates: Rates) -> Iterator[str]:
    for one in rates.publications:
        yield f"{one.at[:10]}: new notice “{one.title}”."
    for remark in rates.annotations:
        yield f"{remark.day}: {remark.text}."


def write_mail(mail: Mail, week: Week, message_id: str, now: datetime) -> EmailMessage:
    """The message, for all recipients of alerts."""
    message = mail_message(mail.sender, ", ".join(mail.recipients), week.title, now, message_id)
    message.set_content(_text(week), cte="quoted-printable")
    message.add_alternative(_page(week), subtype="html", cte="quoted-printable")
    return message


def _text(week: Week) -> str:
    width = max(len(one.words) for one in week.headlines)
    rows = [f"{one.words:{width}}  {one.value:>7}  ({one.interval})  {one.change}" for one in week.headlines]
    return "\n".join([week.title, week.lead, "", *rows, "", *week.sentences, "", week.link, "", FOOTER, ""])


def _page(week: Week) -> str:
    rows = Markup().join(
        ROW.format(cell=CELL, words=one.words, value=one.value, change=f"{one.change} ({one.interval})")
        for one in week.headlines
    )
    paragraphs = Markup().join(Markup("<p>{}</p>").format(sentence) for sentence in week.sentences)
    texts = {"title": week.title, "lead": week.lead, "link": week.link, "footer": FOOTER}
    return PAGE.format(rows=rows, paragraphs=paragraphs, **texts)
