"""`python -m bench [names] [--write]`."""

import argparse
import importlib
import os
import pkgutil
import platform
import time
from pathlib import Path
from types import ModuleType

import numba
from rich.console import Console

import bench
from bench._tables import Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def benches() -> dict[str, ModuleType]:
    """All figures found, by name: modules of this package that do not begin with an underscore."""
    names = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_")]
    modules = [importlib.import_module(f"bench.{name}") for name in names]
    return {module.NAME: module for module in modules}


def machine() -> str:
    """What it was measured on."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, Numba {numba.__version__}"


def page(results: list[tuple[ModuleType, list[Table]]], before: str = "") -> str:
    """The page of the documentation; sections that were not measured now stay as they were `before`."""
    sections = {f"## {text.split(chr(10))[0]}": f"## {text}".strip() for text in before.split("\n## ")[1:]}
    for module, tables in results:
        parts = [f"## {module.TITLE}", f"`python -m bench {module.NAME}`"]
        parts += [table.markdown() for table in tables]
        parts += [f"*How it was measured.* {module.MEASURED}", f"*How to read it.* {module.READING}"]
        sections[parts[0]] = "\n\n".join(parts)
    head = [
        "# Benchmarks",
        "Written by `.venv/bin/python -m bench --write` (with names: those sections alone); `make bench` prints the same tables.",
        f"Measured on {machine()}, shared with other work: compare figures within a run.",
    ]
    titles = [f"## {module.TITLE}" for module in benches().values()]
    return "\n\n".join([*head, *(sections[title] for title in titles if title in sections)]) + "\n"


def main() -> None:
    """Measure what was asked for, print it, and write it if asked."""
    found = benches()
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which (default: all but those of `make soak`): {', '.join(found)}",
    )
    parser.add_argument("--write", action="store_true", help="write these sections of docs/benchmarks.md")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(found))
    if unknown:
        parser.error(f"no such figure: {', '.join(unknown)}; there are: {', '.join(found)}")
    console = Console(width=None if Console().is_terminal else 150)
    console.print(machine(), highlight=False)
    results = []
    for name in asked.names or [name for name in found if not getattr(found[name], "SOAK", False)]:
        began = time.monotonic()
        tables = found[name].run()
        console.print(
            f"\n[bold]{found[name].TITLE}[/bold] ({time.monotonic() - began:.0f} s)\n", highlight=False
        )
        for table in tables:
            table.show(console)
        console.print(found[name].READING, highlight=False)
        results.append((found[name], tables))
    if asked.write:
        PAGE.write_text(page(results, PAGE.read_text("utf-8") if PAGE.exists() else ""), encoding="utf-8")
        console.print(
            f"\nwritten: {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}"
        )


if __name__ == "__main__":
    main()
