"""Telephone numbers as 64-bit integers: whole Arrow columns at a time, in compiled code.

A number is one of

========================  ==========================================================================
``0``                     withheld
``1 … 10^15 - 1``         E.164: its digits
bit 60                    local digits (110, 10086, an extension): ``int("1" + digits)`` in bits 0 to 57;
                          bit 59 is set if they were written with a plus and are no possible number
bit 61                    a name (a SIP user) of up to 10 common characters, 6 bits each
bit 62                    any other name: a 60-bit hash, whose text may be kept in `Names`
========================  ==========================================================================

What is a possible number, and which, is decided as the library ``phonenumbers`` decides it, with one
difference: digits without a country code that can only be dialled inside an area (10086 in China) are
local digits, because the area is not known.
"""

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import types
from numba.extending import intrinsic

from ringfence.compiled import entry as _compiled
from ringfence.model.automata import STATE_FOUND, STATE_FOUND_AT_END, TRANSFORMED
from ringfence.model.number_plan import (
    ZONE_CODE,
    ZONE_IDD,
    ZONE_LOCAL,
    ZONE_NATIONAL,
    ZONE_POSSIBLE,
    ZONE_PREFIX,
    plans,
)

if TYPE_CHECKING:
    _Array = TypeVar("_Array")

    def _pointer(array: _Array) -> _Array: ...
else:

    @intrinsic
    def _pointer(_: Any, array: types.Array) -> tuple[Any, Any]:
        # The bare address of an array's data. Compiled code counts references at every call that hands on an
        # array, which made it five times slower; whoever takes the address keeps the array alive.
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return context.make_array(signature.args[0])(context, builder, arguments[0]).data

        return types.CPointer(array.dtype)(array), code


WITHHELD: Final = 0
_E164_END: Final = 10**15  # E.164: at most 15 digits
_PLUS: Final = 1 << 59
_LOCAL: Final = 1 << 60
_PACKED: Final = 1 << 61
_HASHED: Final = 1 << 62
_DIGITS_END: Final = 1 << 58  # above int("1" + 17 digits)
_HASH_MASK: Final = (1 << 60) - 1
_MAX_LOCAL: Final = 17
_MAX_READ: Final = 40  # longer than any prefixes and 15 digits together
_MAX_TEXT: Final = 250  # phonenumbers reads no longer text
_MAX_WORD: Final = 24  # bytes of the longest word for "withheld"

# Answers of compiled code that are no numbers
_ASK_LIBRARY: Final = -1  # the plan rewrites this number by a rule
_ASK_TEXT: Final = -2  # the text has escapes, a phone-context, or characters a name cannot show as they are

_SYMBOLS: Final = "abcdefghijklmnopqrstuvwxyz0123456789._-+*#~!$&='(),/?:[]{}^|%\\ "
_TRIM: Final = "".join(map(chr, range(33)))
# RFC 3323 has "anonymous"; the others are what switches, phones and databases write.
_WITHHELD_WORDS: Final = (
    "anonymous",
    "anonymouscaller",
    "unavailable",
    "numberunavailable",
    "notavailable",
    "restricted",
    "private",
    "privatenumber",
    "privatecaller",
    "unknown",
    "unknownnumber",
    "unknowncaller",
    "callerunknown",
    "withheld",
    "numberwithheld",
    "withheldnumber",
    "blocked",
    "blockednumber",
    "hidden",
    "hiddennumber",
    "nocallerid",
    "nonumber",
    "noid",
    "outofarea",
    "undisclosed",
    "suppressed",
    "null",
    "none",
    "nil",
    "n/a",
    "\\n",
    "匿名",
    "未知",
    "未知号码",
    "私人号码",
    "隐藏号码",
    "保密号码",
    "号码保密",
    "无号码",
    "无来电显示",
)

_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3


def _fnv1a(text: str) -> int:
    value = _FNV_OFFSET
    for byte in text.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return value


def _marks(characters: str) -> npt.NDArray[np.uint8]:
    marks = np.zeros(256, np.uint8)
    marks[np.frombuffer(characters.encode(), np.uint8)] = 1
    return marks


# Constants of compiled code
_DIGIT, _SEPARATOR, _WIDE = 1, 2, 4
_KIND: Final = _marks("0123456789") * _DIGIT + _marks(" -./()") * _SEPARATOR
_KIND[128:] = _WIDE
_ADDRESS_MARK: Final = _marks('"<>@;:%')
_UNFIT: Final = _marks('"<>@;:%\x7f' + "".join(map(chr, range(32))))  # must be escaped in a name
_SYMBOL_CODE: Final = np.zeros(256, np.int64)
_SYMBOL_CODE[np.frombuffer(_SYMBOLS.encode(), np.uint8)] = np.arange(1, len(_SYMBOLS) + 1)
_SYMBOL_BYTE: Final = np.frombuffer(("\0" + _SYMBOLS).encode(), np.uint8).copy()
_WORD_HASH: Final = np.array([_fnv1a(word) for word in _WITHHELD_WORDS], np.uint64)
_ANONYMOUS_HOST: Final = np.frombuffer(b"anonymous.invalid", np.uint8).copy()  # RFC 3323, 4.1.1.3
_PHONE_CONTEXT: Final = np.frombuffer(b"phone-context=", np.uint8).copy()  # RFC 3966, 3
_U64_OFFSET: Final = np.uint64(_FNV_OFFSET)
_U64_PRIME: Final = np.uint64(_FNV_PRIME)
_U64_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)
_U64_32: Final = np.uint64(32)
_U64_HASH_MASK: Final = np.uint64(_HASH_MASK)

_NOTHING: Final = np.frombuffer(b"", np.uint8)

Numbers = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]
_Ints = npt.NDArray[np.int32]


@_compiled
def is_e164(number: int) -> bool:
    """Whether a number is an E.164 number. May be called from compiled code."""
    return 0 < number < _E164_END


@_compiled
def is_withheld(number: int) -> bool:
    """Whether a number was withheld. May be called from compiled code."""
    return number == WITHHELD


# --- Digits to a number: the steps of phonenumbers.parse and is_possible_number. Texts are data[at:end]. ---
# Each function is called in few places and depth is kept low: the compiler repeats its work for every call.


@_compiled
def _matches(table: _Ints, state: int, data: _Bytes, at: int, end: int) -> bool:
    for i in range(at, end):
        if state == 0:
            return False
        state = table[state + data[i] - 48]
    return state != 0 and table[state + STATE_FOUND_AT_END] != 0


@_compiled
def _prefix_end(table: _Ints, state: int, data: _Bytes, at: int, end: int) -> tuple[int, int]:
    # Where the preferred match ends (-1: there is none) and its kind.
    last, kind = -1, 0
    for i in range(at, end + 1 if state > 0 else at):
        found = table[state + STATE_FOUND_AT_END] if i == end else table[state + STATE_FOUND]
        if found != 0:
            last, kind = i, found
        if i < end:
            state = table[state + data[i] - 48]
            if state == 0:
                break
    return last, kind


@_compiled
def _country(table: _Ints, data: _Bytes, at: int, end: int) -> tuple[int, int]:
    # The zone that a country code names (0: there is none) and where the national number begins.
    code = 0
    for i in range(at, min(at + 3, end)):
        code = code * 10 + data[i] - 48
        if code == 0:
            break
        if table[code] > 0:
            return table[code], i + 1
    return 0, at


@_compiled
def _without_prefix(table: _Ints, zone: int, data: _Bytes, at: int, end: int) -> int:
    # Where the number begins once its national prefix is taken off, or _ASK_LIBRARY.
    prefix, national = table[zone + ZONE_PREFIX], table[zone + ZONE_NATIONAL]
    if at == end or prefix == 0:
        return at
    if prefix < 0 or national < 0:
        return _ASK_LIBRARY
    after, kind = _prefix_end(table, prefix, data, at, end)
    if kind == TRANSFORMED:
        return _ASK_LIBRARY
    if after <= at or (
        _matches(table, national, data, at, end) and not _matches(table, national, data, after, end)
    ):
        return at
    return after


@_compiled
def _too_long(table: _Ints, zone: int, length: int) -> bool:
    return bool(table[zone + ZONE_LOCAL] >> length & 1 == 0 and table[zone + ZONE_POSSIBLE] >> length == 0)


@_compiled
def _width(code: int) -> int:
    return 1 if code < 10 else 2 if code < 100 else 3


@_compiled
def _own_country(table: _Ints, zone: int, data: _Bytes, end: int) -> int:
    # Digits that begin with the zone's own country code and make a better number without it: where that begins.
    # 0: they do not, or _ASK_LIBRARY.
    code, national = table[zone + ZONE_CODE], table[zone + ZONE_NATIONAL]
    width = _width(code)
    lead = 0
    for i in range(min(width, end)):
        lead = lead * 10 + data[i] - 48
    if lead != code:
        return 0
    after = _without_prefix(table, zone, data, width, end)
    if after < 0 or national < 0:
        return _ASK_LIBRARY
    if _too_long(table, zone, end):
        return after
    return (
        0
        if _matches(table, national, data, 0, end) or not _matches(table, national, data, after, end)
        else after
    )


@_compiled
def _possible(table: _Ints, zone: int, data: _Bytes, end: int, plus: bool) -> int:
    # An E.164 number, 0 if the digits are no possible number, or _ASK_LIBRARY.
    if end < 3:  # no plan has so short a number
        return 0
    at, other = 0, 0
    if plus:
        other, at = _country(table, data, 0, end)
    if other == 0:
        if table[zone + ZONE_IDD] < 0:
            return _ASK_LIBRARY
        after, _ = _prefix_end(table, table[zone + ZONE_IDD], data, 0, end)
        if after >= 0 and not (after < end and data[after] == 48):
            other, at = _country(table, data, after, end)
            if other == 0 or end - after < 3:
                return 0
        elif plus:
            return 0
    if other == 0:
        at = _own_country(table, zone, data, end)
        if at < 0:
            return at
        if at > 0:
            other = table[table[zone + ZONE_CODE]]
    return _possible_in(table, other if other > 0 else zone, data, at, end, other > 0)


@_compiled
def _possible_in(table: _Ints, zone: int, data: _Bytes, at: int, end: int, coded: bool) -> int:
    # The number whose national part is data[at:end], 0 if it is not possible, or _ASK_LIBRARY.
    if end - at < 2:
        return 0
    after = _without_prefix(table, zone, data, at, end)
    if after < 0:
        return after
    if table[zone + ZONE_POSSIBLE] >> (end - after) & 1 or _too_long(table, zone, end - after):
        at = after
    length = end - at
    code = table[zone + ZONE_CODE]
    main = table[code]
    if table[main + ZONE_POSSIBLE] >> length & 1 == 0 and not (
        coded and table[main + ZONE_LOCAL] >> length & 1
    ):
        return 0
    if length + _width(code) > 15:
        return 0
    value: int = 0 + code
    for i in range(at, end):
        value = value * 10 + data[i] - 48
    return value


@_compiled
def _local(data: _Bytes, end: int, plus: bool) -> int:
    # Up to 17 digits as they are; 0: there are more.
    if end > _MAX_LOCAL:
        return 0
    value = 1
    for i in range(end):
        value = value * 10 + data[i] - 48
    return _LOCAL | value | (_PLUS if plus else 0)


# --- Text to a number ---


@_compiled
def _hash(data: _Bytes, at: int, end: int) -> int:
    value = _U64_OFFSET  # FNV-1a, then mixed so that all 60 bits depend on all bytes
    for i in range(at, end):
        value = (value ^ np.uint64(data[i])) * _U64_PRIME
    value = (value ^ (value >> _U64_32)) * _U64_MIX
    mixed = (value ^ (value >> _U64_32)) & _U64_HASH_MASK
    return _HASHED | int(np.int64(mixed))


@_compiled
def _name(data: _Bytes, at: int, end: int) -> int:
    if end - at > 10:
        return _hash(data, at, end)
    packed = 0
    for i in range(at, end):
        code = _SYMBOL_CODE[data[i]]
        if code == 0:
            return _hash(data, at, end)
        packed |= code << (6 * (i - at))
    return _PACKED | packed


@_compiled
def _lower(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


@_compiled
def _is_withheld_word(data: _Bytes, at: int, end: int) -> bool:
    if end - at > _MAX_WORD:
        return False
    value = _U64_OFFSET
    for i in range(at, end):
        byte = data[i]
        if byte not in (32, 45, 46, 95):  # space - . _
            value = (value ^ np.uint64(_lower(byte))) * _U64_PRIME
    for word in _WORD_HASH:  # noqa: SIM110
        if word == value:
            return True
    return False


@_compiled
def _hash_form(data: _Bytes, at: int, end: int) -> int:
    # "~" and 15 hexadecimal digits, as a hash without its text is printed; 0 if it is something else.
    if end - at != 16 or data[at] != 126:
        return 0
    value = 0
    for i in range(at + 1, end):
        byte = data[i]
        if 48 <= byte <= 57:
            value = value << 4 | (byte - 48)
        elif 97 <= byte <= 102:
            value = value << 4 | (byte - 87)
        else:
            return 0
    return _HASHED | value


@_compiled
def _wide(data: _Bytes, at: int, end: int) -> tuple[int, int]:
    # A character outside ASCII: "0" to "9", "+", or " " for a separator (0: something else); bytes taken.
    first, second = data[at], data[at + 1] if at + 1 < end else 0
    third = data[at + 2] if at + 2 < end else 0
    if first == 0xC2:
        return (32 if second in (0xA0, 0xAD) else 0), 2  # no-break space, soft hyphen
    if first == 0xD9 and 0xA0 <= second <= 0xA9:  # Arabic-Indic digits
        return second - 0xA0 + 48, 2
    if first == 0xDB and 0xB0 <= second <= 0xB9:  # and their eastern forms
        return second - 0xB0 + 48, 2
    if first == 0xEF and second == 0xBC:  # full-width forms
        if 0x90 <= third <= 0x99:
            return third - 0x90 + 48, 3
        if third == 0x8B:
            return 43, 3
        return (32 if third in (0x88, 0x89, 0x8D, 0x8E, 0x8F) else 0), 3  # （ ） － ． ／
    if first == 0xE2 and second == 0x80:
        return (32 if third == 0x8B or 0x90 <= third <= 0x95 else 0), 3  # zero-width space, dashes
    if first == 0xE2 and second == 0x88:
        return (32 if third == 0x92 else 0), 3  # minus
    if first == 0xE3 and second == 0x80:
        return (32 if third == 0x80 else 0), 3  # ideographic space
    return 0, 1


@_compiled
def _read_digits(data: _Bytes, at: int, end: int, scratch: _Bytes) -> tuple[int, bool, int]:
    # How many digits (-1: the text has other characters than those of a number), a plus, all characters.
    digits, plus, signs, characters, i = 0, False, True, 0, at
    while i < end:
        byte, width = data[i], 1
        kind = _KIND[byte]
        if kind == _WIDE:
            byte, width = _wide(data, i, end)
            kind = _KIND[byte]
        if kind == _DIGIT:
            if digits < _MAX_READ:
                scratch[digits] = byte
            digits += 1
        elif byte == 43 and digits == 0 and (not plus or signs):
            plus = signs = True
        elif kind != _SEPARATOR:
            return -1, plus, characters
        if byte != 43:
            signs = False
        characters += 1
        i += width
    return digits, plus, characters


@_compiled
def _word(data: _Bytes, at: int, end: int) -> int:
    # A text that has other characters than those of a number.
    if _is_withheld_word(data, at, end):
        return WITHHELD
    value = _hash_form(data, at, end)
    if value != 0:
        return value
    for i in range(at, end):
        if _UNFIT[data[i]]:
            return _ASK_TEXT
    return _name(data, at, end)


@_compiled
def _find(data: _Bytes, at: int, end: int, byte: int) -> int:
    for i in range(at, end):
        if data[i] == byte:
            return i
    return -1


@_compiled
def _starts(data: _Bytes, at: int, end: int, word: _Bytes, length: int) -> bool:
    if end - at < length:
        return False
    for i in range(length):  # noqa: SIM110
        if _lower(data[at + i]) != word[i]:
            return False
    return True


@_compiled
def _trimmed(data: _Bytes, at: int, end: int) -> tuple[int, int]:
    while at < end and data[at] <= 32:
        at += 1
    while at < end and data[end - 1] <= 32:
        end -= 1
    return at, end


@_compiled
def _inside(data: _Bytes, at: int, end: int) -> tuple[int, int]:
    # The URI of a name-addr (RFC 3261, 20.10), or the text without its quotes.
    after = at
    if data[at] == 34:  # a quoted display name may hold any character, a quote after a backslash
        i = at + 1
        while i < end and data[i] != 34:
            i += 2 if data[i] == 92 else 1
        after = i + 1 if i < end else at
    left = _find(data, after, end, 60)
    if left >= 0:
        right = _find(data, left, end, 62)
        return _trimmed(data, left + 1, right if right >= 0 else end)
    if after == end and end - at >= 2:
        return _trimmed(data, at + 1, end - 1)
    return at, end


@_compiled
def _scheme(data: _Bytes, at: int, end: int) -> tuple[int, int]:
    # 0: none, 1: sip or sips, 2: tel; and where the rest begins.
    if end - at < 4:
        return 0, at
    a, b, c = _lower(data[at]), _lower(data[at + 1]), _lower(data[at + 2])
    if a == 116 and b == 101 and c == 108 and data[at + 3] == 58:
        return 2, at + 4
    if a == 115 and b == 105 and c == 112:
        if data[at + 3] == 58:
            return 1, at + 4
        if end - at > 4 and _lower(data[at + 3]) == 115 and data[at + 4] == 58:
            return 1, at + 5
    return 0, at


@_compiled
def _address(data: _Bytes, at: int, end: int) -> tuple[int, int, bool]:
    # Where the user part lies (empty: nobody is named), and whether a phone-context belongs to it.
    scheme, at = _scheme(data, at, end)
    if scheme == 0:
        at, end = _inside(data, at, end)
        scheme, at = _scheme(data, at, end)
    host = _find(data, at, end, 64) if scheme < 2 else -1
    if host >= 0:
        if _starts(data, host + 1, end, _pointer(_ANONYMOUS_HOST), len(_ANONYMOUS_HOST)):
            return at, at, False
        end = host
        password = _find(data, at, end, 58)
        if password >= 0:
            end = password
    elif scheme == 1:  # a user without a host, or a host without a user
        for i in range(at, end):
            if data[i] == 63 or (data[i] == 58 and data[at] != 91):
                end = i
                break
    context = _find(data, at, end, 59)
    if context >= 0:
        start, stop, end = context + 1, end, context
        while start > 0:
            if _starts(data, start, stop, _pointer(_PHONE_CONTEXT), len(_PHONE_CONTEXT)):
                at, end = _trimmed(data, at, end)
                return at, end, True
            start = _find(data, start, stop, 59) + 1
    at, end = _trimmed(data, at, end)
    return at, end, False


@_compiled
def _text(table: _Ints, zone: int, data: _Bytes, at: int, end: int, bare: bool, scratch: _Bytes) -> int:
    # `bare`: the text is the user part of an address already.
    at, end = _trimmed(data, at, end)
    if at == end:
        return WITHHELD
    plus = data[at] == 43
    i = start = at + 1 if plus else at
    while i < min(end, start + _MAX_READ) and 48 <= data[i] <= 57:
        scratch[i - start] = data[i]
        i += 1
    digits = characters = i - start
    if i < end or digits == 0:  # not the usual form, digits only
        while i < end and _ADDRESS_MARK[data[i]] == 0:
            i += 1
        if i < end and not bare:
            at, end, context = _address(data, at, end)
            if at >= end:
                return WITHHELD
            if context or _find(data, at, end, 37) >= 0:
                return _ASK_TEXT
        digits, plus, characters = _read_digits(data, at, end, scratch)
        if digits < 0:
            return _word(data, at, end)
        if digits == 0 and not plus:
            return WITHHELD
    value = 0
    if digits <= _MAX_READ and characters <= _MAX_TEXT:
        value = _possible(table, zone, scratch, digits, plus)
    if value == 0:
        value = _local(scratch, digits, plus)
    return value if value != 0 else _name(data, at, end)


@_compiled
def _as_written(table: _Ints, data: _Bytes, at: int, end: int) -> int:
    # A plus and the digits of a possible number with no national prefix among them, the usual form: the number that
    # `_text` would find step by step. 0: it has another form.
    if not 4 < end - at <= 16 or data[at] != 43:
        return 0
    value = 0
    for i in range(at + 1, end):
        digit = data[i] - 48
        if digit < 0 or digit > 9:
            return 0
        value = value * 10 + digit
    zone, national = _country(table, data, at + 1, end)
    if zone == 0 or table[zone + ZONE_NATIONAL] < 0:
        return 0
    if (table[zone + ZONE_POSSIBLE] | table[zone + ZONE_LOCAL]) >> (end - national) & 1 == 0:
        return 0
    prefix = table[zone + ZONE_PREFIX]
    if prefix < 0 or _prefix_end(table, prefix, data, national, end)[0] >= 0:
        return 0
    return value


@_compiled
def _parse(
    table: _Ints,
    zone: int,
    data: _Bytes,
    offsets: Numbers,
    valid: _Bytes,
    first: int,
    bare: bool,
    scratch: _Bytes,
    out: Numbers,
) -> int:
    # Fills `out`; returns how many rows compiled code cannot decide. An empty `valid` means no nulls.
    plan, text, digits = _pointer(table), _pointer(data), _pointer(scratch)
    undecided = 0
    for row in range(len(out)):
        bit = first + row
        if len(valid) > 0 and valid[bit >> 3] >> (bit & 7) & 1 == 0:
            out[row] = WITHHELD
        else:
            value = _as_written(plan, text, offsets[row], offsets[row + 1])
            out[row] = value or _text(plan, zone, text, offsets[row], offsets[row + 1], bare, digits)
            undecided += out[row] < 0
    return undecided


@_compiled
def _name_of(data: _Bytes) -> int:
    return _name(_pointer(data), 0, len(data))


@_compiled
def _address_of(data: _Bytes) -> tuple[int, int, bool]:
    return _address(_pointer(data), 0, len(data))


# --- A number to text ---


@_compiled
def _text_length(number: int) -> int:
    if number == WITHHELD:
        return 0
    if number & _HASHED:
        return 16
    length = 0
    if number & _PACKED:
        while length < 10 and number >> (6 * length) & 63:
            length += 1
        return length
    value = number & (_DIGITS_END - 1)
    while value > 0:
        value //= 10
        length += 1
    if number & _LOCAL:  # the 1 in front is not shown
        return length if number & _PLUS else length - 1
    return length + 1


@_compiled
def _write_text(number: int, data: _Bytes, at: int, end: int) -> None:
    if number & _HASHED:
        data[at] = 126
        for i in range(15):
            digit = number >> (56 - 4 * i) & 15
            data[at + 1 + i] = digit + 48 if digit < 10 else digit + 87
    elif number & _PACKED:
        for i in range(end - at):
            data[at + i] = _SYMBOL_BYTE[number >> (6 * i) & 63]
    else:
        if number & _LOCAL == 0 or number & _PLUS:
            data[at] = 43
            at += 1
        value = number & (_DIGITS_END - 1)
        for i in range(end - 1, at - 1, -1):
            data[i] = value % 10 + 48
            value //= 10


@_compiled
def _offsets(numbers: Numbers) -> Numbers:
    offsets = np.zeros(len(numbers) + 1, np.int64)
    for row in range(len(numbers)):
        offsets[row + 1] = offsets[row] + _text_length(numbers[row])
    return offsets


@_compiled
def _write_texts(numbers: Numbers, offsets: Numbers, data: _Bytes) -> None:
    for row in range(len(numbers)):
        if numbers[row] != WITHHELD:
            _write_text(numbers[row], _pointer(data), offsets[row], offsets[row + 1])


class Names:
    """The texts behind hashed names, as many as fit; the one not seen for longest is dropped first."""

    def __init__(self, limit: int = 1_000_000) -> None:
        """Keeps nothing yet.

        Args:
            limit: How many texts are kept at most.
        """
        self._limit = limit
        self._texts: OrderedDict[int, str] = OrderedDict()  # a dict takes long to find its first entry

    @classmethod
    def of_lists(cls, numbers: Iterable[int], texts: Iterable[str], limit: int = 1_000_000) -> "Names":
        """Restores what `to_lists` gave. Raises ValueError if the lists differ in length."""
        names = cls(limit)
        for number, text in zip(numbers, texts, strict=True):
            names.add(number, text)
        return names

    def to_lists(self) -> tuple[list[int], list[str]]:
        """The numbers and their texts, the one not seen for longest first."""
        return list(self._texts), list(self._texts.values())

    def add(self, number: int, text: str) -> None:
        """Keeps the text of a number, as the one seen last."""
        self._texts[number] = text
        self._texts.move_to_end(number)
        while len(self._texts) > self._limit:
            self._texts.popitem(last=False)

    def see(self, number: int) -> bool:
        """Marks a number as seen last; returns whether its text is known."""
        known = number in self._texts
        if known:
            self._texts.move_to_end(number)
        return known

    def get(self, number: int) -> str | None:
        """The text of a number, or None if it is not known."""
        return self._texts.get(number)

    def __len__(self) -> int:
        return len(self._texts)


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """Reads telephone numbers as they are written and dialled in one country.

    Attributes:
        country: Two letters, ISO 3166.
    """

    country: str
    _table: _Ints = field(repr=False, compare=False)
    _zone: int = field(repr=False, compare=False)

    @classmethod
    def of(cls, country: str) -> "NumberPlan":
        """The plan of a country.

        Args:
            country: Its two letters, such as ``CN``, ``GB`` or ``US``, in any case.

        Raises:
            ValueError: There is no such country.
        """
        table, zones = plans()
        known = country.strip().upper()
        if known not in zones:
            raise ValueError(f"unknown country {country!r}: two letters are needed, such as CN, GB or US")
        return cls(known, table, zones[known])

    def parse(self, column: pa.Array | pa.ChunkedArray, names: Names | None = None) -> Numbers:
        """Reads a column of telephone numbers, SIP or tel addresses.

        Args:
            column: Strings of any Arrow type, dictionaries of strings, integers, or nulls; n rows.
            names: Where to keep the texts of names that do not fit into an integer.

        Returns:
            (n,) the numbers. No text is an error; what is no number is a name.

        Raises:
            TypeError: The column does not hold text.
        """
        if isinstance(column, pa.ChunkedArray):
            parts = [self.parse(chunk, names) for chunk in column.chunks]
            return np.concatenate(parts) if parts else np.empty(0, np.int64)
        if pa.types.is_dictionary(column.type):
            return self._parse_dictionary(column, names)
        column = _as_strings(column)
        data, offsets, valid = _buffers(column)
        numbers = np.empty(len(column), np.int64)
        undecided = _parse(
            self._table, self._zone, data, offsets, valid, column.offset, False, _scratch(), numbers
        )
        if undecided:
            self._decide(column, numbers)
        if names is not None:
            _keep_names(column, numbers, names)
        return numbers

    def parse_one(self, text: str | None) -> int:
        """Reads one telephone number; for many, `parse` is faster by far."""
        if text is None:
            return WITHHELD
        value = self._compiled_one(text, bare=False)
        return value if value >= 0 else self._decide_one(text)

    def _compiled_one(self, text: str, *, bare: bool) -> int:
        data, number = _encoded(text), np.empty(1, np.int64)
        _parse(self._table, self._zone, data, np.array([0, len(data)]), _NOTHING, 0, bare, _scratch(), number)
        return int(number[0])

    def _parse_dictionary(self, column: pa.DictionaryArray, names: Names | None) -> Numbers:
        values = self.parse(column.dictionary, names)
        rows = pc.fill_null(column.indices.cast(pa.int64()), len(values)).to_numpy(zero_copy_only=False)
        found: Numbers = np.append(values, WITHHELD)[rows]
        return found

    def _decide(self, column: pa.Array, numbers: Numbers) -> None:
        rows = np.flatnonzero(numbers < 0)
        distinct = column.take(pa.array(rows)).dictionary_encode()
        decided = [self._decide_one(text) for text in _to_python(distinct.dictionary)]
        numbers[rows] = np.array(decided, np.int64)[distinct.indices.to_numpy()]

    def _decide_one(self, text: str) -> int:
        # The rare forms, one at a time: escapes, phone-context, rewriting rules, names with odd characters.
        user, context = _user_part(text)
        user = unquote(user).strip(_TRIM)
        if not user:
            return WITHHELD
        value = self._compiled_one(user, bare=True)
        if value == _ASK_TEXT:
            return int(_name_of(_encoded(_shown(user))))
        digits, plus = _digits(user)
        numeric = value == _ASK_LIBRARY or is_e164(value) or bool(value & _LOCAL)
        if numeric and context.startswith("+") and not plus:
            # RFC 3966, 5.1.5: a global prefix belongs in front of a local number.
            return self._judge(f"tel:{digits};phone-context={context}") or _local_digits(user)
        if value == _ASK_LIBRARY:
            return self._judge(user) or _local_digits(user)
        return value

    def _judge(self, text: str) -> int:
        # An E.164 number by the library itself, or 0.
        import phonenumbers as library

        try:
            number = library.parse(text, self.country, keep_raw_input=True)
        except library.NumberParseException:
            return 0
        reason = library.is_possible_number_with_reason(number)
        coded = number.country_code_source != library.CountryCodeSource.FROM_DEFAULT_COUNTRY
        possible = reason == library.ValidationResult.IS_POSSIBLE or (
            coded and reason == library.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        )
        value = int(f"{number.country_code}{library.national_significant_number(number)}")
        return value if possible and value < _E164_END else 0


def to_text(number: int, names: Names | None = None) -> str | None:
    """A number as people write it.

    Args:
        number: From `NumberPlan.parse`.
        names: The texts of names, as given to `NumberPlan.parse`.

    Returns:
        ``+8613800000001``, ``10086``, ``alice``; ``~`` and 15 hexadecimal digits for a name whose text is
        not known; None for a withheld number.
    """
    if number == WITHHELD:
        return None
    known = names.get(number) if names is not None else None
    if known is not None:
        return known
    one = np.array([number], np.int64)
    offsets = _offsets(one)
    data = np.empty(int(offsets[1]), np.uint8)
    _write_texts(one, offsets, data)
    return data.tobytes().decode("ascii")


def to_texts(numbers: Numbers, names: Names | None = None) -> pa.StringArray:
    """A column of numbers as people write them.

    Args:
        numbers: (n,) from `NumberPlan.parse`.
        names: The texts of names, as given to `NumberPlan.parse`.

    Returns:
        n strings as `to_text` gives them, null for a withheld number.

    Raises:
        ValueError: The text would be larger than one Arrow array holds (2 GiB).
    """
    numbers = np.ascontiguousarray(numbers, np.int64)
    offsets = _offsets(numbers)
    if offsets[-1] >= 1 << 31:
        raise ValueError("too many numbers for one column of text: give them in parts")
    data = np.empty(int(offsets[-1]), np.uint8)
    _write_texts(numbers, offsets, data)
    shown = numbers != WITHHELD
    valid = None if shown.all() else pa.py_buffer(np.packbits(shown, bitorder="little"))
    buffers = pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)
    texts = pa.StringArray.from_buffers(len(numbers), buffers[0], buffers[1], valid)
    return texts if names is None else _with_names(texts, numbers, names)


def _with_names(texts: pa.StringArray, numbers: Numbers, names: Names) -> pa.StringArray:
    hashed = numbers & _HASHED != 0
    if not hashed.any():
        return texts
    known = pa.array([to_text(int(number), names) for number in numbers[hashed]], pa.string())
    return pc.replace_with_mask(texts, pa.array(hashed), known)


def _as_strings(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_string_view(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.cast(pa.large_string())
    raise TypeError(f"telephone numbers are text, this column is {kind}")


def _buffers(column: pa.Array) -> tuple[_Bytes, Numbers, _Bytes]:
    # Bytes, (n + 1,) offsets of the rows, bits of the rows that are not null (empty: all, from bit 0 of the buffer).
    valid, offsets, data = column.buffers()
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    if len(column) == 0:
        return _NOTHING, np.zeros(1, np.int64), _NOTHING
    rows = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1]
    return (
        _NOTHING if data is None or data.size == 0 else _bytes(data),
        rows.astype(np.int64),
        _NOTHING if valid is None or column.null_count == 0 else _bytes(valid),
    )


def _bytes(buffer: pa.Buffer | bytes) -> _Bytes:
    # Always read-only, so that compiled code is compiled once only.
    view = np.frombuffer(buffer, np.uint8)
    view.flags.writeable = False
    return view


def _to_python(column: pa.Array) -> Iterator[str]:
    # Files lie: bytes that are no UTF-8 are shown as replacement characters, not raised.
    for value in column.cast(pa.large_binary()):
        yield value.as_buffer().to_pybytes().decode("utf-8", "replace")


def _keep_names(column: pa.Array, numbers: Numbers, names: Names) -> None:
    rows = np.flatnonzero(numbers & _HASHED)
    if len(rows) == 0:
        return
    _, first = np.unique(numbers[rows], return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[[not names.see(int(number)) for number in numbers[rows]]]
    for number, text in zip(numbers[rows], _to_python(column.take(pa.array(rows))), strict=True):
        user = _shown(unquote(_user_part(text)[0]).strip(_TRIM))
        if _name_of(_encoded(user)) == number:  # not so if the text was itself the printed form of a hash
            names.add(int(number), user)


def _scratch() -> _Bytes:
    return np.empty(_MAX_READ, np.uint8)


def _encoded(text: str) -> _Bytes:
    return _bytes(text.encode("utf-8", "replace"))


def _user_part(text: str) -> tuple[str, str]:
    # The user part of an address, and the phone-context or "".
    text = text.strip(_TRIM)
    data = _encoded(text)
    if not _ADDRESS_MARK[data].any():
        return text, ""
    at, end, context = _address_of(data)
    user = data[at:end].tobytes().decode("utf-8", "replace")
    rest = data[end:].tobytes().decode("utf-8", "replace")
    found = re.match(r"[^@>]*?;phone-context=([^;@>?]*)", rest, re.IGNORECASE) if context else None
    return user, found[1] if found else ""


def _shown(user: str) -> str:
    # Escaped so that reading the name again gives the same name.
    unfit = re.sub(r'[\x00-\x1f\x7f"<>@;%]', lambda found: f"%{ord(found[0]):02X}", user)
    return re.sub(r"(?i)^(sips?|tel):", r"\1%3A", unfit)


def _digits(user: str) -> tuple[str, bool]:
    return "".join(str(unicodedata.digit(c)) for c in user if c.isdecimal()), "+" in user or "＋" in user


def _local_digits(user: str) -> int:
    digits, plus = _digits(user)
    if len(digits) > _MAX_LOCAL:
        return int(_name_of(_encoded(user)))
    return _LOCAL | (_PLUS if plus else 0) | int("1" + digits)
