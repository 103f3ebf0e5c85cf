"""From the SIP messages of a tap to rows of calls, as the calls happen.

A tap sees the same call several times: on each side of a proxy, again when a packet is repeated, again with credentials
after a 407, and on every route that is tried. All of it is one call as long as Call-ID and From tag are the same, as it
is for the readers of accounting logs (`_sip_calls`), so that both tell the same calls.

- **Set-up**: the INVITE with the fewest Vias, which is the one nearest to the caller. An INVITE with one Via is told at
  once; one with more waits a moment for the same INVITE nearer to the caller.
- **Answer**: the first 2xx to it, on whatever leg.
- **End**: the BYE of the dialog that is up, from either side; or a final failure on the leg nearest to the caller.
  Failures elsewhere are tries: a redirect server that says 404 for "no objection", a route that is down, a phone that is
  busy while another rings. Where the tap does not see the caller's own leg, all legs that left the same element side by
  side must have failed. A failure is told a second later, when nothing can overtake it any more; a 401 or 407 when no
  INVITE with credentials has come for half a minute.

Time is that of the messages. Each state of a call has a length after which it is over by itself, so memory is bounded.
"""

from collections import Counter, OrderedDict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.ingest._sip import Message
from ringfence.ingest._sip_address import user_of
from ringfence.ingest._sip_attempts import is_another, is_repeated, nearest, settle
from ringfence.ingest._sip_calls import (
    CAUSES,
    NORMAL_CLEARING,
    NORMAL_UNSPECIFIED,
    SECOND,
    _q850,
    _refused_by,
)
from ringfence.ingest._sip_state import (
    ASKED,
    CANCELLED,
    CHALLENGED,
    EARLY,
    ENDED,
    FAILED,
    HOLDS,
    HUNG_UP,
    LONGEST_TEXT,
    RINGING,
    UP,
    Call,
    Leg,
    Rows,
    SipSettings,
    describe,
    short,
)

DROP_FIRST: Final = (ENDED, EARLY, ASKED, RINGING, CANCELLED, HUNG_UP, FAILED, CHALLENGED, UP)
MAX_LEGS: Final = 32
MAX_FORKS: Final = 8
CHALLENGES: Final = frozenset({401, 407})
NO_CALLEE: Final = "the INVITE does not say who is called: its request URI has no user"


class NoCalleeError(ValueError):
    """An INVITE cannot become a call."""


class Dialogs:
    """The calls of a tap.

    Attributes:
        notes: counts of what was met, by name.
    """

    def __init__(self, settings: SipSettings | None = None) -> None:
        self.settings = settings or SipSettings()
        self.notes: Counter[str] = Counter()
        self._calls: dict[str, Call] = {}
        self._queues: list[OrderedDict[str, Call]] = [OrderedDict() for _ in HOLDS]
        self._now = 0
        self._at = 0  # the moment of what happens: now, or in the past when states are over by themselves
        self._next_due = 0
        self._rows = Rows()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, time: int, row: int, source: str, dest: str, message: Message) -> None:
        """Take in a message, in the order of arrival.

        Args:
            time: when it was seen, µs.
            row: number of the packet, for the rows that come of it.
            source: `address:port` it came from.
            dest: `address:port` it went to.
            message: the message.

        Raises:
            NoCalleeError: it is an INVITE that does not say who is called.
        """
        self.advance(time)
        code, method = message.code, message.method
        if method == "INVITE":
            if code == 0:
                self._invite(time, row, source, dest, message)
            elif code < 200:
                self._ringing(time, message)
            elif code < 300:
                self._answer(time, row, message)
            else:
                self._failure(time, row, source, dest, message)
        elif method == "BYE" and code == 0:
            self._bye(time, row, message)
        elif method == "CANCEL" and code == 0:
            self._cancel(time, row, message)
        else:
            self.notes["other_messages"] += 1

    def advance(self, time: int) -> None:
        """Let time pass: what was waited for long enough is given out. Times before the latest change nothing."""
        if time > self._now:
            self._now = self._at = time
            if time >= self._next_due:
                self._sweep()
                self._at = time

    def take(self) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
        """Hand over the rows known since the last time (schema `CALLS`), and the number of the packet of each."""
        return self._rows.take()

    # --- INVITE

    def _invite(self, time: int, row: int, source: str, dest: str, message: Message) -> None:
        key = _key(message.call_id, message.sender.tag)
        call = self._calls.get(key)
        if tag := message.recipient.tag:
            known = call is not None or _key(message.call_id, tag) in self._calls
            self.notes["in_dialog" if known else "in_unknown_dialog"] += 1
            return
        if call is not None and call.cseq >= 0:
            call = self._again(call, time, source, message)
            if call is None:
                return
        callee = user_of(message.uri)[:LONGEST_TEXT]
        if not callee:
            raise NoCalleeError(NO_CALLEE)
        if call is None:
            call = self._new(key, message)
        if call.cseq < 0:
            call.start, call.row, call.cseq, call.vias = time, row, message.cseq, message.vias
            call.source, call.dest = source, dest
            describe(call, callee, source, message, self.settings)
            self._enter(call, ASKED)
        elif not call.told and message.vias < call.vias:  # nearer to the caller
            call.start, call.vias = min(time, call.start), message.vias
            call.source, call.dest = source, dest
            describe(call, callee, source, message, self.settings)
        leg = self._leg(call, message, source, dest)
        if leg is not None:
            leg.asked, leg.source, leg.dest = True, source, dest
        if call.state == ASKED and call.vias == 1:
            self._ask(call)
        if call.answer:  # the 2xx came first
            self._answered(call)
        else:
            self._judge(call)

    def _again(self, call: Call, time: int, source: str, message: Message) -> Call | None:
        """An INVITE of a call that is known; None if it says nothing new."""
        leg = call.legs.get(short(message.branch))
        if message.cseq < call.cseq or (leg is not None and leg.asked and is_repeated(call, time)):
            self.notes["retransmissions"] += 1
            return None
        if is_another(call, time, source, message.cseq):
            if call.state != ENDED:
                self._expire(call)
            self._forget(call)
            return self._new(call.key, message)
        if message.cseq == call.cseq:
            self.notes["copies"] += call.state in {UP, ENDED} or message.vias > call.vias
            return None if call.state in {UP, ENDED} else call
        self.notes["tried_again"] += 1
        call.cseq = message.cseq
        call.legs.clear()
        if call.state != ASKED:
            self._enter(call, RINGING)
        return call

    def _new(self, key: str, message: Message) -> Call:
        call = Call(key, short(message.call_id))
        self._calls[key] = call
        self._enter(call, EARLY)
        if len(self._calls) > self.settings.max_open:
            self._drop_one(call)
        return call

    def _leg(self, call: Call, message: Message, source: str, dest: str) -> Leg | None:
        branch = short(message.branch)
        leg = call.legs.get(branch)
        if not branch:  # a response that lost its Vias on the way: told by where it goes
            way = (source, dest)
            leg = next((one for one in call.legs.values() if (one.source, one.dest) == way), None)
        if leg is None:
            if len(call.legs) >= MAX_LEGS:
                self.notes["legs_too_many"] += 1
                return None
            leg = call.legs[branch] = Leg(message.vias, source, dest)
        return leg

    def _ask(self, call: Call) -> None:
        """Tell the set-up."""
        if not call.told:
            call.told = True
            self._rows.add(call, call.row)
        self._enter(call, RINGING)

    # --- responses

    def _ringing(self, time: int, message: Message) -> None:
        call = self._calls.get(_key(message.call_id, message.sender.tag))
        if call is not None and time > call.last:
            call.last = time

    def _answer(self, time: int, row: int, message: Message) -> None:
        key = _key(message.call_id, message.sender.tag)
        call, tag = self._calls.get(key), short(message.recipient.tag)
        if call is None:
            if self._changes(message):
                return
            call = self._new(key, message)
        elif call.state in {UP, ENDED}:
            if call.state == UP and message.cseq != call.cseq:
                self.notes["in_dialog"] += 1
            elif call.state == ENDED or tag in call.tags:
                self.notes["retransmissions"] += 1
            elif len(call.tags) < MAX_FORKS:
                self.notes["answered_twice"] += 1
                call.tags.append(tag)
            return
        if call.answer:
            self.notes["retransmissions"] += 1
            return
        call.answer, call.answer_row, call.tags = time, row, [tag]
        if call.cseq >= 0:  # it may have overtaken the INVITE with credentials
            call.cseq = max(call.cseq, message.cseq)
        if call.cseq >= 0:
            self._answered(call)

    def _changes(self, message: Message) -> bool:
        """Whether a response is to an INVITE with which the called side changes the running call."""
        known = _key(message.call_id, message.recipient.tag) in self._calls
        self.notes["in_dialog"] += known
        return known

    def _answered(self, call: Call) -> None:
        call.told = True
        call.answer = max(call.answer, call.start)
        hung_up, end, cause, by = call.state == HUNG_UP, call.end, call.cause, call.by
        call.end, call.cause, call.by = 0, None, None
        self._rows.add(call, call.answer_row)
        settle(call)
        self._enter(call, UP)
        if hung_up:
            call.end, call.cause, call.by = max(end, call.answer), cause, by
            self._finish(call)

    def _failure(self, time: int, row: int, source: str, dest: str, message: Message) -> None:
        key = _key(message.call_id, message.sender.tag)
        call = self._calls.get(key)
        if call is None:
            if self._changes(message):
                return
            call = self._new(key, message)
        elif call.state in {UP, ENDED}:
            self.notes["in_dialog" if call.state == UP else "retransmissions"] += 1
            return
        elif 0 <= call.cseq != message.cseq:
            self.notes["retransmissions"] += 1
            return
        leg = self._leg(call, message, dest, source)
        if leg is None:
            return
        if leg.code:
            self.notes["retransmissions"] += 1
            return
        leg.code, leg.at, leg.row = message.code, time, row
        leg.cause = _q850(message.headers)
        if call.cseq >= 0 and not self._judge(call) and call.state != ASKED:
            self.notes["tries"] += 1

    def _judge(self, call: Call) -> bool:
        """Whether the call has failed, as far as is known now."""
        if call.state == ASKED or not call.legs:
            return False
        legs = nearest(call)
        if not all(leg.code for leg in legs):
            if call.state in {FAILED, CHALLENGED}:
                self._enter(call, RINGING)
            return False
        last = max(legs, key=lambda leg: leg.at)
        call.end, call.end_row = max(last.at, call.start), last.row
        call.by = None if last.code < 400 else _refused_by(last.code)
        cause = None if last.code < 400 else CAUSES.get(last.code, NORMAL_UNSPECIFIED)
        call.cause = last.cause or cause
        self._enter(call, CHALLENGED if last.code in CHALLENGES else FAILED)
        return True

    # --- the end

    def _bye(self, time: int, row: int, message: Message) -> None:
        own, other = message.sender.tag, message.recipient.tag
        call, by = self._calls.get(_key(message.call_id, own)), "caller"
        if call is None:
            call, by, other = self._calls.get(_key(message.call_id, other)), "callee", own
        if call is None or call.state == EARLY:
            self.notes["bye_without_invite"] += 1
            return
        if call.state in {ENDED, HUNG_UP, FAILED, CHALLENGED}:
            self.notes["retransmissions"] += 1
            return
        other = short(other)
        if call.tags and other and other not in call.tags and "" not in call.tags:
            self.notes["bye_of_another"] += 1
            return
        if len(call.tags) > 1:
            if other in call.tags:
                call.tags.remove(other)
            return
        call.end, call.end_row, call.by = max(time, call.answer, call.start), row, by
        call.cause = _q850(message.headers) or NORMAL_CLEARING
        if call.state == UP:
            self._finish(call)
        else:  # before its 2xx, or that was lost, or the caller ends what only rings
            self._enter(call, HUNG_UP)

    def _cancel(self, time: int, row: int, message: Message) -> None:
        call = self._calls.get(_key(message.call_id, message.sender.tag))
        if call is None or call.state not in {ASKED, RINGING}:
            self.notes["cancel_without_invite" if call is None else "retransmissions"] += 1
            return
        leg = call.legs.get(short(message.branch))
        if leg is None or leg not in nearest(call):
            self.notes["tries"] += 1
            return
        if call.state == ASKED:
            self._ask(call)
        call.end, call.end_row, call.by, call.cause = max(time, call.start), row, "caller", NORMAL_CLEARING
        self._enter(call, CANCELLED)

    def _finish(self, call: Call) -> None:
        """Tell the end."""
        call.told = True
        self._rows.add(call, call.end_row)
        settle(call)
        call.tags.clear()
        self._enter(call, ENDED)

    # --- time and memory

    def _enter(self, call: Call, state: int) -> None:
        self._queues[call.state].pop(call.key, None)
        call.state = state
        call.due = self._at + HOLDS[state]
        self._queues[state][call.key] = call
        self._next_due = min(self._next_due, call.due)

    def _sweep(self) -> None:
        """End the states that have lasted long enough, in the order in which they do."""
        while True:
            fronts = [next(iter(queue.values())) for queue in self._queues if queue]
            first = min(fronts, key=lambda call: call.due, default=None)
            if first is None or first.due > self._now:
                self._next_due = first.due if first is not None else self._now + SECOND // 5
                return
            self._at = first.due
            self._expire(first)

    def _expire(self, call: Call) -> None:
        """A state is over by itself."""
        state = call.state
        if state == ASKED:
            self._ask(call)
            self._judge(call)
        elif state in {CANCELLED, FAILED, CHALLENGED}:
            self._finish(call)
        elif (
            state == HUNG_UP
        ):  # the BYE proves an answer that was not seen: the latest ringing is the nearest moment
            self.notes["answers_missed"] += 1
            call.answer = min(max(call.last, call.start), call.end)
            self._finish(call)
        else:
            if state == EARLY:
                self.notes["answer_without_invite" if call.answer else "failure_without_invite"] += 1
            elif state in {RINGING, UP}:
                self.notes["setups_without_end" if state == RINGING else "calls_without_end"] += 1
            self._forget(call)

    def _forget(self, call: Call) -> None:
        self._queues[call.state].pop(call.key, None)
        self._calls.pop(call.key, None)

    def _drop_one(self, kept: Call) -> None:
        """Make room: forget what matters least."""
        for state in DROP_FIRST:
            oldest = next((call for call in self._queues[state].values() if call is not kept), None)
            if oldest is not None:
                if state not in {ENDED, RINGING, UP}:
                    self._expire(oldest)
                self._forget(oldest)
                self.notes["open_calls_dropped"] += state != ENDED
                return

    # --- snapshots

    def as_json(self) -> dict[str, Any]:
        """The state as JSON can hold it; rows must have been taken."""
        queues = [[call.as_json() for call in queue.values()] for queue in self._queues]
        return {"now": self._now, "next_due": self._next_due, "notes": dict(self.notes), "queues": queues}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot."""
        self._now = self._at = state["now"]
        self._next_due, self.notes = state["next_due"], Counter(state["notes"])
        self._calls, self._rows = {}, Rows()
        for queue, values in zip(self._queues, state["queues"], strict=True):
            queue.clear()
            for one in values:
                call = Call.of_json(one)
                queue[call.key] = self._calls[call.key] = call


def _key(call_id: str, tag: str) -> str:
    return f"{short(call_id)}\0{short(tag)}"
