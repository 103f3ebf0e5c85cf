"""How often somebody may ask: a token bucket for each, and no more buckets than was said."""

import threading
from collections import OrderedDict
from typing import Final

MOST: Final = 10_000


class Limits:
    """Buckets by name. Each fills by `rate` a second up to `burst`, and a request takes from it.

    A bucket that nobody has asked for longest makes room for a new one; what is forgotten is full again. So the names must not
    be for anybody to choose: take those of tokens, or addresses.

    Args:
        rate: requests a second that may go on for ever.
        burst: requests at once, after a pause.
        most: buckets that are kept.
    """

    def __init__(self, rate: float, burst: float, most: int = MOST) -> None:
        if rate <= 0 or burst < 1 or most < 1:
            raise ValueError("a limit needs a rate above 0, a burst of at least 1 and at least one bucket")
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is in it, and when
        self._lock = threading.Lock()

    def take(self, name: str, now: float, cost: float = 1.0) -> float:
        """Ask for a request.

        Args:
            name: whose.
            now: seconds, of any clock; one that is stepped back stands still here.
            cost: of the request, in requests; one that costs more than `burst` passes when the bucket is full.

        Returns:
            0: granted. Otherwise the seconds until it would be; nothing was taken.
        """
        wanted = min(cost, self._burst)
        with self._lock:
            held, then = self._buckets.pop(name, (self._burst, now))
            held = min(held + max(now - then, 0.0) * self._rate, self._burst)
            granted = held >= wanted
            self._buckets[name] = (held - wanted if granted else held, max(now, then))
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return 0.0 if granted else (wanted - held) / self._rate

    def __len__(self) -> int:
        return len(self._buckets)
