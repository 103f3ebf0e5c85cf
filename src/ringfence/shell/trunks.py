"""Forged calls by trunk: a journal of them while a scan runs, then trunks.csv and a letter for each trunk."""

import json
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.detect import forged_caller
from ringfence.model.callers import Callers
from ringfence.model.calls import Calls, Ints
from ringfence.model.verdicts import REASON_BITS, SIGNED, rule_behind, words
from ringfence.report.trunks import Envelope, ForgedCall, Trunk, letter, table, trunks
from ringfence.report.words import Both
from ringfence.shell.hashed import Hashed
from ringfence.shell.named_calls import NamedCall
from ringfence.shell.outputs import replace_file

TRUNKS_CSV: Final = "trunks.csv"
LETTERS: Final = "trunks"
JOURNAL: Final = ".forged_calls.jsonl"
LANGUAGES: Final = ("en", "zh")
MOST_TRUNKS: Final = 1 << 16
"""Trunks whose names and calls are kept; an operator has some hundred, and names that are made up must not fill the memory."""
MOST_LETTERS: Final = 1_000
_LONGEST: Final = 60
_TWO_PLACES: Final = 1


class TrunkBook(Hashed):
    """Names of trunks by their hashes, and how many calls each let in."""

    def __init__(self) -> None:
        super().__init__(MOST_TRUNKS)
        self._totals: dict[int, int] = {}

    def count(self, calls: Calls) -> None:
        """Count calls by trunk."""
        hashes: Ints = np.ascontiguousarray(calls.words[:, 0])
        if not hashes.any():
            return
        counts = pc.value_counts(pa.array(hashes))
        for key, n in zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True):
            if key in self:
                self._totals[key] = self._totals.get(key, 0) + n

    def totals(self) -> dict[str, int]:
        """All calls of each trunk."""
        return {self.text(key): n for key, n in self._totals.items()}

    def as_json(self) -> list[Any]:
        """The state, for a snapshot."""
        return [[key, name, self._totals.get(key, 0)] for key, name in self.items()]

    def restore(self, state: list[Any]) -> None:
        """Take the state of a snapshot."""
        super().restore([[key, name] for key, name, _ in state])
        self._totals = {key: n for key, _, n in state if n}


def journal_rows(calls: Iterable[NamedCall], callers: Callers) -> Iterator[dict[str, Any]]:
    """What the journal keeps of forged calls."""
    for call in calls:
        yield {
            "at": call.start,
            "trunk": call.trunk,
            "shown": call.shown,
            "callee": call.callee,
            "call_id": call.call_id,
            "kind": int(callers.classify(np.array([call.number]))[0]),
            "verdict": call.reason,
            "places": call.hypothesis == _TWO_PLACES,
        }


def forged_calls(journal: Path, callers: Callers) -> Iterator[ForgedCall]:
    """The forged calls of a journal, in the order in which they were recognised."""
    known: dict[tuple[int, int, bool], tuple[Both, Both]] = {}
    with journal.open("rb") as file:
        for line in file:
            row = json.loads(line)
            why = row["kind"], row["verdict"], row["places"]
            if why not in known:
                known[why] = _why(callers, *why)
            reason, rule = known[why]
            yield ForgedCall(
                row["at"], row["trunk"], row["shown"], row["callee"], reason, rule, row["call_id"]
            )


def _why(callers: Callers, kind: int, verdict: int, places: bool) -> tuple[Both, Both]:
    reason = forged_caller.NOT_ABROAD if places else words(verdict & (REASON_BITS | SIGNED))
    return Both(*reason), Both(*rule_behind(callers.pack, kind, verdict).words)


def found_trunks(journal: Path, callers: Callers, book: TrunkBook) -> list[Trunk]:
    """Forged calls by trunk, the most first."""
    return trunks(forged_calls(journal, callers), book.totals())


def write_trunks(
    folder: Path, found: list[Trunk], calls: Iterable[ForgedCall], written: int, zone: str
) -> None:
    """Write trunks.csv and a letter a trunk and language; nothing where there was no forged call.

    Where the records name no trunk there is nobody to write to.

    Args:
        folder: of the scan.
        found: the trunks.
        calls: all forged calls.
        written: date of the letters, µs.
        zone: of their times.
    """
    clear(folder)
    if not found:
        return
    replace_file(folder / TRUNKS_CSV, (line.encode() for line in table(calls)))
    named = [(trunk, trunk.name) for trunk in found if trunk.name is not None]
    letters = folder / LETTERS
    if named:
        letters.mkdir(exist_ok=True)
    taken: set[str] = set()
    for trunk, text in named[:MOST_LETTERS]:
        name = file_name(text, taken)
        for language in LANGUAGES:
            page = letter(trunk, Envelope("", "", written, timezone=zone), language)
            replace_file(letters / f"{name}.{language}.html", [page.encode()])


def clear(folder: Path) -> None:
    """Take away what an earlier scan wrote."""
    (folder / TRUNKS_CSV).unlink(missing_ok=True)
    letters = folder / LETTERS
    if letters.is_dir():
        for language in LANGUAGES:
            for path in letters.glob(f"*.{language}.html"):
                path.unlink()
        if not any(letters.iterdir()):
            letters.rmdir()


def file_name(trunk: str, taken: set[str]) -> str:
    """A file name for a trunk that nobody else has, whatever characters its own has; added to `taken`."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", trunk)[:_LONGEST].strip("-")
    if not name or name != trunk or name.lower() in taken:
        name = f"{name or 'trunk'}-{blake2b(trunk.encode(), digest_size=4).hexdigest()}"
    taken.add(name.lower())
    return name
