"""Compiled functions and where their machine code is kept.

Numba's own cache looks only at the file a function stands in; the pass is put together from many files. So the cache
lies in a folder named after a digest of all sources that can be compiled in: an edit anywhere gives a new folder.
"""

import hashlib
import mmap
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent


def cache_dir() -> Path:
    """The folder for what can be computed again (XDG base directories: a relative path is to be ignored)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()  # noqa: PTH117
    return folder / "ringfence"


@cache
def _digest(folder: Path) -> str:
    """A digest of all that can be compiled into the functions of a folder."""
    digest = hashlib.sha256(numba.__version__.encode())
    sources = [*(_PACKAGE / "model").glob("*.py"), *folder.glob("*.py"), *folder.glob("weights/*")]
    for path in (Path(__file__), *sorted(sources)):
        digest.update(path.read_bytes())
    return f"{folder.name}-{digest.hexdigest()[:16]}"


def digest_of(package: str) -> str:
    """A digest of all sources of a package such as `detect`: another one, and what it kept may have another meaning."""
    return _digest(_PACKAGE / package)


def is_compiled(package: str) -> bool:
    """Whether the machine code of a package such as `detect` is there already."""
    return any((cache_dir() / _digest(_PACKAGE / package)).rglob("*.nbc"))


def jit(function: Function) -> Function:
    """Compile a function that is called by other compiled functions only (inlined, not cached by itself)."""
    compiled: Function = numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)
    return compiled


def entry(function: Function) -> Function:
    """Compile a function that is called from Python; its machine code is kept between runs."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_dir() / _digest(Path(function.__code__.co_filename).parent))
    try:
        compiled: Function = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    finally:
        numba.config.CACHE_DIR = before
    return compiled


def routine(function: Function) -> Function:
    """Compile a function that other compiled functions call, once and not inlined: what is needed seldom, in many places."""
    compiled: Function = numba.njit(nogil=True, error_model="numpy")(function)
    return compiled


_LARGE = 4 << 20


def zeros(length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An array of zeros that begins at a cache line, in large pages of memory where that pays.

    Looking up a page of 4 KiB takes as long as the memory behind it: in a table of 256 MiB a random row took 31 ns, and 17 ns
    in pages of 2 MiB.
    """
    size = length * dtype.itemsize
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        spare = np.zeros(size + 64, np.uint8)
        first = -spare.ctypes.data % 64
        return spare[first : first + size].view(dtype)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype)


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing: Any, array: types.Array, place: types.Integer) -> Any:
    """Ask the processor for a row that will be needed soon: a table of many lines lies in slow memory."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], signature.args[1], types.intp)
        row = builder.gep(view.data, [place])
        pointer = builder.bitcast(row, ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        sort = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        name = "llvm.prefetch.p0i8" if "i8*" in str(pointer.type) else "llvm.prefetch.p0"
        function = cgutils.get_or_insert_function(builder.module, sort, name)
        # to write, keep in all caches, data
        builder.call(function, [pointer, ir.Constant(word, 1), ir.Constant(word, 3), ir.Constant(word, 1)])
        return context.get_dummy_value()

    return types.void(array, place), code


@intrinsic  # type: ignore[untyped-decorator]
def borrowed(typing: Any, array: types.Array) -> Any:
    """The same array without its reference count, for use within one call that holds the array anyway.

    Counting references to the arrays of a NamedTuple took three quarters of the pass.
    """
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = ir.Constant(view.meminfo.type, None)
        view.parent = ir.Constant(view.parent.type, None)
        return view._getvalue()  # noqa: SLF001

    return array(array), code
