"""Finds look-alikes and crimes: one file each in `look_alikes` and `crimes`, found by name.

A file has `NAME` and at least one of
- `KINDS`: kinds of lines (`population.Kind`), with `live(stage)`: what they do in the slice `stage.now` to `stage.until`;
- `RATE`: episodes per line-day (before `--intensity`), `SHAPES`: their forms, each at least once in a city, with
  `play(stage, begin, shape)`: one episode that begins at `begin` (µs), whole.
`CRIME` names the crime; a look-alike has none. Optional: `prepare(stage, planned)`, called once at the city's beginning with
(begin, shape) of all its episodes; `EARLY`: above 1, episodes come rather early, so that others can build on them.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import Any, Final

import numpy as np

from ringfence.simulate import crimes, look_alikes
from ringfence.simulate.population import Kind


def _found(package: ModuleType) -> dict[str, Any]:
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return {module.NAME: module for module in modules}


LOOK_ALIKES: Final = _found(look_alikes)
CRIMES: Final = _found(crimes)
ALL: Final = LOOK_ALIKES | CRIMES


def kinds() -> list[Kind]:
    """All kinds of lines that somebody declares."""
    return [kind for module in ALL.values() for kind in getattr(module, "KINDS", ())]


def shapes(module: Any) -> tuple[str, ...]:
    """The forms of a module's episodes."""
    return tuple(getattr(module, "SHAPES", (module.NAME,)))


def plan(
    seed: int, lines: int, first: int, last: int, intensity: dict[str, float]
) -> list[tuple[int, str, str, int]]:
    """All episodes of a city: (begin in µs, name, shape, number of the episode), by time.

    Each shape of each module at least once, unless its intensity is 0.
    """
    found = []
    days = (last - first) / 86_400e6
    for place, (name, module) in enumerate(sorted(ALL.items())):
        if not hasattr(module, "RATE"):
            continue
        rng = np.random.default_rng([seed, 100 + place])
        factor = intensity.get(name, intensity.get("crime" if name in CRIMES else "look_alike", 1.0))
        forms = shapes(module)
        count = int(rng.poisson(module.RATE * lines * days * factor))
        chosen = [*forms, *rng.choice(forms, max(count - len(forms), 0))] if factor > 0 else []
        for number, shape in enumerate(chosen):
            share = rng.random() ** getattr(module, "EARLY", 1.0)
            found.append((first + int(share * (last - first)), name, str(shape), number))
    return sorted(found)
