"""One file a kind of alert, found by name.

A file has `NAME` (the alert's kind and the truth's crime), `TITLE`, `judge(alerts, truth)`, which gives what it found as JSON with
stable keys together with, for each alert, whether it is true, and `tables(found)`, the same for a reader.
"""

import importlib
import pkgutil
from types import ModuleType


def kinds() -> dict[str, ModuleType]:
    """The kinds of alert that can be evaluated, by name."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return {module.NAME: module for module in sorted(modules, key=lambda module: str(module.NAME))}
