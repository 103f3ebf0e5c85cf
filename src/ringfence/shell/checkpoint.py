"""Where an interrupted scan goes on: the whole state on disk, replaced as one.

Two files, `state.npz` (arrays, never pickled) and `state.json` (positions, stories, settings). They are written under
new names and renamed into place by a third, `current`, that names them: whoever is killed while writing leaves the
checkpoint before.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


class Checkpoint:
    """The checkpoint in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, arrays: Arrays, state: dict[str, Any]) -> None:
        """Replace the checkpoint."""
        self._folder.mkdir(parents=True, exist_ok=True)
        before = self._current()
        number = (int(before) + 1) if before else 1
        with (self._folder / f"{number}.npz").open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            _sync(file.fileno())
        _write(self._folder / f"{number}.json", json.dumps(state))
        _write(self._folder / "current.new", str(number))
        (self._folder / "current.new").replace(self._folder / "current")
        for ending in ("npz", "json"):
            (self._folder / f"{before}.{ending}").unlink(missing_ok=True)

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """The checkpoint, or None where there is none.

        Raises:
            ValueError: it cannot be read.
        """
        current = self._current()
        if current is None:
            return None
        try:
            with np.load(self._folder / f"{current}.npz", allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            state = json.loads((self._folder / f"{current}.json").read_text("utf-8"))
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(
                f"the checkpoint in {self._folder} cannot be read; scan without --resume"
            ) from error
        return arrays, state

    def remove(self) -> None:
        """Forget the checkpoint."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _current(self) -> str | None:
        try:
            text = (self._folder / "current").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        return text if text.isdigit() else None


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _sync(file.fileno())


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)
