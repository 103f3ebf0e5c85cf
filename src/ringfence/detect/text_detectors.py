"""How detectors of texts are found: a module of this package with a `NAME` and a `read`, and no `CASE`.

`read(body, time, ahead)` takes a text that its recipient handed over, its time (µs) and how far local time is ahead of UTC (µs), and gives a
reading (`extortion_text.Reading` shows what it has). It is plain Python: such texts are few.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import Final

import ringfence.detect
from ringfence.detect.detectors import DETECTORS, MACHINERY


def _text_detectors() -> list[ModuleType]:
    own = __name__.rpartition(".")[2]
    names = sorted(module.name for module in pkgutil.iter_modules(ringfence.detect.__path__))
    modules = [
        importlib.import_module(f"{ringfence.detect.__name__}.{name}")
        for name in names
        if name not in MACHINERY and name != own
    ]
    return [m for m in modules if hasattr(m, "NAME") and hasattr(m, "read") and not hasattr(m, "CASE")]


TEXT_DETECTORS: Final = _text_detectors()
"""The detectors of texts, by name."""

ALL_DETECTORS: Final = [*DETECTORS, *TEXT_DETECTORS]
"""Every detector that can be asked for: of calls, then of texts."""


def of_calls(detect: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Those of the detectors asked for that judge calls; None: all."""
    return None if detect is None else tuple(n for n in detect if n in {d.NAME for d in DETECTORS})
