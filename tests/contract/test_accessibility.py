"""docs/accessibility.md: every criterion that bites on a banner has a row, and every row a test that is there."""

import ast
import re

from consent_server.core.settings import ROOT

PAGE = ROOT / "docs" / "accessibility.md"
# WCAG 2.2 level AA, and 2.3.3 for prefers-reduced-motion.
WCAG = (
    "1.1.1 1.3.1 1.3.2 1.3.4 1.4.1 1.4.3 1.4.4 1.4.10 1.4.11 1.4.12 1.4.13 2.1.1 2.1.2 2.2.1 2.3.3 2.4.3 2.4.6 2.4.7 "
    "2.4.11 2.5.3 2.5.8 3.1.2 3.2.1 3.2.2 3.2.6 3.3.2 4.1.2 4.1.3"
)
RGAA = (
    "1.1 2.1 2.2 3.1 3.2 3.3 6.1 7.1 7.3 7.4 7.5 8.7 8.8 9.1 10.4 10.7 10.8 10.11 10.12 10.13 11.1 11.2 11.5 11.6 11.7 "
    "11.9 12.6 12.7 12.8 12.9 13.1 13.8 13.9"
)


def rows() -> list[tuple[str, str, str]]:
    """Criterion, what the product does, and the tests, of each row."""
    found = re.findall(r"^\| (WCAG [\d.]+|RGAA [\d.]+) \| (.+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return [(criterion, does, tests) for criterion, does, tests in found]


def browser_tests(name: str) -> set[str]:
    """The names of the tests in a file of the browser tests."""
    tree = ast.parse((ROOT / "tests" / "browser" / name).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_criterion_has_one_row() -> None:
    wanted = [f"WCAG {number}" for number in WCAG.split()] + [f"RGAA {number}" for number in RGAA.split()]
    assert [criterion for criterion, _, _ in rows()] == wanted


def test_every_row_names_tests_that_are_there() -> None:
    for criterion, does, named in rows():
        assert does.endswith("."), criterion
        found = re.findall(r"`(test_\w+\.py)::(test_\w+)`", named)
        assert found, criterion
        for file, test in found:
            assert test in browser_tests(file), f"{criterion}: {file} has no {test}"


def test_a_row_that_leans_on_another_leans_on_one_that_is_there() -> None:
    for criterion, does, _ in rows():
        for number in re.findall(r"\b\d\.\d+\.\d+\b", does if does.startswith("As WCAG") else ""):
            assert number in WCAG.split(), criterion


def test_every_test_of_the_file_of_criteria_is_somebody_s() -> None:
    named = set(re.findall(r"`test_criteria\.py::(test_\w+)`", PAGE.read_text("utf-8")))
    assert named == browser_tests("test_criteria.py")
