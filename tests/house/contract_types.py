"""The import contracts that import-linter does not bring along; `.importlinter` names them.

All of them hold for a house that is still being built: a package that does not exist yet breaks nothing,
and is bound from the moment it appears.
"""

import sys
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import Module, ModuleExpression

STANDARD_LIBRARY = "stdlib"

Link = tuple[str, str]  # importer, imported


def present(graph: ImportGraph, expressions: Iterable[ModuleExpression]) -> list[ModuleExpression]:
    """The expressions that match a module of the graph."""
    return [
        expression
        for expression in expressions
        if any(m.name in graph.modules for m in module_expressions_to_modules(graph, [expression]))
    ]


def is_within(module: str, package: str) -> bool:
    """Whether ``module`` is ``package`` or lies in it."""
    return module == package or module.startswith(f"{package}.")


def links(graph: ImportGraph) -> Iterable[Link]:
    """Every direct import of the graph."""
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            yield importer, imported


class Rooms(LayersContract):
    """``layers`` over the containers that exist."""

    type_name = "rooms"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.containers = present(graph, self.containers)
        return super().check(graph, verbose)


class OnlyIn(ProtectedContract):
    """``protected`` for modules that perhaps nobody imports yet."""

    type_name = "only_in"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.protected_modules = present(graph, self.protected_modules)
        self.allowed_importers = present(graph, self.allowed_importers)
        return super().check(graph, verbose)


class NeverReaches(ForbiddenContract):
    """``forbidden``, through any number of imports, between modules that may not exist yet."""

    type_name = "never_reaches"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.source_modules = present(graph, self.source_modules)
        self.forbidden_modules = present(graph, self.forbidden_modules)
        return super().check(graph, verbose)


class _Links(Contract):
    """A contract that judges each direct import by itself."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = [
            (link, line)
            for link in links(graph)
            if self.breaks(graph, *link)
            for line in _lines(graph, link)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def breaks(self, graph: ImportGraph, importer: str, imported: str) -> bool:
        raise NotImplementedError

    def render_broken_contract(self, check: ContractCheck) -> None:
        for (importer, imported), line in check.metadata["broken"]:
            output.print_error(f"- {importer} -> {imported} (l.{line})", bold=False)
        output.new_line()


def _lines(graph: ImportGraph, link: Link) -> list[int]:
    importer, imported = link
    details = graph.get_import_details(importer=importer, imported=imported)
    return [detail["line_number"] for detail in details] or [0]


class Entrances(_Links):
    """A feature is imported by its package, never past it into a room; a room never imports its own entrance.

    Options:
        features: the packages with an entrance.
        admitted: packages that may open doors further (they put the house together).
    """

    type_name = "entrances"

    features = fields.ListField(subfield=fields.ModuleField())
    admitted = fields.ListField(subfield=fields.ModuleField())

    def breaks(self, graph: ImportGraph, importer: str, imported: str) -> bool:
        for feature in _names(self.features):
            inside = is_within(importer, feature)
            if inside and importer != feature and imported == feature:
                return True
            if not inside and imported != feature and is_within(imported, feature):
                return not any(is_within(importer, name) for name in _names(self.admitted))
        return False


class Diet(_Links):
    """The named modules import themselves and what is listed, nothing else.

    Options:
        modules: who is on the diet.
        internal: packages of Inkan that they may import.
        external: libraries that they may import, ``stdlib`` for the standard library; absent means any.
    """

    type_name = "diet"

    modules = fields.ListField(subfield=fields.ModuleExpressionField())
    internal = fields.ListField(subfield=fields.StringField(), required=False)
    external = fields.ListField(subfield=fields.StringField(), required=False)

    def breaks(self, graph: ImportGraph, importer: str, imported: str) -> bool:
        home = self._home(graph, importer)
        if home is None or is_within(imported, home):
            return False
        if any(is_within(imported, root) for root in self.session_options["root_packages"]):
            return not any(is_within(imported, name) for name in self.internal or ())
        if self.external is None or imported in self.external:
            return False
        return not (STANDARD_LIBRARY in self.external and imported in sys.stdlib_module_names)

    def _home(self, graph: ImportGraph, importer: str) -> str | None:
        names = _names(module_expressions_to_modules(graph, self.modules))
        return next((name for name in names if is_within(importer, name)), None)


def _names(modules: Iterable[Module]) -> list[str]:
    return sorted(module.name for module in modules)
