"""From flat records to the tables of the contract."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.compiled import entry, jit
from ringfence.model.numbers import to_texts
from ringfence.model.tables import CALLS, INGRESS, RELEASED_BY, TEXTS, TIME
from ringfence.simulate.chance import mix, share
from ringfence.simulate.exchange import cell_names, trunk_names
from ringfence.simulate.population import Population
from ringfence.simulate.rows import Rows

_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8).copy()
_ID_DIGITS: Final = 14


@entry
def _hex(values: Any, digits: int, offsets: Any, data: Any) -> None:
    """Values as hexadecimal text of a fixed length; 0: nothing."""
    at = 0
    for n in range(len(values)):
        offsets[n] = at
        value = values[n]
        if value != 0:
            for place in range(digits):
                data[at + place] = _HEX[value >> (4 * (digits - 1 - place)) & 15]
            at += digits
    offsets[len(values)] = at


def hex_texts(values: npt.NDArray[np.int64], digits: int) -> pa.StringArray:
    """Hexadecimal text of integers, null for 0."""
    offsets = np.empty(len(values) + 1, np.int32)
    data = np.empty(len(values) * digits, np.uint8)
    _hex(values, digits, offsets, data)
    valid = pa.py_buffer(np.packbits(values != 0, bitorder="little"))
    return pa.StringArray.from_buffers(
        len(values), pa.py_buffer(offsets), pa.py_buffer(data[: offsets[-1]]), valid
    )


@jit
def _half(seed: Any, value: Any, turn: int) -> Any:
    return mix(seed + value * np.uint64(8) + np.uint64(turn)) & np.uint64((1 << 28) - 1)


@entry
def opaque(seed: Any, first: int, count: int) -> npt.NDArray[np.int64]:
    """Distinct numbers of 56 bits that do not tell their order (a Feistel network)."""
    found = np.empty(count, np.int64)
    for n in range(count):
        value = np.uint64(first + n)
        left, right = value >> np.uint64(28), value & np.uint64((1 << 28) - 1)
        for turn in range(3):
            left, right = right, left ^ _half(seed, right, turn)
        found[n] = np.int64(left << np.uint64(28) | right)
    return found


def call_ids(seed: Any, first: int, count: int) -> pa.StringArray:
    """Ids of the calls from `first` on."""
    return hex_texts(opaque(seed, first, count), _ID_DIGITS)


@entry
def _numbers(parties: Any, number: Any) -> npt.NDArray[np.int64]:
    found = np.empty(len(parties), np.int64)
    for n in range(len(parties)):
        party = parties[n]
        found[n] = number[-1 - party] if party < 0 else party
    return found


def numbers_of(people: Population, parties: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Parties as numbers (`model.numbers`)."""
    return _numbers(np.ascontiguousarray(parties), people.number)


@entry
def _attestations(rows: Rows, seed: Any) -> npt.NDArray[np.int8]:
    """A, B or C by how a call came in, -1: none. Carriers sign about half of what they hand over."""
    found = np.full(len(rows), -1, np.int8)
    for n in range(len(rows)):
        chance = mix(seed + np.uint64(rows[n].start) * np.uint64(3))
        way, level = share(chance), share(mix(chance))
        if rows[n].ingress == 1:
            found[n] = 0
        elif rows[n].ingress == 2 and way < 0.6:
            found[n] = 0 if level < 0.62 else 1 if level < 0.83 else 2
        elif rows[n].ingress == 3 and way < 0.3:
            found[n] = 2
    return found


class Words:
    """The small vocabularies of a city, as Arrow dictionaries."""

    def __init__(self, people: Population) -> None:
        self.people = people
        self.trunks = pa.array(trunk_names(people.seed), pa.string())
        self.cells = pa.array(cell_names(people.seed, people.cells), pa.string())
        self.ingress = pa.array(INGRESS, pa.string())
        self.released = pa.array(RELEASED_BY, pa.string())
        self.attestation = pa.array(["A", "B", "C"], pa.string())


def _from(words: pa.Array, places: npt.NDArray[Any], missing: int = 0) -> pa.DictionaryArray:
    """A column of words; the place counts from 1, 0 is null."""
    places = places.astype(np.int32) - (1 - missing)
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=places < 0), words)


def calls_table(rows: Rows, ids: pa.StringArray, words: Words) -> pa.Table:
    """The `calls` table; columns of few words are dictionaries."""
    people = words.people
    column = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    attested = people.numbering.country.attested
    attestation = (
        _from(words.attestation, _attestations(rows, people.seed), missing=1)
        if attested
        else pa.nulls(len(rows), pa.string())
    )
    columns = {
        "call_id": ids,
        "start_time": pa.array(column["start"]).view(TIME),
        "answer_time": pa.array(column["answer"], mask=column["answer"] < 0).view(TIME),
        "end_time": pa.array(column["end"]).view(TIME),
        "caller": to_texts(numbers_of(people, column["caller"])),
        "callee": to_texts(numbers_of(people, column["callee"])),
        "cause": pa.array(column["cause"]),
        "released_by": _from(words.released, column["released"]),
        "ingress": _from(words.ingress, column["ingress"]),
        "trunk": _from(words.trunks, column["trunk"]),
        "attestation": attestation,
        "caller_device": hex_texts(column["caller_device"], 12),
        "callee_device": hex_texts(column["callee_device"], 12),
        "callee_cell": _from(words.cells, column["cell"]),
    }
    return pa.Table.from_arrays([columns[name] for name in CALLS.names], names=CALLS.names)


def texts_table(
    people: Population,
    time: npt.NDArray[np.int64],
    sender: npt.NDArray[np.int64],
    recipient: npt.NDArray[np.int64],
    body: pa.Array,
) -> pa.Table:
    """The `texts` table from times (µs) and parties."""
    return pa.Table.from_arrays(
        [
            pa.array(time).view(TIME),
            to_texts(numbers_of(people, sender)),
            to_texts(numbers_of(people, recipient)),
            body,
        ],
        schema=TEXTS,
    )
