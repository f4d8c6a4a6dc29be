"""The project's own source, parsed once: what the conformance tests look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("audit", "config", "consults", "prescribing", "scheduling", "telehealth")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    """Path relative to the root → syntax tree, migrations left out."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths if "migrations" not in path.parts}


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def service_modules() -> Iterator[tuple[str, ast.Module]]:
    """Every `services.py` and every module of a `services` folder."""
    for path, tree in modules().items():
        if path.endswith("/services.py") or "/services/" in path:
            yield path, tree


def names_in(node: ast.AST) -> set[str]:
    """Every plain name and attribute that occurs."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return found | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
