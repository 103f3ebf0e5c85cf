"""Labels beside marks, in as many rows as keep them apart on the narrowest screen."""

from dataclasses import dataclass, field
from typing import Final

from ringfence.report.words import Both

NARROWEST: Final = 330
"""Width of a picture on a telephone, px."""
_LATIN, _HAN, _STRONG = 6.9, 12.2, 1.12
_WIDE: Final = 0x2E80  # from here on letters are as wide as Chinese ones
_ROW: Final = 16
_APART: Final = 6
MOST_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class Label:
    """Words beside a mark: left of it (`end`) or right, `dx` px from it, on a base line."""

    y: float
    text: Both
    end: bool
    dx: float


@dataclass(slots=True)
class Rows:
    """Rows of labels below each other: base line of the first, distance of a label from its mark, px."""

    top: float
    offset: float = 6
    _taken: list[list[tuple[float, float]]] = field(default_factory=list)

    @property
    def used(self) -> int:
        """How many rows there are."""
        return len(self._taken)

    def place(self, x: float, text: Both, *, strong: bool = False) -> Label | None:
        """Find room for the words of a mark at x per cent; None: there is none.

        The other side of the mark is tried before a further row.
        """
        width = pixels(text) * (_STRONG if strong else 1.0) + _APART
        at = x / 100 * NARROWEST
        spans = [
            (at + self.offset, at + self.offset + width, False),
            (at - self.offset - width, at - self.offset, True),
        ]
        fitting = [span for span in spans if span[0] >= -2 and span[1] <= NARROWEST + 2]
        for row in range(MOST_ROWS):
            taken = self._taken[row] if row < len(self._taken) else []
            for low, high, end in fitting if x <= 55 else reversed(fitting):
                if all(high <= a or low >= b for a, b in taken):
                    if row == len(self._taken):
                        self._taken.append([])
                    self._taken[row].append((low, high))
                    return Label(self.top + row * _ROW, text, end, -self.offset if end else self.offset)
        return None


def pixels(text: Both) -> float:
    """About how wide a text is in the pictures' letters: the wider of both languages."""
    return max(sum(_HAN if ord(c) >= _WIDE else _LATIN for c in one) for one in text)
