"""A text as it is read: one width, one case, look-alike letters undone, and the way back to the places in the original.

Who wants a text past a filter writes it in full-width letters, circled digits, traditional characters, Cyrillic letters, or
puts invisible characters in between. All of that is undone here, character by character, so that a piece found in what is left can be shown
in the text as it was written.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LONGEST: Final = 2_000
"""Characters that are read: ten texts of the longest sort that a phone takes for one (GSM 03.40: 39 parts are the limit)."""

Place = tuple[int, int]
"""Where a piece stands in the original text: first character, and the one after the last."""

_TRADITIONAL: Final = dict(
    zip(
        "帳賬號萬錢塊電話轉銀點內時後過還請繼續報馬歸們這個來給麼開關機單債務處則壞隱視頻錄證據發員應當賠償費繳納匯款戶機業級師傅媽讓線傳"
        "臺灣兩貳陸參佈讀學親屬聽聯絡絕對為應訂費將週禮蚊寶貝幣圓億險凍結檢詐騙說誰從問題進場壓輸贏準備貼爾緊雙離斷鐘專檔"
        "數郵熱鬧鎖圖樣謝帶價張團隊約紅殺傷醫獎領稅罰爺鄰鄉鎮區縣園幫響聲靜滅燒潑門鐵見敗訊終搶騷擾買賣驚顧託補辦審豐係間舖傾",
        "账账号万钱块电话转银点内时后过还请继续报马归们这个来给么开关机单债务处则坏隐视频录证据发员应当赔偿费缴纳汇款户机业级师傅妈让线传"
        "台湾两贰陆叁布读学亲属听联络绝对为应订费将周礼蚊宝贝币圆亿险冻结检诈骗说谁从问题进场压输赢准备贴尔紧双离断钟专档"
        "数邮热闹锁图样谢带价张团队约红杀伤医奖领税罚爷邻乡镇区县园帮响声静灭烧泼门铁见败讯终抢骚扰买卖惊顾托补办审丰系间铺倾",
        strict=True,
    )
)
"""Traditional characters of the words that are looked for (Unihan, kTraditionalVariant); not a converter of texts."""

_LIKE: Final = dict(zip("аеорсухкмтвніјѕзοαερνικτυ", "aeopcyxkmtbhijs3oaepviktu", strict=True))
"""Cyrillic and Greek letters that look like Latin ones (Unicode TR 39, confusables), in small letters."""

_CHARACTERS: Final = {"￥": "¥", "〇": "〇", "○": "〇", "◯": "〇", "⓪": "0", "—": "-", "–": "-", "−": "-", "‐": "-", "‑": "-",
                      "“": '"', "”": '"', "’": "'", "‘": "'", "•": "·", "・": "·", "∶": ":", "。": "。"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plain:
    """A text made plain.

    Attributes:
        text: in small letters; `cased`: the same with capitals kept (wallets need them). Both of one length.
        starts, ends: for each of its characters, where it stands in the original.
    """

    text: str
    cased: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def place(self, start: int, end: int) -> Place:
        """Where a stretch of the plain text stands in the original; it must not be empty."""
        return self.starts[start], self.ends[end - 1]


def plain(body: str) -> Plain:
    """Make a text plain; beyond `LONGEST` characters it is not read."""
    cased: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, character in enumerate(body[:LONGEST]):
        made = _plain_character(character)
        if not made and starts:
            continue  # an invisible mark belongs to nothing; pieces do not end with it
        cased.append(made)
        starts.extend([place] * len(made))
        ends.extend([place + 1] * len(made))
    text = "".join(cased)
    return Plain("".join(_small(c) for c in text), text, tuple(starts), tuple(ends))


def _small(character: str) -> str:
    """One small letter for one letter, look-alikes undone."""
    small = character.lower()
    small = small if len(small) == 1 else character
    return _LIKE.get(small, small)


@lru_cache(maxsize=8192)
def _plain_character(character: str) -> str:
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me", "Cs", "Co", "Cn"}:
        return ""  # zero width, variation selectors, keycaps, strokes laid over letters
    if character == "\n":
        return "\n"
    if category in {"Zs", "Zl", "Zp", "Cc"}:
        return " "
    whole = unicodedata.normalize("NFKC", character)
    if len(whole) > 1:
        whole = "".join(c for c in whole if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    if category == "Nd" and not whole.isascii():
        whole = str(unicodedata.digit(character))
    elif category == "No" and len(whole) == 3 and whole[0] == "(":
        whole = whole[1]  # (1) in one character
    return "".join(_TRADITIONAL.get(c, c) for c in whole)
