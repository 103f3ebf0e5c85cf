"""From HEP3 packets to rows of calls: what a live service feeds from its sockets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final

from ringfence.ingest import _hep3
from ringfence.ingest._hep3 import Hep3Error
from ringfence.ingest._sip import (
    CALL_METHODS,
    OTHER_METHODS,
    PART_METHODS,
    SipError,
    method_of,
    parse,
    tells_nothing,
)
from ringfence.ingest._sip_calls import SECOND
from ringfence.ingest._sip_dialogs import Dialogs, NoCalleeError
from ringfence.ingest._sip_state import SipSettings
from ringfence.ingest.format import Chunk, Rejected

# An agent's clock may be wrong, and anyone may send a datagram: beyond this, the time of receipt counts.
LONGEST_DELAY: Final = 60 * SECOND


class HepCalls:
    """The calls told by HEP3 packets; one instance a service.

    Deterministic: the same packets in the same order give the same rows, however they are cut into feeds and whether or
    not a snapshot lies between.
    """

    def __init__(self, settings: SipSettings | None = None) -> None:
        self._dialogs = Dialogs(settings)

    def __len__(self) -> int:
        """How many calls are remembered."""
        return len(self._dialogs)

    def feed(
        self, packets: Iterable[bytes], first_row: int = 1, received: Sequence[int] | None = None
    ) -> Chunk:
        """Take in packets in the order of arrival.

        Args:
            packets: whole HEP3 packets.
            first_row: the number of the first one; the others follow.
            received: when each was received, µs since 1970; where the agent's clock is more than a minute away, this
                counts. Without it the agents' clocks are believed.

        Returns:
            A chunk of the table `calls`: up to three rows for each call (set-up, answer, end) with the same call_id,
            start_time, caller and callee, in the order in which they became known; `rows` are the numbers of the packets
            they come from, so one may stand twice, and may be of an earlier feed. `read` counts the packets, `ignored` those
            that were neither rejected nor gave a row in this feed, `notes` what was met (no number or name in it).
        """
        dialogs, rejected, count = self._dialogs, list[Rejected](), 0
        times: Iterable[int | None] = repeat(None) if received is None else received
        for count, (packet, time) in enumerate(zip(packets, times, strict=received is not None), 1):
            row = first_row + count - 1
            try:
                self._take(packet, row, time)
            except (Hep3Error, SipError, NoCalleeError) as error:
                rejected.append(Rejected(row, str(error)))
                dialogs.notes[_kind(error)] += 1
        return self._chunk(first_row, count, rejected)

    def advance(self, now: int) -> Chunk:
        """Let time pass where no packet comes; ends that were held back for a second are given out.

        Args:
            now: µs since 1970, by the clock that stamps what is received; behind the packets' times it does nothing.
        """
        self._dialogs.advance(now)
        return self._chunk(1, 0, [])

    def as_json(self) -> dict[str, Any]:
        """The state, as JSON can hold it."""
        return self._dialogs.as_json()

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot."""
        self._dialogs.restore(state)

    def _take(self, packet: bytes, row: int, received: int | None) -> None:
        dialogs = self._dialogs
        found = _hep3.decode(packet)
        time, payload = found.time_us, found.payload
        if received is not None and abs(time - received) > LONGEST_DELAY:
            time = received
            dialogs.notes["clock_differs"] += 1
        if found.protocol != _hep3.SIP:
            dialogs.notes["other_protocols"] += 1
            return
        method = method_of(payload)
        if method not in CALL_METHODS or tells_nothing(payload, method):
            self._pass_over(method, payload, time)
            return
        message = parse(payload)
        source, dest = f"{found.source}:{found.source_port}", f"{found.dest}:{found.dest_port}"
        dialogs.add(time, row, source, dest, message)

    def _pass_over(self, method: str, payload: bytes, time: int) -> None:
        """Count what belongs to no call, or tells nothing of one; what is no SIP at all is refused by the parser."""
        notes = self._dialogs.notes
        if method in PART_METHODS or method in CALL_METHODS:
            notes["parts_of_calls"] += 1
        elif method in OTHER_METHODS:
            notes["other_methods"] += 1
        elif not payload.strip(b"\r\n\0 "):
            notes["keep_alives"] += 1
        elif parse(payload).method in CALL_METHODS:  # written so that the quick look did not see it
            raise SipError("the message is written too strangely")
        else:
            notes["other_methods"] += 1
        self._dialogs.advance(time)

    def _chunk(self, first_row: int, count: int, rejected: list[Rejected]) -> Chunk:
        columns, rows = self._dialogs.take()
        notes, self._dialogs.notes = self._dialogs.notes, Counter()
        told = len({int(row) for row in rows if row >= first_row})
        return Chunk(
            columns, rows, count, max(count - len(rejected) - told, 0), tuple(rejected), dict(+notes)
        )


def _kind(error: ValueError) -> str:
    if isinstance(error, Hep3Error):
        return "not_hep"
    return "sip_without_callee" if isinstance(error, NoCalleeError) else "not_sip"
