"""The parameters of a marketer's addresses."""

from enum import StrEnum

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from consent_server.http.fields import KEY, Day, Pattern, Sha256Hex
from consent_server.rates.rules_filters import ALONG, By


class Dialect(StrEnum):
    """How a table separates its columns; by the other word, as spreadsheets do where the comma is the decimal mark."""

    COMMA = "comma"
    SEMICOLON = "semicolon"


class Shape(StrEnum):
    """How a table is made: a row with all its figures, or a row for each figure."""

    WIDE = "wide"
    TIDY = "tidy"


class RatesQuery(Schema):
    """What GET …/rates takes."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)
    by = fields.Enum(By, by_value=True, load_default=By.DAY)
    notice = Sha256Hex(load_default=None)
    compare_first = Day(data_key="compare_from", load_default=None)
    compare_last = Day(data_key="compare_to", load_default=None)


class TableQuery(RatesQuery):
    """What GET …/rates.csv takes."""

    dialect = fields.Enum(Dialect, by_value=True, load_default=Dialect.COMMA)
    shape = fields.Enum(Shape, by_value=True, load_default=Shape.WIDE)


class DashboardQuery(RatesQuery):
    """What the page of the rates takes: it has every split, and its rows are in the order of time."""

    by = fields.Enum(
        By, by_value=True, load_default=By.DAY, validate=OneOf(ALONG, error=f"Must be one of: {', '.join(ALONG)}.")
    )


class NoticeQuery(Schema):
    """What the page of what a notice changed takes."""

    notice = Sha256Hex(load_default=None)


class ExperimentQuery(Schema):
    """What GET …/experiment takes."""

    experiment = Pattern(KEY, "Must be the key of an experiment.", load_default=None)


RATES, TABLE, DASHBOARD, NOTICE, EXPERIMENT = (
    RatesQuery(), TableQuery(), DashboardQuery(), NoticeQuery(), ExperimentQuery()
)  # fmt: skip
# Of the page and of the form that shares it.
PARAMETERS = ("from", "to", "by", "notice", "compare_from", "compare_to")
