"""A city into files: calls, texts, transfers, and the truth beside. Files appear when they are whole."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence import __version__
from ringfence.model.numbers import to_text
from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.simulate.city import City, Slice, begins, ends, people_of, slices
from ringfence.simulate.population import Population
from ringfence.simulate.truth import TRUTH_CALLS, Episode, Truth, rfc3339

_GROUP: Final = 512 * 1024
_FEW: Final = ("cause", "released_by", "ingress", "trunk", "attestation", "callee_cell")
_RANDOM: Final = ("call_id", "caller_device", "callee_device")  # nothing to compress
TABLES: Final = {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS, "truth_calls": TRUTH_CALLS}


class _Table:
    """One Parquet file in the making; rows are gathered into groups of even size."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema
        self.parts: list[pa.Table] = []
        self.rows = 0
        self.total = 0
        self.writer: pq.ParquetWriter | None = None
        self.stream = path.with_name(f".{path.name}.part").open("wb")

    def add(self, table: pa.Table) -> None:
        self.parts.append(table)
        self.rows += len(table)
        if self.rows >= _GROUP:
            self._write()

    def _write(self) -> None:
        table = pa.concat_tables(self.parts)
        if self.writer is None:
            # words are dictionaries in memory and plain text to readers, so the schema in memory is not kept
            names = self.schema.names
            fields = [self.schema.field(n).with_type(table.schema.field(n).type) for n in names]
            self.writer = pq.ParquetWriter(
                self.stream,
                pa.schema(fields),
                compression={name: "none" if name in _RANDOM else "lz4" for name in names},
                use_dictionary=[name for name in _FEW if name in names],
                write_statistics=[name for name in ("start_time", "time") if name in names],
                store_schema=False,
            )
        self.writer.write_table(table.cast(self.writer.schema), row_group_size=_GROUP)
        self.total += len(table)
        self.parts, self.rows = [], 0

    def close(self) -> None:
        if self.parts or self.writer is None:
            self.parts = self.parts or [self.schema.empty_table()]
            self._write()
        assert self.writer is not None
        self.writer.close()
        self.stream.close()

    def publish(self) -> None:
        Path(self.stream.name).replace(self.path)

    def discard(self) -> None:
        self.stream.close()
        Path(self.stream.name).unlink(missing_ok=True)


def make(city: City, out: Path, progress: Callable[[float, int], None] | None = None) -> dict[str, int]:
    """Write a city into a folder.

    Args:
        city: what is wanted.
        out: the folder; made if it is absent. Files of an earlier city are replaced when the new ones are whole.
        progress: is told the share that is done and the number of calls.

    Returns:
        The number of rows by table.

    Raises:
        OSError: the folder cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    truth, people = Truth(), people_of(city)
    with ExitStack() as stack:
        files = {}
        for name, schema in TABLES.items():
            files[name] = _Table(out / f"{name}.parquet", schema)
            stack.callback(files[name].discard)
        for part in slices(city, truth, people):
            for name, file in files.items():
                file.add(getattr(part, name))
            if progress:
                progress(part.done, files["calls"].total + files["calls"].rows)
        for file in files.values():
            file.close()
        text = json.dumps(_told(city, truth, people), ensure_ascii=False, indent=1)
        draft = out / ".truth.json.part"
        draft.write_text(text + "\n", encoding="utf-8")
        for file in files.values():
            file.publish()
        draft.replace(out / "truth.json")
    return {name: file.total for name, file in files.items()}


def tables(city: City) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """A small city in memory: the tables by name, in the contract's schemas, and what truth.json would hold."""
    truth, people = Truth(), people_of(city)
    parts: list[Slice] = list(slices(city, truth, people))
    found = {
        name: pa.concat_tables([getattr(part, name).cast(schema) for part in parts])
        for name, schema in TABLES.items()
    }
    return found, _told(city, truth, people)


def _told(city: City, truth: Truth, people: Population) -> dict[str, Any]:
    """truth.json."""
    counts = {name: len(people.of_kind[name]) for name in people.kinds[1:]}
    special = [
        (to_text(int(people.number[line])), name)
        for name in people.kinds[1:]
        for line in people.of_kind[name]
    ]
    return {
        "format": "ringfence-truth/1",
        "made_by": {
            "program": "ringfence simulate",
            "version": __version__,
            "seed": city.seed,
            "subscribers": city.subscribers,
            "days": city.days,
            "country": city.country,
            "intensity": city.intensity,
        },
        "begins": rfc3339(begins(city)),
        "ends": rfc3339(ends(city)),
        "lines": {"person": people.lines - sum(counts.values()), **counts},
        "special_lines": dict(sorted(special)),
        "episodes": [_episode(episode, people, ends(city)) for episode in truth.told()],
        "calls": "truth_calls.parquet",
    }


def _episode(episode: Episode, people: Population, end: int) -> dict[str, Any]:
    """An episode as it is told; what would have come after the city's end is null."""

    def named(party: int | None) -> str | None:
        if party is None:
            return None
        return to_text(int(people.number[-1 - party]) if party < 0 else party)

    more = dict(episode.more)
    for name, value in episode.more.items():
        if name.endswith(("_at", "_began")) and value is not None:
            more[name] = rfc3339(value) if value < end else None
    if "transfer_at" in more and more["transfer_at"] is None:
        more["amount"] = None
    return {
        "id": episode.id,
        "crime": episode.crime,
        "shape": episode.shape,
        "subject": named(episode.subject),
        "begins": rfc3339(episode.begins),
        "ends": rfc3339(episode.ends),
        "calls": episode.calls,
        **more,
        **{name: named(party) for name, party in episode.parties.items()},
    }
