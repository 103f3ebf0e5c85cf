"""What an operator knows of numbers and trunks: the texts of a folder, all optional (docs/packs.md says what they mean)."""

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.ingest._hash import hash_words
from ringfence.model.number_lists import ListError, NumberLists, Ranges, read_list
from ringfence.model.numbers import NumberPlan

LISTS: Final = ("own", "ported_out", "never", "allow", "abroad", "roaming")
PROVEN: Final = "trunks_proven"


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists.

    Attributes:
        numbers: those of numbers.
        proven: hashes of trunks whose calls are proven to begin in the country.
        digest: of all texts; empty: there are none.
    """

    numbers: NumberLists = field(default_factory=NumberLists)
    proven: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    digest: str = ""


def read_lists(folder: Path | None, plan: NumberPlan) -> Lists:
    """Read the lists of a folder: `own.txt`, `ported_out.txt`, `never.txt`, `allow.txt`, `abroad.txt`, `roaming.txt`, `trunks_proven.txt`.

    Args:
        folder: None: there are no lists.
        plan: how numbers without a country code are meant.

    Raises:
        ListError: a line cannot be used, there is no list in the folder, or a text that is none of them.
        OSError: a file cannot be read.
    """
    if folder is None:
        return Lists()
    if not folder.is_dir():
        raise ListError(f"{folder}: is not a folder; name the one that holds own.txt, never.txt and so on")
    names = (*LISTS, PROVEN)
    for path in sorted(folder.glob("*.txt")):
        if path.stem not in names:
            raise ListError(f"{path}: no such list; there are {', '.join(f'{name}.txt' for name in names)}")
    texts = {name: text for name in names if (text := _text(folder / f"{name}.txt")) is not None}
    if not texts:
        raise ListError(f"{folder}: holds no list; there can be {', '.join(f'{name}.txt' for name in names)}")
    ranges: dict[str, Ranges] = {
        name: read_list(text, str(folder / f"{name}.txt"), plan)
        for name, text in texts.items()
        if name != PROVEN
    }
    trunks = [line.partition("#")[0].strip() for line in texts.get(PROVEN, "").splitlines()]
    proven = hash_words(pa.array([trunk for trunk in trunks if trunk], pa.string()))
    digest = blake2b("\0".join(f"{name}\0{text}" for name, text in sorted(texts.items())).encode())
    return Lists(NumberLists(**ranges), proven, digest.hexdigest()[:16])


def _text(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: is not UTF-8 text") from error
