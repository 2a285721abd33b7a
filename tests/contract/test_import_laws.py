"""The laws of imports hold, and each of them is red when it is broken."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from importlinter.application.use_cases import _register_contract_types, read_user_options
from importlinter.configuration import configure
from importlinter.domain.contract import Contract, registry

from consent_server.core.resources import ROOT

# Law, a file that is there, and what it must not import.
BROKEN = [
    ("A room imports those below it", "core.hashes", "ledger.seal"),
    ("A room imports those below it", "decisions.record", "receipts.read"),
    ("A room imports those below it", "sites.publish", "worker"),
    ("No circle", "ledger.store_sealing", "ledger.seal"),
    ("Rules import", "rates.rules", "rates.store"),
    ("Rules import", "sites.rules_site", "sqlalchemy"),
    ("Rules import", "decisions.rules_receipt", "core.database"),
    ("SQL stands in", "ledger.seal", "sqlalchemy"),
    ("What translates", "audit.web", "audit.store"),
    ("What translates", "receipts.web_rights", "decisions.rows"),
    ("What translates", "sites.commands", "sites.store_notices"),
    ("Nobody imports routes", "rates.web_reports", "rates.web"),
    ("Nobody imports routes", "health.read", "core.commands"),
]


def test_the_laws_hold() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph("consent_server", include_external_packages=True, cache_dir=None)


@pytest.fixture(scope="module")
def laws() -> dict[str, Contract]:
    """The contracts of pyproject.toml, by name."""
    configure()
    options = read_user_options(config_filename=str(ROOT / "pyproject.toml"))
    _register_contract_types(options)
    return {
        contract["name"]: registry.get_contract_class(contract["type"])(
            name=contract["name"], session_options=options.session_options, contract_options=contract
        )
        for contract in options.contracts_options
    }


@pytest.mark.parametrize(("law", "importer", "imported"), BROKEN)
def test_each_law_is_red_when_it_is_broken(
    graph: grimp.ImportGraph, laws: dict[str, Contract], law: str, importer: str, imported: str
) -> None:
    (contract,) = (contract for name, contract in laws.items() if name.startswith(law))
    planted = deepcopy(graph)
    inside = f"consent_server.{imported}"
    planted.add_import(importer=f"consent_server.{importer}", imported=inside if inside in graph.modules else imported)
    assert contract.check(graph=deepcopy(graph), verbose=False).kept
    assert not contract.check(graph=planted, verbose=False).kept
