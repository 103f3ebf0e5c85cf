"""The regular expressions of number plans as automata over digits, which compiled code can follow."""

from typing import Any, Final

PLAIN: Final = 1  # a prefix matched
TRANSFORMED: Final = 2  # it matched with the group that the plan's rewriting rule needs

# At the place of a state: the next state for each digit (0: none), and
STATE_FOUND: Final = 10  # 0, PLAIN or TRANSFORMED: what has matched when this state is reached
STATE_FOUND_AT_END: Final = 11  # the same, if the text ends here
STATE_WIDTH: Final = 12

_DIGIT: Final = (1 << 10) - 1  # a set of digits is a mask of ten bits
_MATCH, _MATCH_AT_END, _SPLIT, _SAVE = range(-1, -5, -1)

Node = tuple[str, Any]


class Automata:
    """Deterministic automata over digits, all in one transition table.

    Ways: "whole" asks whether the whole text matches; "prefix" finds the match that a backtracking
    matcher finds at the start of the text (alternatives in their order of writing, repetition greedy);
    "rule" is "prefix" and tells whether the last group took part.
    """

    def __init__(self) -> None:
        self.states = [[0] * STATE_WIDTH]
        self._starts: dict[tuple[str, str], int] = {}

    def start(self, pattern: str | None, way: str) -> int:
        """First state of the automaton of a pattern; 0 if there is none, -1 if it is not understood."""
        if not pattern:
            return 0
        if (pattern, way) not in self._starts:
            try:
                self._starts[pattern, way] = self._determinise(Program(pattern), way)
            except ValueError:
                self._starts[pattern, way] = -1
        return self._starts[pattern, way]

    def _determinise(self, program: "Program", way: str) -> int:
        states: dict[tuple[Any, ...], int] = {}
        waiting: list[tuple[list[tuple[int, bool]], int]] = []

        def state(threads: list[tuple[int, bool]]) -> int:
            threads, found, at_end = program.close(threads, whole=way == "whole")
            if not threads and not found and not at_end:
                return 0
            key = (tuple(sorted(threads) if way == "whole" else threads), found, at_end)
            if key not in states:
                states[key] = len(self.states)
                most = TRANSFORMED if way == "rule" else PLAIN
                self.states.append([0] * 10 + [min(found, most), min(at_end, most)])
                waiting.append((threads, states[key]))
            return states[key]

        first = state([(program.first, False)])
        while waiting:
            threads, number = waiting.pop()
            for digit in range(10):
                after = [
                    (program.code[pc][1], saved) for pc, saved in threads if program.code[pc][0] >> digit & 1
                ]
                self.states[number][digit] = state(after)
        return first


class Program:
    """A pattern as instructions: (mask of digits, next), (_SPLIT, [next …]), (_SAVE, next), (_MATCH, 0)."""

    def __init__(self, pattern: str) -> None:
        tree, groups = _Reader(pattern).read()
        self._last_group = groups
        self.code: list[tuple[int, Any]] = [(_MATCH, 0), (_MATCH_AT_END, 0)]
        self.first = self._emit(tree, 0)

    def _add(self, operation: int, argument: object) -> int:
        self.code.append((operation, argument))
        return len(self.code) - 1

    def _emit(self, node: Node, after: int) -> int:
        kind, value = node
        if kind == "digits":
            return self._add(value, after)
        if kind == "all":
            for part in reversed(value):
                after = self._emit(part, after)
            return after
        if kind == "any":
            return self._add(_SPLIT, [self._emit(part, after) for part in value])
        if kind == "group":
            number, body = value
            return self._emit(body, self._add(_SAVE, after) if number == self._last_group else after)
        if kind == "end":
            if after != 0:
                raise ValueError("an end that is not at the end")
            return 1
        body, least, most = value
        skip = after
        for _ in range(most - least):
            after = self._add(_SPLIT, [self._emit(body, after), skip])
        for _ in range(least):
            after = self._emit(body, after)
        return after

    def close(
        self, threads: list[tuple[int, bool]], *, whole: bool
    ) -> tuple[list[tuple[int, bool]], int, int]:
        """Follows all steps that read nothing.

        Args:
            threads: (instruction, whether the last group has been passed), the preferred first.
            whole: All threads go on; otherwise those less preferred than a match are dropped.

        Returns:
            The threads that wait for a digit, what has matched here, and what if the text ends here.
        """
        kept: list[tuple[int, bool]] = []
        seen: set[int] = set()
        found = at_end = 0
        stack = list(reversed(threads))
        while stack:
            pc, saved = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            operation, argument = self.code[pc]
            if operation >= 0:
                kept.append((pc, saved))
            elif operation == _SPLIT:
                stack.extend((target, saved) for target in reversed(argument))
            elif operation == _SAVE:
                stack.append((argument, True))
            else:
                at_end = at_end or (TRANSFORMED if saved else PLAIN)
                if operation == _MATCH:
                    found = found or (TRANSFORMED if saved else PLAIN)
                    if not whole:
                        break
        return kept, found, at_end


class _Reader:
    """Reads the regular expressions that number plans are written in: digits, sets, groups, repetition."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._groups = 0

    def read(self) -> tuple[Node, int]:
        """Returns the tree and the number of capturing groups; ValueError for anything not understood."""
        tree = self._alternatives()
        if self._at != len(self._text):
            raise ValueError(f"not understood at {self._at}: {self._text}")
        return tree, self._groups

    def _take(self, wanted: str) -> bool:
        found = self._text.startswith(wanted, self._at)
        self._at += len(wanted) if found else 0
        return found

    def _alternatives(self) -> Node:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return ("any", parts) if len(parts) > 1 else parts[0]

    def _sequence(self) -> Node:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._item()))
        return ("all", parts)

    def _item(self) -> Node:
        if self._take("$"):
            return ("end", None)
        if self._take("\\d"):
            return ("digits", _DIGIT)
        if self._take("["):
            return ("digits", self._set())
        if self._take("(?:"):
            return self._closed(self._alternatives())
        if self._take("(?"):
            raise ValueError("a group of another kind")
        if self._take("("):
            self._groups += 1
            number = self._groups
            return ("group", (number, self._closed(self._alternatives())))
        return ("digits", 1 << self._digit())

    def _closed(self, body: Node) -> Node:
        if not self._take(")"):
            raise ValueError("a group is not closed")
        return body

    def _digit(self) -> int:
        digit = self._text[self._at : self._at + 1]
        if not (digit.isascii() and digit.isdigit()):
            raise ValueError(f"no digit: {digit!r}")
        self._at += 1
        return int(digit)

    def _set(self) -> int:
        mask = 0
        while not self._take("]"):
            if self._take("\\d"):
                mask = _DIGIT
                continue
            low = self._digit()
            high = self._digit() if self._take("-") else low
            for digit in range(low, high + 1):
                mask |= 1 << digit
        return mask

    def _repeated(self, item: Node) -> Node:
        if self._take("?"):
            least, most = 0, 1
        elif self._take("{"):
            numbers, closed, _ = self._text[self._at :].partition("}")
            self._at += len(numbers) + len(closed)
            low, _, high = numbers.partition(",")
            least, most = int(low), int(high or low)
        else:
            return item
        if self._text[self._at : self._at + 1] in ("?", "+"):
            raise ValueError("repetition that is not greedy")
        return ("repeat", (item, least, most))
