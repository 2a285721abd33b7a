"""The parameters of a marketer's addresses."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from consent_server.http.fields import KEY, Day, Pattern, Sha256Hex
from consent_server.rates.rules_filters import ALONG, By


class RatesQuery(Schema):
    """What GET …/rates takes."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)
    by = fields.Enum(By, by_value=True, load_default=By.DAY)
    notice = Sha256Hex(load_default=None)
    compare_first = Day(data_key="compare_from", load_default=None)
    compare_last = Day(data_key="compare_to", load_default=None)


class DashboardQuery(RatesQuery):
    """What the page of the rates takes: it has every split, and its rows are in the order of time."""

    by = fields.Enum(
        By, by_value=True, load_default=By.DAY, validate=OneOf(ALONG, error=f"Must be one of: {', '.join(ALONG)}.")
    )


class ExperimentQuery(Schema):
    """What GET …/experiment takes."""

    experiment = Pattern(KEY, "Must be the key of an experiment.", load_default=None)


RATES, DASHBOARD, EXPERIMENT = RatesQuery(), DashboardQuery(), ExperimentQuery()
# Of the page and of the form that shares it.
PARAMETERS = ("from", "to", "by", "notice", "compare_from", "compare_to")
