"""Snapshots of the pipeline: the newest two, for the one that is being written may be the one that is lost."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ringfence.compiled import digest_of
from ringfence.detect.shard import Arrays
from ringfence.shell.checkpoint import Checkpoint, DamagedError
from ringfence.shell.records import RecordsError

KEPT: Final = 2
_SUFFIX: Final = ".snapshot"


class Snapshots:
    """The snapshots in a folder.

    Args:
        folder: made if it is absent.
        asked: what a snapshot must agree with to be used: country, detectors, lists.

    Attributes:
        refused: why snapshots were not used when one was looked for, one line each.
        rest: the state of the newest one that was refused though it could be read; None: there is none.
        trouble: why the last one could not be written; None: it was.
        took: seconds that the last one took to be written.
    """

    def __init__(self, folder: Path, asked: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for broken_off in folder.glob(f"*{_SUFFIX}.new"):
            broken_off.unlink()
        self._folder = folder
        # through JSON, for it is compared with what was read from JSON
        self._asked = json.loads(json.dumps({**asked, "version": digest_of("detect")}))
        self.refused: list[str] = []
        self.rest: dict[str, Any] | None = None
        self._damaged: list[Path] = []
        self.trouble: str | None = None
        self.took = 0.0
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> int:
        """The last record that is in any of them, also in one that cannot be read; 0: there is none."""
        return max((int(path.name.removesuffix(_SUFFIX)) for path in self._paths()), default=0)

    def load(self, use: Callable[[Arrays, dict[str, Any]], None]) -> bool:
        """Have the newest snapshot used that can be; says whether there was one.

        Args:
            use: takes it, or raises whatever it will; nothing of it may be left then.
        """
        for path in reversed(self._paths()):
            try:
                found = Checkpoint(path).load()
            except DamagedError:
                self.refused.append(f"{path.name} is damaged")
                self._damaged.append(path)
                continue
            if found is None:
                continue
            arrays, state = found
            self.rest = self.rest or state.get("pipeline")
            if state.get("asked") != self._asked:
                self.refused.append(f"{path.name} was made with other settings or by another version")
                continue
            try:
                use(arrays, state["pipeline"])
            except Exception:  # noqa: BLE001  (what another version wrote can fail in any way)
                self.refused.append(f"{path.name} was made by another version")
                continue
            return True
        return False

    @property
    def busy(self) -> bool:
        """Whether one is being written."""
        return self._thread is not None and self._thread.is_alive()

    def save(
        self,
        seq: int,
        arrays: Arrays,
        state: dict[str, Any],
        before: Callable[[], None],
        done: Callable[[int], None],
        kept: int = KEPT,
    ) -> None:
        """Write one in the background.

        Args:
            seq: the last record that is in it.
            arrays: copies, which nobody writes to any more.
            state: what JSON can hold.
            before: brings to disk, in the background, what must be there first; may raise RecordsError.
            done: told, when it is on disk, behind which record the journal is still needed.
            kept: how many are kept, with this one.
        """
        state = json.loads(json.dumps({"asked": self._asked, "pipeline": state}))

        def run() -> None:
            if self._write(seq, arrays, state, before):
                self._let_go(kept, done)

        self._thread = threading.Thread(target=run, name="snapshot")
        self._thread.start()

    def wait(self) -> None:
        """Wait until none is being written."""
        if self._thread is not None:
            self._thread.join()

    def _write(self, seq: int, arrays: Arrays, state: dict[str, Any], before: Callable[[], None]) -> bool:
        began = time.monotonic()
        try:
            before()
            Checkpoint(self._folder / f"{seq:020d}{_SUFFIX}").save(arrays, state)
        except RecordsError as error:
            self.trouble = f"the record store cannot be written: {error}"
            return False
        except OSError as error:
            self.trouble = f"no snapshot can be written: {error.strerror or error}"
            return False
        self.trouble = None
        self.took = time.monotonic() - began
        return True

    def _let_go(self, kept: int, done: Callable[[int], None]) -> None:
        """Delete what newer ones have replaced."""
        for path in self._damaged:
            path.unlink(missing_ok=True)
        paths = self._paths()
        for path in paths[:-kept]:
            path.unlink(missing_ok=True)
        if len(paths) >= kept:  # a single one may turn out to be damaged: then the whole journal is needed
            done(int(paths[-kept].name.removesuffix(_SUFFIX)))

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))
