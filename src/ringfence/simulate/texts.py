"""Ordinary texts: mostly from firms (codes, parcels, adverts), seldom between people; nobody hands their bodies over.

Per subscriber log-normal with a median of 941 in 8 months, 95 % of them received (Sichuan).
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import entry
from ringfence.simulate.chance import bell, mix, share, trait, uniform
from ringfence.simulate.contacts import Graph, counterpart
from ringfence.simulate.rows import HOUR

MEDIAN: Final = 941 / 244
SIGMA: Final = 0.85
SENT: Final = 0.012
"""Of the texts to a line, those that it answers or sends itself to people it knows (a person's text is in two lines' records)."""
FROM_PEOPLE: Final = 0.06


@entry
def ordinary_texts(
    graph: Graph, degree: Any, firms: Any, week: Any, begin: int, first_hour: int, last_hour: int, weekday: int,
    scale: float, time: Any, sender: Any, recipient: Any,
) -> int:  # fmt: skip
    """Write the texts of some hours.

    Args:
        graph: who knows whom.
        degree: by line: people known.
        firms: parties that send texts, the busiest first.
        week: as for `ordinary.ordinary`.
        begin: the same.
        first_hour: the same.
        last_hour: the same.
        weekday: the same.
        scale: texts per text of real life.
        time: int64, takes µs, as far as there is room.
        sender: int64, takes parties.
        recipient: the same.

    Returns:
        How many there are.
    """
    n = 0
    state = np.empty(1, np.uint64)
    for line in range(graph.lines):
        taste = trait(graph.seed, line, 71)
        daily = MEDIAN * scale * math.exp(SIGMA * bell(taste, mix(taste)))
        if math.isnan(daily):
            continue
        for hour in range(first_hour, last_hour):
            mean = daily * week[(weekday + hour // 24) % 7, hour % 24]
            state[0] = trait(graph.seed, line, 3_000_000 + hour)
            left = 1.0 - uniform(state)
            floor = math.exp(-mean)
            while left > floor:
                left *= uniform(state)
                if n < len(time):
                    time[n] = begin + hour * HOUR + int(uniform(state) * HOUR)
                    what = uniform(state)
                    sender[n], recipient[n] = -1 - line, -1 - line
                    if what < SENT + FROM_PEOPLE:
                        rank = int((degree[line] + 1.0) ** uniform(state)) - 1
                        other = counterpart(graph, line, min(rank, degree[line] - 1))
                        if what < SENT:
                            recipient[n] = other
                        else:
                            sender[n] = other
                    else:
                        rank = int((len(firms) + 1.0) ** share(mix(state[0])))
                        sender[n] = firms[rank - 1]
                n += 1
    return n
