"""A contract for import-linter by the names of files: one law for every room, also for one that is yet to be made."""

import sys
from fnmatch import fnmatchcase

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Imports = list[tuple[str, str]]


class NameLaw(Contract):
    """Files of some names import nothing of some other names, or nothing but those.

    Names are patterns (fnmatch) of a module below the root package, or of a package from outside, as a whole.
    `importers` and `except_importers` say whose imports are looked at. Of what these import, `forbidden` must match
    nothing, and `allowed`, where it is given, everything; "stdlib" allows the standard library.
    """

    type_name = "name_law"

    importers = fields.SetField(subfield=fields.StringField())
    except_importers = fields.SetField(subfield=fields.StringField(), required=False)
    forbidden = fields.SetField(subfield=fields.StringField(), required=False)
    allowed = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at each import that stands in a file; what follows from these is for the others to break."""
        broken = [
            (importer, imported)
            for importer in sorted(graph.modules)
            if self._is_watched(importer)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._may_import(self._name(imported))
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line an import."""
        broken: Imports = check.metadata["broken"]
        for importer, imported in broken:
            output.print_error(f"{importer} must not import {imported}")

    def _name(self, module: str) -> str:
        root = self.session_options["root_packages"][0]
        return module.removeprefix(f"{root}.")

    def _is_watched(self, module: str) -> bool:
        name = self._name(module)
        # A package from outside imports nothing that is known here; the root itself is in no room.
        return name != module and _is_one(name, self.importers) and not _is_one(name, self.except_importers)

    def _may_import(self, name: str) -> bool:
        if _is_one(name, self.forbidden):
            return False
        is_standard = name.partition(".")[0] in sys.stdlib_module_names
        allowed = _patterns(self.allowed)
        return not allowed or _is_one(name, allowed) or ("stdlib" in allowed and is_standard)


def _patterns(field: object) -> frozenset[str]:
    """What pyproject.toml says: the library gives the declared field back where it says nothing."""
    return frozenset(map(str, field)) if isinstance(field, set | frozenset) else frozenset()


def _is_one(name: str, patterns: object) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _patterns(patterns))
