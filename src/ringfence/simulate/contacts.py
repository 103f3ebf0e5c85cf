"""Who knows whom, without a list of pairs.

Each line has `degree` places for people it knows, in order of closeness. Every place of every line is matched with exactly one
other place by an involution of all places (a Feistel network whose round keys read the same backwards is its own
inverse), so "i knows j" and "j knows i" are one fact, computed in some 30 ns and stored nowhere. Places of one sort are matched
with their like: the four closest within a neighbourhood of 256 lines, three in five of the others within a quarter (2^14
places), the rest anywhere in the city. Where a match fails or chance says so, the person is a customer of another
network; such people live in the same neighbourhoods and are known to several lines of it.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import jit, routine
from ringfence.simulate.chance import below, mix, share, trait

CLOSE: Final = 4
"""Places of family and close friends."""
_CLOSE_BITS: Final = 10  # a neighbourhood: 256 lines x 4 places
_NEAR_BITS: Final = 14
_CLOSE_PEOPLE: Final = 500  # people of other networks in a neighbourhood, and in a quarter
_NEAR_PEOPLE: Final = 2_000
_BUCKET: Final = 6


class Graph(NamedTuple):
    """The city's acquaintances.

    Attributes:
        seed: uint64.
        lines: how many.
        offset: int64[lines + 1], where the places beyond CLOSE of each line begin.
        bucket: int32[places >> 6], a line at or before the one that a place belongs to.
        side: the global involution works on side x side places.
        outside: share of the people a line knows who are customers of other networks.
        prefixes: int64, number ranges of other networks, of 10^4 numbers each; known: customers of how many of them (the
            first) people of the city know.
    """

    seed: Any
    lines: int
    offset: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.int32]
    side: int
    outside: float
    prefixes: npt.NDArray[np.int64]
    known: int


def graph_of(
    seed: int, degree: npt.NDArray[np.int32], outside: float, prefixes: npt.NDArray[np.int64], known: int
) -> Graph:
    """The graph of lines that know so many people each."""
    offset = np.zeros(len(degree) + 1, np.int64)
    np.cumsum(np.maximum(degree - CLOSE, 0), out=offset[1:])
    marks = np.arange(0, int(offset[-1]) + 1, 1 << _BUCKET)
    bucket = (np.searchsorted(offset, marks, side="right") - 1).astype(np.int32)
    far = int(offset[-1]) // 5 * 2
    return Graph(np.uint64(seed), len(degree), offset, bucket, int(far**0.5), outside, prefixes, known)


@jit
def _feistel(seed: Any, place: int, bits: int) -> int:
    """An involution of 2^bits places."""
    half = bits // 2
    mask = (1 << half) - 1
    left, right = place >> half, place & mask
    for turn in range(5):
        key = turn if turn < 3 else 4 - turn
        if key & 1:
            right = (right ^ int(np.int64(mix(seed + np.uint64(left * 8 + key)) >> np.uint64(40)))) & mask
        else:
            left = (left ^ int(np.int64(mix(seed + np.uint64(right * 8 + key)) >> np.uint64(40)))) & mask
    return left << half | right


@jit
def reflected(seed: Any, place: int, side: int) -> int:
    """An involution of side x side places: coordinates reflected at points that depend on the other one."""
    left, right = place // side, place % side
    for turn in range(5):
        key = turn if turn < 3 else 4 - turn
        if key & 1:
            right = (below(mix(seed + np.uint64(left * 8 + key)), side) - right) % side
        else:
            left = (below(mix(seed + np.uint64(right * 8 + key)), side) - left) % side
    return left * side + right


@routine
def line_at(graph: Graph, place: int) -> int:
    """The line that a place beyond CLOSE belongs to."""
    line = int(graph.bucket[place >> _BUCKET])
    while graph.offset[line + 1] <= place:
        line += 1
    return line


@jit
def stranger_number(graph: Graph, who: Any) -> int:
    """The number of anybody of another network, drawn by a uint64."""
    return _number(graph.prefixes[below(who, len(graph.prefixes))], who)


@jit
def _number(prefix: int, who: Any) -> int:
    return prefix * 10_000 + scatter(prefix, below(mix(who), 9_375))  # 15 in 16 of a range are theirs


@jit
def scatter(prefix: int, place: int) -> int:
    """The last four digits of the `place`th number of a range."""
    key = mix(np.uint64(prefix))
    return (place * (3 + 20 * below(key, 400)) + below(mix(key), 10_000)) % 10_000


@routine
def _outsider(graph: Graph, area: int, people: int, place: int, salt: int) -> int:
    person = area * people + below(trait(graph.seed, place, salt), people)
    who = trait(graph.seed, person, salt + 1)
    return _number(graph.prefixes[below(who, graph.known)], who)


@routine
def counterpart(graph: Graph, line: int, rank: int) -> int:
    """The `rank`th contact of a line: -(line + 1) of a line of the city, or a number of another network."""
    if rank < CLOSE:
        place = line * CLOSE + rank
        block = place >> _CLOSE_BITS
        inside = place & ((1 << _CLOSE_BITS) - 1)
        found = _feistel(trait(graph.seed, block, 11), inside, _CLOSE_BITS) | block << _CLOSE_BITS
        other = found // CLOSE
        pair = min(place, found)
        if other == line or other >= graph.lines or share(trait(graph.seed, pair, 12)) < graph.outside:
            return _outsider(graph, block, _CLOSE_PEOPLE, place, 13)
        return -(other + 1)
    place = graph.offset[line] + rank - CLOSE
    fifth, rest = place // 5, place % 5
    if rest < 3:  # near
        thing = fifth * 3 + rest
        block = thing >> _NEAR_BITS
        inside = thing & ((1 << _NEAR_BITS) - 1)
        thing = _feistel(trait(graph.seed, block, 15), inside, _NEAR_BITS) | block << _NEAR_BITS
        found = thing // 3 * 5 + thing % 3
        people, area = _NEAR_PEOPLE, block
    else:
        thing = fifth * 2 + rest - 3
        if thing < graph.side * graph.side:
            thing = reflected(trait(graph.seed, 0, 16), thing, graph.side)
        found = thing // 2 * 5 + thing % 2 + 3
        people, area = 1 << 30, 0
    if found == place or found >= graph.offset[graph.lines]:
        return _outsider(graph, area, people, place, 17)
    if share(trait(graph.seed, min(place, found), 19)) < graph.outside:
        return _outsider(graph, area, people, place, 17)
    other = line_at(graph, found)
    return -(other + 1) if other != line else _outsider(graph, area, people, place, 17)
