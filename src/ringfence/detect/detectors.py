"""How detectors are found and put together.

A detector is a module of this package with a `NAME` and a `CASE`, the record it keeps for a number under suspicion; `flood`
shows the rest, CONTRIBUTING.md the shortest one. Of `on_setup`, `on_answer`, `on_tick`, `on_end` and `on_quiet` it has
those it needs. All that are found are chained into one compiled function for each sort of moment; a bit mask says which of
them run.
"""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import ringfence.detect
from ringfence.compiled import jit
from ringfence.detect.evidence import Scene
from ringfence.detect.table import borrow_table, is_full

MACHINERY: Final = {"detectors", "passes", "shard", "engine"}
"""Modules of this package that need the detectors, and so cannot be looked through for them."""


def _detectors() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(ringfence.detect.__path__))
    modules = [
        importlib.import_module(f"{ringfence.detect.__name__}.{name}")
        for name in names
        if name not in MACHINERY
    ]
    return [module for module in modules if hasattr(module, "CASE")]


DETECTORS: Final = _detectors()
"""The detectors found, by name; their place is their index in outcomes and entries."""

Handler = Callable[..., None]


@jit
def _nothing(*_: Any) -> None:
    pass


def _chain(moment: str, index: int = 0) -> Handler:
    """Put the detectors' functions for one sort of moment into one compiled function.

    Its arguments: a bit mask of the detectors that run, their tables, their thresholds, the scene; the rest is passed on.
    """
    if index == len(DETECTORS):
        return _nothing
    here: Handler = getattr(DETECTORS[index], moment, _nothing)
    rest = _chain(moment, index + 1)

    @jit
    def run(enabled: int, cases: Any, thresholds: Any, scene: Scene, *what: Any) -> None:
        if enabled & (1 << index):
            here(cases[0], Scene(scene.now, scene.born, thresholds[index], index, scene.out), *what)
        rest(enabled, cases[1:], thresholds, scene, *what)

    return run


def _chain_full(index: int = 0) -> Callable[..., bool]:
    """Whether any detector's table must make room."""
    if index == len(DETECTORS):
        return _never
    rest = _chain_full(index + 1)

    @jit
    def run(cases: Any) -> bool:
        return is_full(cases[0]) or rest(cases[1:])

    return run


@jit
def _never(_: Any) -> bool:
    return False


on_setup = _chain("on_setup")
on_answer = _chain("on_answer")
on_tick = _chain("on_tick")
on_end = _chain("on_end")
on_quiet = _chain("on_quiet")
cases_full = _chain_full()


def _chain_borrow(index: int = 0) -> Callable[..., Any]:
    """Borrow every detector's table."""
    if index == len(DETECTORS):
        return _none_borrowed
    rest = _chain_borrow(index + 1)

    @jit
    def run(cases: Any) -> Any:
        return (borrow_table(cases[0]), *rest(cases[1:]))

    return run


@jit
def _none_borrowed(_: Any) -> Any:
    return ()


borrow_cases = _chain_borrow()
