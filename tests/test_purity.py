"""The core does no I/O, knows no clock and no chance; readers open nothing."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ringfence"
PURE = {"detect", "model", "protect", "respond"}
# `compiled` keeps machine code on disk and is the only way from the core to it.
ALLOWED = {
    "ringfence",
    "numpy",
    "pyarrow",
    "math",
    "typing",
    "dataclasses",
    "collections",
    "types",
    "functools",
    "itertools",
    "operator",
    "datetime",
}
# what finds the detectors, and the number plans, which are read from a library and kept in a cache
CACHED = {"phonenumbers", "importlib", "os", "pathlib", "contextlib", "zlib", "tempfile", "zipfile"}
EXCEPTIONS = {
    "detect/detectors.py": {"importlib", "pkgutil"},
    "detect/text_detectors.py": {"importlib", "pkgutil"},
    # texts are read with patterns, their letters looked up, and wallets have checksums
    "detect/texts/plain.py": {"unicodedata"},
    "detect/texts/checks.py": {"hashlib"},
    **{
        f"detect/texts/{name}.py": {"re"}
        for name in ("accounts", "deadlines", "money", "numerals", "phrases")
    },
    # files of the package
    "detect/line_weights.py": {"json", "importlib"},
    "detect/weights.py": {"tomllib", "importlib"},
    "model/alert.py": {"hashlib"},
    # an assignment and the nearest of many places: arithmetic
    "respond/assign.py": {"scipy"},
    "respond/travel.py": {"scipy"},
    "model/number_plan.py": CACHED,
    "model/number_kinds.py": CACHED,
    # the country packs are files of the package, and what an operator writes is read with patterns
    "model/packs.py": {"tomllib", "importlib", "phonenumbers"},
    "model/pack_keys.py": {"re"},
    "model/number_lists.py": {"re"},
    "model/numbers.py": {"phonenumbers", "llvmlite", "numba", "unicodedata", "urllib", "re"},
}
FILES = sorted(p for folder in PURE for p in (SOURCE / folder).rglob("*.py"))
FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_the_core_imports_nothing_impure(path: Path) -> None:
    name = str(path.relative_to(SOURCE))
    roots = {module.partition(".")[0] for module in imported(path)}
    assert roots <= ALLOWED | EXCEPTIONS.get(name, set())
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & FORBIDDEN_CALLS


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_the_core_does_not_look_outward(path: Path) -> None:
    own = {module for module in imported(path) if module.startswith("ringfence.")}
    inner = {"ringfence.compiled", *(f"ringfence.{folder}" for folder in PURE)}
    outward = {m for m in own if not any(m == i or m.startswith(i + ".") for i in inner)}
    assert not outward


@pytest.mark.parametrize("path", sorted((SOURCE / "ingest").glob("*.py")), ids=lambda p: p.name)
def test_readers_have_no_sockets_and_open_no_paths(path: Path) -> None:
    roots = {module.partition(".")[0] for module in imported(path)}
    assert not roots & {"socket", "asyncio", "http", "subprocess", "time", "random"}
    assert "ringfence.shell" not in {".".join(module.split(".")[:2]) for module in imported(path)}


@pytest.mark.parametrize("path", sorted((SOURCE / "channels").glob("*.py")), ids=lambda p: p.name)
def test_channels_only_put_into_words(path: Path) -> None:
    roots = {module.partition(".")[0] for module in imported(path)}
    assert not roots & {"socket", "asyncio", "http", "httpx", "os", "subprocess", "time", "random", "secrets"}
    own = {module for module in imported(path) if module.startswith("ringfence.")}
    allowed = ("ringfence.channels", "ringfence.model")
    assert not {module for module in own if not module.startswith(allowed)}
