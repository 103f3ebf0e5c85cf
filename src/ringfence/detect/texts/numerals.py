"""Numbers as people write them: 500, 1,500.00, 2,50,000, 5OO, 5 0 0, 五百, 伍佰, 廿, 1万2, 1w5, 2w, 5k, two grand, 1.2 lakh."""

import re
from typing import Final

CHINESE_DIGITS: Final = {
    c: value
    for value, characters in enumerate(("〇零", "一壹幺弌", "二贰两弍", "三叁弎", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for c in characters
}  # fmt: skip
"""Digits, in the everyday, the banker's and the spoken form."""

_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_TENS: Final = {"廿": "二十", "卅": "三十", "俩": "两", "仨": "三", "萬": "万"}
_GREAT: Final = {"万": 10_000, "亿": 100_000_000}
_LATIN: Final = {"o": "0", "l": "1", "i": "1", "|": "1"}
_SHORT: Final = {
    "k": 1e3,
    "w": 1e4,
    "千": 1e3,
    "百": 1e2,
    "万": 1e4,
    "仟": 1e3,
    "佰": 1e2,
    "亿": 1e8,
    "m": 1e6,
    "个w": 1e4, "个万": 1e4, "个k": 1e3,
    "hundred": 1e2, "thousand": 1e3, "grand": 1e3, "thou": 1e3, "lakh": 1e5, "lakhs": 1e5, "lac": 1e5, "lacs": 1e5, "crore": 1e7,
}  # fmt: skip
"""What multiplies a number that it stands behind."""

_WORDS: Final = dict(
    zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"], range(1, 20), strict=True)
) | dict(zip(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], range(20, 100, 10), strict=True)) | {"a": 1, "half a": 0.5}  # fmt: skip
_GREAT_WORDS: Final = ("hundred", "thousand", "grand", "thou", "lakhs", "lakh", "lacs", "lac", "crore", "k")
ENGLISH: Final = rf"(?<![a-z])(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?:[ -](?:and )?(?:{'|'.join([*sorted(_WORDS, key=len, reverse=True), *_GREAT_WORDS])})(?![a-z])){{0,6}}(?![a-z])"
"""A number in English words."""
SCALE_WORD: Final = "|".join(_GREAT_WORDS[:-1])

ZH_DIGIT: Final = "".join(CHINESE_DIGITS)
ZH_NUMERAL: Final = rf"[{ZH_DIGIT}十拾百佰千仟万亿廿卅俩仨]"
NUMBER: Final = (
    r"(?:\d{1,3}(?:,[\dol]{3})+(?:\.\d{1,2})?(?!\d)"  # 1,500.00
    r"|\d{1,2}(?:,\d{2}){1,3},\d{3}(?:\.\d{1,2})?(?!\d)"  # 2,50,000, as India writes it
    r"|\d{1,3}(?:\.\d{3})+(?![\d.])"  # 1.500, as most of Europe writes it
    r"|\d(?:[ .]\d){2,7}(?![\d.])"  # 5 0 0
    r"|\d[\dol]{0,11}(?:\.\d{1,8})?)"  # 500, 5oo, 0.05
)
"""A number in digits, without what follows it."""

_FILLER: Final = re.compile(r"[ .]")


def digit_of(character: str, *, inside: bool = False) -> str | None:
    """The digit that a character stands for; `inside` a run of digits letters that look like digits count as well."""
    if "0" <= character <= "9":
        return character
    value = CHINESE_DIGITS.get(character)
    if value is not None:
        return str(value)
    return _LATIN.get(character) if inside else None


def number_of(text: str) -> float | None:
    """The value of what `NUMBER` matches; None: none."""
    text = text.strip().translate(str.maketrans("ol", "01"))
    if re.fullmatch(r"\d(?:[ .]\d){2,7}", text):
        text = _FILLER.sub("", text)
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def scaled(text: str) -> float:
    """What a letter or character after a number multiplies it by; 1: nothing."""
    return _SHORT.get(text, 1.0)


def chinese_value(text: str) -> float | None:
    """The value of Chinese numerals, such as 五百, 两万五, 一千二百三十, 五〇〇; None: no number."""
    text = "".join(_TENS.get(c, c) for c in text.replace(" ", ""))
    if not text or not all(c in CHINESE_DIGITS or c in _UNITS or c in _GREAT for c in text):
        return None
    if all(c in CHINESE_DIGITS for c in text):
        return float("".join(str(CHINESE_DIGITS[c]) for c in text)) if len(text) < 13 else None
    total, section, digit, unit = 0, 0, 0, 1
    for c in text:
        if c in CHINESE_DIGITS:
            digit = CHINESE_DIGITS[c]
            if digit == 0:
                unit = 10  # 一千零五: what follows a zero is no shortened unit
        elif c in _UNITS:
            unit = _UNITS[c]
            section += max(digit, 1) * unit if section == 0 else digit * unit  # 十五, 百万
            digit = 0
        else:
            unit = _GREAT[c]
            total += max(section + digit, 1) * unit
            section = digit = 0
    # 两万五 is 25,000 and 三百五 is 350
    last = digit * (unit // 10) if digit and unit >= 100 else digit
    return float(total + section + last)


def english_value(text: str) -> float | None:
    """The value of English words, such as five hundred, two grand, twenty five thousand, fifteen hundred; None: no number."""
    total, section, known = 0.0, 0.0, False
    for word in re.findall(r"half a(?![a-z])|[a-z]+", text.lower()):
        if word in _WORDS:
            section, known = section + _WORDS[word], True
        elif word == "hundred":
            section *= 100
        elif word in _GREAT_WORDS:
            total, section = total + section * scaled(word), 0.0
        elif word != "and":
            return None
    return total + section if known else None
