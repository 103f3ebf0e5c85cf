"""Sums of money in a text, each with its currency and place, and which of them is asked for."""

import re
from dataclasses import dataclass
from typing import Final

from ringfence.detect.texts.numerals import (
    ENGLISH,
    NUMBER,
    SCALE_WORD,
    ZH_NUMERAL,
    chinese_value,
    english_value,
    number_of,
    scaled,
)
from ringfence.detect.texts.plain import Place, Plain

_SIGNS: Final = {
    "us$": "USD", "usd": "USD", "hk$": "HKD", "hkd": "HKD", "nt$": "TWD", "ntd": "TWD", "twd": "TWD", "cny": "CNY", "rmb": "CNY", "人民币": "CNY",
    "¥": "CNY", "$": "USD", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "₹": "INR", "rs.": "INR", "rs": "INR", "inr": "INR", "r s": "INR",
    "港币": "HKD", "台币": "TWD", "新台币": "TWD", "美金": "USD", "美元": "USD", "usdt": "USDT", "btc": "BTC", "eth": "ETH", "cad": "CAD", "aud": "AUD",
    "c$": "CAD", "a$": "AUD", "s$": "SGD", "sgd": "SGD", "rm": "MYR", "myr": "MYR",
}  # fmt: skip
"""Written before a number. A dollar sign alone is taken for the dollar of the United States, ¥ for the yuan."""

_NAMES_OF: Final = {
    "USDT": "usdt u 个u usdc", "BTC": "btc 个btc bitcoin bitcoins 个比特币 比特币", "ETH": "eth 个eth 以太币 以太坊",
    "USD": "刀 美刀 美元 美金 dollars dollar bucks buck bux usd $ dollares us$", "EUR": "欧元 欧 euros euro eur €",
    "GBP": "英镑 镑 pounds pound quid gbp £ sterling", "INR": "rupees rupee rs rs. inr ₹ 卢比",
    "HKD": "港币 港元 港纸 hkd 蚊 蚊港币 块港币 元港币 港纸 hk$", "TWD": "台币 新台币 元台币 元新台币 块台币 ntd twd",
    "CNY": "元人民币 元 圆 圆整 元整 块钱 块 快钱 块人民币 块大洋 rmb yuan cny kuai 人民币 大洋 个大洋 软妹币 皮 米 r 毛爷爷",
    "CAD": "cad 加元 加币", "AUD": "aud 澳元 澳币", "SGD": "sgd 新币", "MYR": "rm myr 令吉 马币", "JPY": "日元 円 yen jpy",
}  # fmt: skip
_NAMES: Final = {name: code for code, names in _NAMES_OF.items() for name in names.split()}
"""Written behind it."""


def _any(words: dict[str, str]) -> str:
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(
        re.escape(word) + (r"(?![a-z])" if word[-1].isalpha() and word.isascii() else "") for word in ordered
    )


_SCALE: Final = (
    rf"(?:k(?![a-z])|个[wk万](?![a-z])|w(?![a-z])|m(?![a-z])|千|百|万|仟|佰|亿|(?:{SCALE_WORD})(?![a-z]))"
)
_ZH: Final = rf"{ZH_NUMERAL}(?: ?{ZH_NUMERAL}){{0,11}}(?:个?[wk](?![a-z]))?"
_MIXED: Final = r"\d{1,4} ?[万千百](?: ?\d{1,4} ?[千百]?)?(?![\d点时号日月])|\d{1,4}[wk]\d{1,4}(?!\d|[a-z])"  # 1万2, 1万2千, 3千5, 1w5
_OF: Final = r"(?:\d{1,2}|two|three|four|five|six|ten) ?(?:x|×|\*|张|individual)? ?\$ ?\d{2,4} (?:[a-z]+ ){0,3}(?:cards?|vouchers?)|\d{1,2} ?[x×] ?[$£€]\d{2,4}|\d{1,2}张\d{2,4}(?=元|块)"
_SUM: Final = re.compile(
    rf"(?P<of>{_OF})"
    rf"|(?P<sign>{_any(_SIGNS)}) ?:? ?(?P<signed>{NUMBER}) ?(?P<signed_scale>{_SCALE}?)"
    rf"|(?P<zh>{_ZH}) ?(?:整)?(?P<zh_name>(?:{_any(_NAMES)})?)"
    rf"|(?P<en>{ENGLISH}) ?(?P<en_name>(?:{_any({name: code for name, code in _NAMES.items() if name.isalpha()})})?)"
    rf"|(?<![\d.])(?P<mixed>{_MIXED}) ?(?P<mixed_name>(?:{_any(_NAMES)})?)"
    rf"|(?<![\d.@#a-z_/])(?P<number>{NUMBER}) ?(?P<scale>{_SCALE}?) ?(?P<name>(?:{_any(_NAMES)})?)"
)
# What asks: verbs of paying, and names of what is to be paid.
_ASKS: Final = re.compile(
    r"打款|打钱|[汇打转付充存交垫拿给还要出补赔缴]|准备|只要|结清|费|金|欠|押|收[你您]?"
    r"|pay|send|transfer|settle|wire|deposit|give|gimme|fee|cost|owe|need|buy|demand|get|want|only|outstanding|clear|remit|bring|for"
)
# The sum of several that is due now.
_TOTAL: Final = re.compile(
    r"共|合计|总|一口价|最终|减到|只要|只收|现在是?|到今天|加起来|连本带|利滚利|结清|total|altogether|in all|now|it'?s|is due|settle|outstanding|with (?:the )?interest"
)
# Sums that are told, not asked for: what there was, what is won, what others paid, a rate.
_NOT_ASKED: Final = re.compile(
    r"(?:余额|满|减|送|原价|优惠|额度|月供|最高|每(?![人生套户位家])\S{0,3}|一[天日]|利息|本金|借了?|奖金|奖|中了|到手|人家\S{0,3}|有人\S{0,3}|雇\S{0,6}|开价|已还|申请的|违约金|涨到|变成|变|翻到?|加到|或者?|扣"
    r"|balance(?: of)?|bonus(?: of)?|off|save|up to|limit(?: of)?|each|spent|over|cards? of|volume|was|borrowed|lent you|won|win|refund of|draw|prize(?: of)?|raised|worth|rises? to|becomes?|tomorrow(?: it'?s)?|doubles? to|else|after that|plus|including|another|(?<![a-z])or|兑换\S{0,2}|late fee(?: of)?|instead of|not)[:：, 了是到得出$£€]{0,3}$"
)
_RATE: Final = re.compile(
    r" ?(?:/ ?(?:day|month|mo|kid|person|天|日|月|人)|(?:a|per|each|every) (?:day|week|month|hour|person)|一[天日月周]|每|的?(?:额度|奖金|贷款|借款|大奖|元借款)|prize|draw|lottery|loan limit|credit)"
)
_NOT_MONEY: Final = re.compile(
    r" ?(?:[:点时号日月年天岁分秒次遍个名通楼栋期级折寸台条位件只人张份章份则页届班度响声口家门轮周平楼层]|支(?!付)|小时|分钟|多[个人通次遍]|几[个人通次遍]|[来多几]?个|%|am\b|pm\b|a\.m|p\.m|o'?clock|hours?|hrs?\b|h\b|mins?|minutes?|days?|weeks?|months?|years?|times|calls?|rings?|people|men\b|digit|st\b|nd\b|rd\b|th\b|x\b|-\d|[/.]\d)"
)
_NUMBERED: Final = re.compile(
    r"[:：#=]\s?$|(?:尾号|门牌|案|工号|代码|编号|室|单元|版|房|room|no\.?|ending(?: in)?|第|since|in|code|case|unit|flat|route|bus|ticket|order|apt|level|year|x|at)[ :：]?$"
)
_PRICED: Final = re.compile(r"(?:额|元|费|价|钱|共|fee|price|amount|total|due|pay|sum|款)[:：=] ?$")
_YEAR: Final = re.compile(r"19[5-9]\d|20[0-3]\d")
_BARE_ASKS: Final = re.compile(
    r"(?:[打转汇付给交拿出还存充补垫缴赔要欠收凑]|准备|只要|要停就|结清|[费金钱款价]|合计|共|总计|pay|send|transfer|settle|give|wire|to stop|now|price|fee|gimme|venmo|zelle|paypal|owe|cost|need|want|it'?s|do|just|for|was|is|total|due|of|get)[:：,， ]{0,3}(?:平台|公司|了|我|我们|他|出|个|大概|的|款|上|是|来|你|me|us|up|now|just|only|another|exactly|about|the)?[:：,， ]{0,2}$"
)
_NEXT_IS_PAYING: Final = re.compile(
    r"[,，。.;；:：!！到 -]{0,3}(?:打|转|买|汇|付|到|至|给|入|进|落|存|卡|账|[农工建中招交]行|邮储|支付宝|微信|zfb|[wv]x|q{1,2}\b|zelle|venmo|paypal|cash ?app|[\u4e00-\u9fff]{2,4}银行|to\b|by\b|into\b|via\b|before\b|in (?:btc|eth|crypto|cash|gift)|\d{8}|\x01)"
)


_THOUSANDS: Final = re.compile(r"(?<![\d.])[1-9]\d{0,2}\.\d{3}(?![\d.])")


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum in a text.

    Attributes:
        amount: in the currency's main unit; currency: ISO 4217 or the name of a crypto currency, None: not named.
        start, end: in the plain text; place: in the original.
        score: how much like a sum that is asked for.
    """

    amount: float
    currency: str | None
    start: int
    end: int
    place: Place
    score: float


def sums(plain: Plain, taken: tuple[Place, ...] = ()) -> list[Sum]:
    """All sums in a text, in order.

    Args:
        plain: the text.
        taken: stretches of the plain text that are something else (accounts, deadlines).
    """
    text = _masked(plain.text, taken)
    return [found for match in _SUM.finditer(text) if (found := _sum(text, plain, match)) is not None]


def asked(found: list[Sum]) -> Sum | None:
    """The sum that is asked for: the likeliest, of equals the first; None: none is."""
    best = max(found, key=lambda one: (one.score, -one.start), default=None)
    return best if best is not None and best.score >= 0 else None


def value_of(text: str) -> tuple[float, str | None] | None:
    """Read a sum alone, as it stands at its place: plain text in, amount and currency out."""
    match = _SUM.search(text)
    return None if match is None else _value(match)


def _masked(text: str, taken: tuple[Place, ...]) -> str:
    """The text with other things blotted out, of the same length."""
    for start, end in taken:
        text = text[:start] + "\x01" * (end - start) + text[end:]
    return text


def _value(match: re.Match[str]) -> tuple[float, str | None] | None:
    amount: float | None
    currency: str | None
    scale = 1.0
    if match["of"]:
        amount, currency = _times(match["of"])
    elif match["sign"]:
        amount, currency, scale = (
            number_of(match["signed"]),
            _SIGNS[match["sign"]],
            scaled(match["signed_scale"]),
        )
    elif match["zh"]:
        written = match["zh"].rstrip("wk个")
        amount, scale = chinese_value(written), scaled(match["zh"][len(written) :].removeprefix("个"))
        currency = _NAMES.get(match["zh_name"])
    elif match["en"]:
        amount, currency = english_value(match["en"]), _NAMES.get(match["en_name"])
    elif match["mixed"]:
        amount, currency = _mixed_value(match["mixed"]), _NAMES.get(match["mixed_name"])
    else:
        amount, currency, scale = (
            number_of(match["number"]),
            _NAMES.get(match["name"]),
            scaled(match["scale"]),
        )
    if amount is None or amount <= 0:
        return None
    if _THOUSANDS.search(match.group()) and currency not in {"BTC", "ETH"}:
        amount *= 1000  # 1.500 EUR: money has no three decimals
    amount = round(amount * scale, 8)
    return (amount, currency) if amount < 1e9 else None


def _times(text: str) -> tuple[float, str | None]:
    """Five cards of 200: 5 x $200."""
    count, value = re.match(r"[a-z]+|\d+", text), re.search(r"\d+(?=\D*$)", text)
    if count is None or value is None:
        return 0.0, None
    many = english_value(count[0]) if count[0].isalpha() else float(count[0])
    currency = next((_SIGNS[sign] for sign in "$£€" if sign in text), "CNY")
    return (many or 0.0) * float(value[0]), currency


def _mixed_value(text: str) -> float:
    """1万2千 and the like: 1万2 and 1w2 are 12,000."""
    parts = re.fullmatch(r"(\d+) ?([万千百wk])(?: ?(\d+) ?([千百]?))?", text)
    if parts is None:
        return 0.0
    great = scaled(parts[2])
    rest = float(parts[3] or 0)
    if parts[4]:
        rest *= scaled(parts[4])
    elif parts[3] and len(parts[3]) == 1:
        rest *= great / 10
    return float(parts[1]) * great + rest


def _sum(text: str, plain: Plain, match: re.Match[str]) -> Sum | None:
    value = _value(match)
    if value is None:
        return None
    start, end = match.span()
    while end > start and plain.text[end - 1] == " ":
        end -= 1
    before, after = text[max(start - 18, 0) : start], text[end : end + 14]
    amount, currency = value
    named = currency is not None
    if not named and not _bare_is_money(match, before, after, amount):
        return None
    if match["name"] in {"u", "r", "米", "皮"} and not re.search(
        r"\d$|[kw]$", match["number"] + match["scale"]
    ):
        return None
    score = 1.0 if named else 0.5
    score += 1.5 if _ASKS.search(before[-10:]) or _ASKS.search(after[:4]) else 0.0
    score += 1.0 if _NEXT_IS_PAYING.match(after) else 0.0
    score += 1.0 if _TOTAL.search(before[-9:]) else 0.0
    score -= 3.0 if _NOT_ASKED.search(before) else 0.0
    score -= 3.0 if _RATE.match(after) else 0.0
    return Sum(amount, currency, start, end, plain.place(start, end), score)


def _bare_is_money(match: re.Match[str], before: str, after: str, amount: float) -> bool:
    """Whether a number without a currency is a sum: 打500, 5k, 2w, 两千五, two grand, 后天前1500."""
    if _NOT_MONEY.match(after) or (amount < 10 and "." not in match.group()):
        return False
    if _NUMBERED.search(before) and not _PRICED.search(before):
        return False
    if match["zh"]:
        return amount >= 100 and re.search("^[^百佰千仟万].*[百佰千仟万wk]", match["zh"]) is not None
    if match["en"]:
        return amount >= 100 and " " in match["en"]
    if match["mixed"] or match["scale"]:
        return True
    digits = re.sub(r"[^\dol]", "", match.group())
    if not 2 <= len(digits) <= 6 or (len(digits) == 6 and re.search(r"码|code", before)):
        return False
    if _BARE_ASKS.search(before):
        return True
    if len(digits) < 3 or _YEAR.fullmatch(digits):
        return False
    return bool(_NEXT_IS_PAYING.match(after)) or _stands_alone(before, after)


def _stands_alone(before: str, after: str) -> bool:
    """Whether it stands between stops, as a price does (。2700，加V)."""
    return bool(
        re.search(r"(?:^|[,，。.!！?？;；\n] ?| )$", before)
        and re.match(r"$| ?[,，。.!！?？;；\n\x01]| ", after)
    )
