"""What a marketer is told: the rates of some days with all that stands beside them, and a page of these."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from consent_server.rates.rules import Difference, Totals
from consent_server.rates.rules_alerts import RaisedAlert
from consent_server.rates.rules_annotations import Annotation
from consent_server.rates.rules_compare import Differences
from consent_server.rates.rules_drop import Effect
from consent_server.rates.rules_filters import By, Filters
from consent_server.rates.rules_noise import EPSILON, VARIANCE
from consent_server.rates.rules_page_loads import PageLoads
from consent_server.rates.rules_report import Figures, Report
from consent_server.sites.rules_site import Site


@dataclass(frozen=True, slots=True)
class Publication:
    """When a notice came into force, in the site's hours, "2026-11-01T13", and what that is called."""

    notice: str
    at: str
    title: str


@dataclass(frozen=True, slots=True)
class RunningTime:
    """When an experiment began and ended, in the site's hours; it has no end while it runs."""

    key: str
    began: str
    ended: str | None


@dataclass(frozen=True, slots=True)
class Rates:
    """What was asked, and the answer; `before` has the figures of the days to compare with, `differences` what is more.

    `publications`, `annotations` and `experiments` are those of which something lies within the span; `known` has
    every notice of the site with its first day, oldest first, and `titles` what each is called. `counted_apart_from`
    is the first day on which visitors who were asked again are counted apart, None where they always were.
    """

    site: Site
    filters: Filters
    report: Report
    before: Figures | None
    differences: Differences | None
    publications: Sequence[Publication]
    experiments: Sequence[RunningTime]
    known: Mapping[str, str]
    titles: Mapping[str, str]
    annotations: Sequence[Annotation]
    effects: Sequence[Effect]
    alerts: Sequence[RaisedAlert]
    counted_apart_from: str | None = None
    page_loads: PageLoads = field(default_factory=PageLoads)
    page_loads_before: PageLoads = field(default_factory=PageLoads)

    @property
    def drops(self) -> list[Effect]:
        """The rates that fell with a notice."""
        return [effect for effect in self.effects if effect.fell]

    @property
    def has_asked_again(self) -> bool:
        """Whether `shown` holds views of visitors who were asked again, since days from before are among these."""
        first = min(span.first for span in (self.filters.span, self.filters.other) if span).isoformat()
        return self.counted_apart_from is not None and first < self.counted_apart_from

    def to_json(self) -> dict[str, Any]:
        """The contract's answer (4.4)."""
        return {
            "site": self.site.key,
            **self.filters.span.to_json(),
            "by": self.filters.by.value,
            "time_zone": self.site.time_zone,
            "demo": self.site.demo,
            "counted_apart_from": self.counted_apart_from,
            "noise": {"epsilon": EPSILON, "variance": VARIANCE},
            "publications": [asdict(publication) for publication in self.publications],
            **self.report.to_json(),
            **({"rows": self._titled_rows()} if self.filters.by is By.NOTICE else {}),
            "page_loads": self.page_loads.to_json(),
            "compared": self._compared(),
            "annotations": [annotation.to_json() for annotation in self.annotations],
            "experiments": [asdict(experiment) for experiment in self.experiments],
            "drops": [{**drop.to_json(), "title": self.titles[drop.notice]} for drop in self.drops],
            "alerts": [alert.to_json() for alert in self.alerts],
        }

    def _titled_rows(self) -> list[dict[str, Any]]:
        return [
            {"key": row["key"], "title": self.titles.get(row["key"]), **row} for row in self.report.to_json()["rows"]
        ]

    def _compared(self) -> dict[str, Any] | None:
        if self.before is None or self.differences is None or self.filters.other is None:
            return None
        page_loads = self.page_loads_before.to_json()
        before = {**self.before.to_json(), "page_loads": page_loads}
        return {**self.filters.other.to_json(), **before, "differences": self.differences.to_json()}


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one site among several: the totals of some days, how its rates changed since those before, and its alerts."""

    site: Site
    totals: Totals
    changes: Mapping[str, Difference]
    alerts: Sequence[RaisedAlert]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What a marketer looks at on one page: rates in the order of time, and every split.

    `rules` are the figures by rule of the place, None where a site asks everywhere first. `purposes` and `vendors` are
    what people call them, by key, as the newest notice has it. `first_day` is the first on which anything was counted,
    None when nothing ever was. `now` is the hour that it is on the site, and `open_from` the first day of which not all
    is told yet.
    """

    rates: Rates
    splits: Mapping[By, Report]
    rules: Report | None
    purposes: Mapping[str, str]
    vendors: Mapping[str, str]
    first_day: str | None
    now: str
    open_from: str
