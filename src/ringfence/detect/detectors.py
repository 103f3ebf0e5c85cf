"""How detectors are found and put together.

A detector is a module of this package with a `NAME` and a `CASE`, the record it keeps for a number under suspicion; `flood`
shows the rest, CONTRIBUTING.md the shortest one. Of the functions in `MOMENTS` it has those it needs. All that are found
are chained into one compiled function for each sort of moment; a bit mask says which of them run.
"""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import ringfence.detect
from ringfence.compiled import jit
from ringfence.detect.evidence import Scene
from ringfence.detect.table import borrow_marked, expect_marked, room_in

MACHINERY: Final = {"detectors", "passes", "shard", "engine", "text_detectors", "screening"}
"""Modules of this package that need the detectors, and so cannot be looked through for them."""

OF_CALLERS: Final = ("on_originate", "on_release", "on_home")
OF_LINES: Final = ("on_setup", "on_answer", "on_tick", "on_end")
OF_OWNERS: Final = ("on_outgoing", "on_outgoing_tick", "on_outgoing_end")
MOMENTS: Final = (*OF_CALLERS, *OF_LINES, *OF_OWNERS, "on_payment", "on_quiet")
"""What a detector can be told of.

In the second step: what a number does that calls (`OF_CALLERS`; `on_home`: when it was at home). In the third: what a line lives
through, the calls to it (`OF_LINES`) and the calls that its owner makes (`OF_OWNERS`), what the owner pays, and that time has passed.
A step goes through a whole window before the next one does, so a detector has moments of one step only: of two it would see the
later ones first.
"""


def _detectors() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(ringfence.detect.__path__))
    modules = [
        importlib.import_module(f"{ringfence.detect.__name__}.{name}")
        for name in names
        if name not in MACHINERY
    ]
    found = [module for module in modules if hasattr(module, "CASE")]
    for module in found:
        told = [
            any(hasattr(module, moment) for moment in step) for step in (OF_CALLERS, OF_LINES + OF_OWNERS)
        ]
        if all(told):
            raise TypeError(f"{module.__name__}: a detector has moments of one step of the pass, see MOMENTS")
    return found


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
    rest = _chain(moment, index + 1)
    if not hasattr(DETECTORS[index], moment):

        @jit
        def skip(enabled: int, cases: Any, thresholds: Any, scene: Scene, *what: Any) -> None:
            rest(enabled, cases[1:], thresholds, scene, *what)

        return skip
    here: Handler = getattr(DETECTORS[index], moment)

    @jit
    def run(enabled: int, cases: Any, thresholds: Any, scene: Scene, *what: Any) -> None:
        if enabled & (1 << index):
            own = Scene(
                scene.now, scene.born, thresholds[index], index, scene.rules, scene.notebook, scene.out
            )
            here(cases[0], own, *what)
        rest(enabled, cases[1:], thresholds, scene, *what)

    return run


def _chain_room(index: int = 0) -> Callable[..., int]:
    """For how many moments the detectors' tables have room."""
    if index == len(DETECTORS):
        return _plenty
    rest = _chain_room(index + 1)

    @jit
    def run(cases: Any) -> int:
        return min(room_in(cases[0]), rest(cases[1:]))

    return run


@jit
def _plenty(_: Any) -> int:
    return 1 << 20


def _chain_expect(moments: tuple[str, ...], index: int = 0) -> Handler:
    """Say that a number's cases will be looked for soon, by the detectors that are told of any of these moments."""
    if index == len(DETECTORS):
        return _nothing
    rest = _chain_expect(moments, index + 1)
    if not any(hasattr(DETECTORS[index], moment) for moment in moments):

        @jit
        def skip(cases: Any, number: int) -> None:
            rest(cases[1:], number)

        return skip

    @jit
    def run(cases: Any, number: int) -> None:
        expect_marked(cases[0], number)
        rest(cases[1:], number)

    return run


def _chain_borrow(index: int = 0) -> Callable[..., Any]:
    """Borrow every detector's table."""
    if index == len(DETECTORS):
        return _none_borrowed
    rest = _chain_borrow(index + 1)

    @jit
    def run(cases: Any) -> Any:
        return (borrow_marked(cases[0]), *rest(cases[1:]))

    return run


@jit
def _none_borrowed(_: Any) -> Any:
    return ()


on_originate = _chain("on_originate")
on_release = _chain("on_release")
on_home = _chain("on_home")
on_setup = _chain("on_setup")
on_answer = _chain("on_answer")
on_tick = _chain("on_tick")
on_end = _chain("on_end")
on_outgoing = _chain("on_outgoing")
on_outgoing_tick = _chain("on_outgoing_tick")
on_outgoing_end = _chain("on_outgoing_end")
on_payment = _chain("on_payment")
on_quiet = _chain("on_quiet")
room_for_cases = _chain_room()
expect_cases_of_caller = _chain_expect(OF_CALLERS)
expect_cases_of_line = _chain_expect(OF_LINES)
expect_cases_of_owner = _chain_expect(OF_OWNERS)
borrow_cases = _chain_borrow()
