"""What every check of the ledger fills."""

from consent_server.ledger.rules_report import LISTED, Check, Report


def test_a_fault_names_its_place() -> None:
    report = Report()
    report.add("leaf 2", True, "It holds.")
    report.fail("leaf 3", "is missing")
    report.fail("", "The tile tile/0/000 is missing.")
    assert report.faults == ["leaf 3: is missing", "The tile tile/0/000 is missing."]
    assert report.checks[0] == Check("leaf 2", True, "It holds.")


def test_of_a_ledger_that_is_wrong_throughout_the_first_faults_are_listed() -> None:
    report = Report()
    for index in range(LISTED + 2):
        report.fail(f"leaf {index}", "is missing")
    assert (len(report.faults), report.faults[-1], report.unlisted) == (LISTED, "leaf 999: is missing", 2)
