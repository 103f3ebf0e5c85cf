"""Where money is to go or whom to write to: cards, accounts, wallets, messengers, each with its place.

A number's check digits (Luhn, ISO 7064 mod 97, Base58Check) are evidence, never a condition: demands are mistyped, and made-up cards are part of the trade.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from ringfence.detect.texts.checks import base58check, luhn, mod97
from ringfence.detect.texts.numerals import ZH_DIGIT, digit_of
from ringfence.detect.texts.plain import Place, Plain

KINDS: Final = (
    "bank card", "IBAN", "Bitcoin", "Ethereum", "TRON", "bank account", "UPI", "FPS", "Cash App", "Zelle", "PayPal", "Venmo", "Alipay",
    "WeChat", "Telegram", "WhatsApp", "LINE", "Signal", "QQ", "phone number", "e-mail",
)  # fmt: skip
"""All kinds, where money goes before whom to write to."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account, wallet or messenger id in a text.

    Attributes:
        value: in one form: digits alone, wallets and names as written.
        kind: one of `KINDS`.
        start, end: in the plain text; place: in the original.
        checks: whether its check digits agree; None: it has none.
        disguised: digits were not written as plain digits.
    """

    value: str
    kind: str
    start: int
    end: int
    place: Place
    checks: bool | None = None
    disguised: bool = False


_DIGITLIKE: Final = rf"[\d{ZH_DIGIT}ol|]"
_SEPARATOR: Final = r"[ .\-_·*/~。、)]{0,2}"
_RUN: Final = re.compile(
    rf"(?<![\w.@])[\d{ZH_DIGIT}](?:{_SEPARATOR}{_DIGITLIKE}){{6,40}}(?![a-z@])|(?<=[\u4e00-\u9fff:])[\d{ZH_DIGIT}](?:{_SEPARATOR}{_DIGITLIKE}){{6,40}}(?![a-z@])"
)
_GROUP: Final = re.compile(rf"{_DIGITLIKE}+")
_WALLETS: Final = (
    ("Bitcoin", re.compile(r"(?<![A-Za-z0-9])(?:bc1|BC1)[a-zA-Z0-9]{25,59}(?![A-Za-z0-9])")),
    ("Ethereum", re.compile(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])")),
    ("TRON", re.compile(r"(?<![A-Za-z0-9])T[1-9A-Za-z]{33}(?![A-Za-z0-9])")),
    ("Bitcoin", re.compile(r"(?<![A-Za-z0-9])[13][1-9A-HJ-NP-Za-km-z]{25,33}(?![A-Za-z0-9])")),
)  # fmt: skip
_IBAN: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,4})?(?![A-Za-z0-9])"
)
_EUROPE: Final = re.compile(
    r"(?:GB\d\d[A-Z]{4}|NL\d\d[A-Z]{4}|IE\d\d[A-Z]{4}|(?:DE|FR|ES|IT|BE|AT|CH|PT|PL)\d\d)\d{8,}[A-Z\d]*$"
)
"""Countries of many: a made-up IBAN is one in its form."""
_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[a-z0-9][\w.+-]{0,40}@[a-z0-9][a-z0-9-]{0,40}(?:\.[a-z]{2,12}){1,3}", re.ASCII
)
_UPI: Final = re.compile(r"(?<![\w.+-])[a-z0-9][\w.-]{1,40}@[a-z]{2,12}(?!\.[a-z]|\w)", re.ASCII)
_CASHTAG: Final = re.compile(r"(?<![\w$])\$[a-z][\w-]{1,20}", re.ASCII)
_GAP: Final = r"[ \-_.·*❤♥➕+]{0,3}"
_LEAD: Final = r"(?:是|号码?|账号|账户|id|name|user(?:name)?|handle|转|加|搜|找|联系|都行|扫码|到|给|我|me|us|on|at|to|is|here|[:：,，=>(@ ]){0,6}"  # 微信号是, telegram me at
_HANDLE: Final = rf"{_LEAD}(?P<id>[a-z][a-z0-9_\-]{{3,30}})"
_SPOKEN: Final = rf"(?P<id>[a-z][a-z0-9_\-]{{4,19}}|(?:(?<=[:： 号是])[lo]|[\d{ZH_DIGIT}])(?:[ -]?[\dlo{ZH_DIGIT}]){{4,12}}(?![\da-z{ZH_DIGIT}]))"
_WEIXIN: Final = rf"(?:[微薇威徽葳维]{_GAP}[信芯x]|v{_GAP}信|卫星(?=号|[:： ]*[a-z\d])|绿泡泡|wei ?xin|we ?chat|(?<![a-z])[vw] ?x(?![a-z])|加我? ?v(?![a-z])|[加＋+]我? ?[薇卫微](?!信)|(?<![a-z])v(?=[:： 转]))"
_ZHIFUBAO: Final = r"(?:支.?付.?[宝寳保]|[吱芝]付宝|支宝|某宝|ali ?pay|(?<![a-z])z ?f ?b(?![a-z])|zhi ?fu ?bao|(?<![a-z])支(?=[:：]))"
_TENCENT: Final = rf"(?:(?<![a-z])q{_GAP}q|(?<![a-z])q(?=[:： ]*\d{{5}})|扣扣|企鹅|球球|秋秋|口口)"
_NAMED: Final = (
    ("Telegram", re.compile(rf"(?:telegram(?:\.me/)?|t\.me/|(?<![a-z])tg(?![a-z])|(?<![a-z])tele(?=[:： @])|纸飞机|飞机|电报){_HANDLE}")),
    ("Venmo", re.compile(rf"venmo{_HANDLE}")),
    ("PayPal", re.compile(rf"paypal\.me/{_HANDLE}")),
    ("WeChat", re.compile(rf"{_WEIXIN}{_LEAD}{_SPOKEN}")),
    ("QQ", re.compile(rf"{_TENCENT}群?{_LEAD}{_SPOKEN}")),
    ("Alipay", re.compile(rf"{_ZHIFUBAO}{_LEAD}{_SPOKEN}(?![@.])")),
    ("LINE", re.compile(rf"(?<![a-z])(?:line ?id|加 ?line|line(?=[:：])){_HANDLE}")),
    ("Signal", re.compile(rf"(?<![a-z])signal(?=[:： ]+@|[:：]){_HANDLE}")),
)  # fmt: skip
_NO_HANDLES: Final = {
    "money",
    "payment",
    "message",
    "when",
    "then",
    "with",
    "within",
    "before",
    "that",
    "this",
    "account",
    "only",
    "from",
    "your",
    "pay",
    "code",
    "transfer",
    "just",
    "will",
    "dollars",
    "usdt",
    "qrcode",
    "wechat",
    "alipay",
    "telegram",
}
_BANK: Final = re.compile(
    r"银行|[农工建中招交]行|邮储|邮局|邮政|信用社|农信|卡号|账号|账户|专户|户口|卡$|卡[:： ]|恒生|汇丰|中银|渣打|hang seng|国泰|玉山|台新|富邦|永丰|台银|入数|[汇打转存过落]数?(?:款|钱)?(?:到|入|落|去|至|进)|[汇转存][^\d。\n]{0,8}(?:到|入|至)"
    r"|acc(?:oun)?t|a/c|(?<![a-z])acc?(?![a-z])|iban|bank|routing|sort(?: ?code)?|ifsc|\bach\b|\b(?:sbi|hdfc|icici|axis|kotak|pnb|chase|barclays|hsbc|natwest|monzo|lloyds|santander|revolut|bochk|dbs|maybank)\b"
)
_CARD: Final = re.compile(r"卡|银行|账|行|card|visa|master|icbc|农信")
_BANK_BEHIND: Final = re.compile(
    r"^[ ,，(（]{0,2}(?:[农工建中招交]行|[\u4e00-\u9fff]{2,4}银行|ifsc|sbi|hdfc|icici|axis|routing|at bank|bank of)"
)
_NOT_ACCOUNT: Final = re.compile(
    r"户号 ?$|单号 ?$|订单[号]? ?$|尾号 ?$|快件\w* ?$|编号 ?$|运单\w* ?$|取件码 ?$|invoice ?$|order ?$|routing ?$|routing (?:no|number)?:? ?$|tracking\w* ?$|ref(?:erence)? ?$|po ?$"
)
_SORT_CODE: Final = re.compile(
    r"(?:sort(?: ?code)?|(?<![a-z])s/?c)[ :.#]{0,3}\d{2}[- .]?\d{2}[- .]?\d{2}(?!\d)|(?<![\d-])\d{2}-\d{2}-\d{2}(?![\d-])"
)
"""Which branch of a British bank: not the account."""
_BRITISH: Final = re.compile(r"(?<![\d\-+.£$])\d{4} ?\d{4}(?![\d\-])")
_HANDLES: Final = re.compile(r"(?<![\w.])@(?P<id>[a-z][a-z0-9_-]{3,30})(?![\w@]|\.[a-z])", re.ASCII)
_MESSENGERS: Final = (
    ("Telegram", re.compile(r"telegram|\btg\b|电报|飞机")),
    ("Venmo", re.compile("venmo")),
    ("WeChat", re.compile(r"wechat|微信|vx")),
    ("Cash App", re.compile("cash ?app")),
    ("Telegram", re.compile("msg|message|dm|contact|联系")),
)
_BEFORE_NAME: Final = re.compile(r"(?<![a-z0-9_.@])(?P<id>[a-z][a-z0-9_-]{4,19}) ?\((?:微信|vx|wx|wechat)\)")
_PHONE_ABROAD: Final = re.compile(
    r"(?<![\d$@\w.])(?:\+\d{1,3}[ -]?)?\(?\d{2,4}\)?(?:[ -]?\d{2,4}){1,3}(?!\d)"
)
_ALIPAY: Final = re.compile(_ZHIFUBAO)
_FPS: Final = r"转数快|fps|pay ?me"
_HOTLINE: Final = re.compile(
    r"(?:客服|热线|电话|拨打|致电|call|hotline|tel)[:： ]{0,2}$|^(?:400|800|95\d{3}|100\d\d)"
)


def accounts(plain: Plain) -> list[Account]:
    """All accounts in a text, in order; no two overlap."""
    found: list[Account] = []
    taken: list[Place] = []
    for one in (
        *_wallets(plain),
        *_ibans(plain),
        *_british(plain),
        *_names(plain),
        *_addresses(plain),
        *_numbers(plain),
    ):
        if not any(one.start < end and start < one.end for start, end in taken):
            found.append(one)
            taken.append((one.start, one.end))
    return sorted(found, key=lambda one: one.start)


def to_pay(found: list[Account]) -> Account | None:
    """Where the money is to go: by the order of `KINDS`, of equals the first."""
    return min(found, key=lambda one: (KINDS.index(one.kind), one.start), default=None)


def _make(plain: Plain, value: str, kind: str, start: int, end: int, checks: bool | None = None) -> Account:
    return Account(value, kind, start, end, plain.place(start, end), checks)


def _wallets(plain: Plain) -> list[Account]:
    found = []
    for kind, pattern in _WALLETS:
        for match in pattern.finditer(plain.cased):
            value = match.group()
            if kind == "Bitcoin" and value.isdigit():
                continue
            has_sum = kind == "TRON" or (kind == "Bitcoin" and value[0] in "13")
            found.append(_make(plain, value, kind, *match.span(), base58check(value) if has_sum else None))
    return found


def _ibans(plain: Plain) -> list[Account]:
    found = []
    for match in _IBAN.finditer(plain.cased):
        for value, end in _shorter(match):
            good = mod97(value)
            named = "iban" in plain.text[max(match.start() - 12, 0) : match.start()] and end == match.end()
            if good or named or (_EUROPE.match(value) and len(value) >= 18):
                found.append(_make(plain, value, "IBAN", match.start(), end, good))
                break
    return found


def _shorter(match: re.Match[str]) -> list[tuple[str, int]]:
    """The match, and what is left of it without its last groups: words may follow an IBAN."""
    ends = [m.start() for m in re.finditer(" ", match.group())]
    cuts = [len(match.group()), *reversed(ends)]
    made = [(match.group()[:cut].replace(" ", "").upper(), match.start() + cut) for cut in cuts]
    return [
        (value, end)
        for value, end in made
        if 15 <= len(value) <= 34 and re.search(r"\d", match.string[match.start() : end].split()[-1])
    ]


def _british(plain: Plain) -> list[Account]:
    """Accounts of eight digits near a sort code."""
    codes = [match.span() for match in _SORT_CODE.finditer(plain.text)]
    return [
        _make(plain, match.group().replace(" ", ""), "bank account", *match.span())
        for match in (_BRITISH.finditer(plain.text) if codes else ())
        if any(-2 < match.start() - end < 40 or 0 < start - match.end() < 40 for start, end in codes)
        and not any(match.start() < end and start < match.end() for start, end in codes)
    ]


def _names(plain: Plain) -> list[Account]:
    """Ids behind the name of a messenger."""
    found = []
    for kind, pattern in _NAMED:
        for match in pattern.finditer(plain.text):
            value = plain.cased[match.start("id") : match.end("id")]
            is_number = digit_of(value[0]) is not None or not re.search(r"[a-km-np-z_]", match["id"])
            if match["id"] in _NO_HANDLES or (is_number and not re.search(rf"[\d{ZH_DIGIT}]", value)):
                continue
            if is_number:
                value = _digits(match["id"])
            if kind == "Alipay" and not is_number:
                continue  # an e-mail address, or no id at all
            found.append(_make(plain, value, kind, *match.span("id")))
    return found


def _addresses(plain: Plain) -> list[Account]:
    """Ids that tell by their form what they are."""
    text = plain.text
    messenger = next((kind for kind, word in _MESSENGERS if word.search(text)), None)
    spans = [(messenger, match.span("id")) for match in _HANDLES.finditer(text)]
    spans += [("WeChat", match.span("id")) for match in _BEFORE_NAME.finditer(text)]
    spans += [("Cash App", match.span()) for match in _CASHTAG.finditer(text)]
    spans += [(_mail_kind(text, match.start()), match.span()) for match in _EMAIL.finditer(text)]
    spans += [("UPI", match.span()) for match in _UPI.finditer(text)]
    return [_make(plain, plain.cased[slice(*span)], kind, *span) for kind, span in spans if kind is not None]


def _mail_kind(text: str, start: int) -> str:
    """What an e-mail address serves for: the word before it says."""
    before = text[max(start - 30, 0) : start]
    words = (("PayPal", "pay ?pal"), ("Zelle", "zelle"), ("Alipay", _ZHIFUBAO))
    return next((kind for kind, word in words if re.search(word, before)), "e-mail")


def _numbers(plain: Plain) -> list[Account]:
    """Cards, accounts and telephone numbers: runs of digits, however they are written."""
    found = []
    for match in _RUN.finditer(plain.text):
        for start, end in _stretches(plain.text, match.start(), match.end()):
            one = _number(plain, start, end)
            if one is not None:
                found.append(one)
    for match in _PHONE_ABROAD.finditer(plain.text):
        one = _phone_abroad(plain, match)
        if one is not None:
            found.append(one)
    return found


def _stretches(text: str, start: int, end: int) -> list[Place]:
    """Which groups of a run belong together: a sum and an account may stand side by side."""
    while end > start and digit_of(text[end - 1]) is None:
        end -= 1  # an l or o at the end is the beginning of a word
    groups = [(start + m.start(), start + m.end()) for m in _GROUP.finditer(text[start:end])]
    longest = [(a, b) for a, b in groups if b - a >= 11]
    if longest:
        return [_with_branch(text, groups, group) for group in longest]
    sizes = [b - a for a, b in groups]
    if (
        len(groups) > 2
        and sizes[0] < 4
        and any(size >= 4 for size in sizes[1:])
        and sum(sizes[1:]) >= 15
        and sizes[1:-1] == [sizes[1]] * (len(sizes) - 2)
    ):
        groups, sizes = groups[1:], sizes[1:]  # 500 6222 0202 …
    if len(groups) > 1 and sizes[0] == sizes[1] == 4 and sum(sizes) > 19:
        groups = _until(groups, 19)
    return [(groups[0][0], groups[-1][1])]


def _with_branch(text: str, groups: list[Place], group: Place) -> Place:
    """An account with the code of its bank before it: 822-012345678901."""
    before = next((g for g in groups if g[1] + 1 == group[0]), None)
    is_code = before is not None and before[1] - before[0] <= 4 and text[before[1]] == "-"
    return (
        (before[0], group[1])
        if before is not None and is_code and _BANK.search(text[max(before[0] - 8, 0) : before[0]])
        else group
    )


def _until(groups: list[Place], most: int) -> list[Place]:
    kept: list[Place] = []
    for group in groups:
        if sum(b - a for a, b in kept) + group[1] - group[0] > most:
            break
        kept.append(group)
    return kept


def _digits(text: str) -> str:
    return "".join(digit_of(c, inside=True) or "" for c in text)


def _number(plain: Plain, start: int, end: int) -> Account | None:
    text = plain.text
    value = _digits(text[start:end])
    before, after = text[max(start - 14, 0) : start], text[end : end + 4]
    if _SORT_CODE.search(text[start : min(start + 9, end)]) and end - start < 10:
        return None
    if _NOT_ACCOUNT.search(before) or re.search(r"sf$|yt$", before):
        return None
    one = _make(plain, value, "bank card", start, end)
    one = replace(one, disguised=not re.fullmatch(r"[\d \-]*", text[start:end]))
    near = text[max(start - 30, 0) : start]
    if re.fullmatch(r"1[- .]\d{3}[- .]\d{3}[- .]\d{4}", text[start:end]):
        return None  # a number of North America, as firms write theirs
    if re.fullmatch(r"1[3-9]\d{9}", value):
        return (
            replace(one, kind=_messenger(near[-16:]) or "phone number")
            if not re.search(r"配送员|快递", before)
            else None
        )
    is_bank = bool(_BANK.search(near[-24:]) or _BANK_BEHIND.match(text[end : end + 14]))
    is_mobile = any(re.search(word, near[-16:]) for _, word in _PAID_BY_PHONE)
    if is_mobile and 7 <= len(value) <= 13:
        return None  # read as a telephone number
    if 16 <= len(value) <= 19 and (
        value[0] in "3456" and (value[:2] == "62" or luhn(value) or _CARD.search(near + after) or not is_bank)
    ):
        return replace(one, checks=luhn(value))
    if 8 <= len(value) <= 20 and is_bank and not _HOTLINE.search(before):
        return replace(one, kind="bank account")
    if 13 <= len(value) <= 20 and one.disguised:
        return replace(one, checks=luhn(value))
    return None


def _messenger(before: str) -> str | None:
    if _ALIPAY.search(before):
        return "Alipay"
    if re.search(_WEIXIN, before):
        return "WeChat"
    if re.search(_FPS, before):
        return "FPS"
    return "WhatsApp" if "whatsapp" in before else None


_PAID_BY_PHONE: Final = (
    ("Zelle", r"zelle"),
    ("WhatsApp", r"whats ?app|\bwa\b|wa\.me"),
    ("PayPal", "pay ?pal"),
    ("FPS", _FPS),
    ("UPI", r"g ?pay|google pay|phone ?pe|paytm|\bupi\b|bhim"),
    ("Venmo", "venmo"),
    ("Cash App", "cash ?app"),
    ("Signal", "signal"),
    ("Alipay", _ZHIFUBAO),
    ("WeChat", _WEIXIN),
)
_WRITE_TO: Final = re.compile(r"(?:text|msg|message|sms|reach|contact|联系|短信|加我)[^\d\n]{0,12}$")


def _phone_abroad(plain: Plain, match: re.Match[str]) -> Account | None:
    """A telephone number of another country, where a word says what it serves for."""
    value = ("+" if match.group().startswith("+") else "") + re.sub(r"\D", "", match.group())
    if not 7 <= len(value) <= 15 or re.match(
        r"\+?1?8(?:00|33|44|55|66|77|88)\d{7}$|0[38]\d{8,9}$|400\d{7}$", value
    ):
        return None  # toll-free: a firm's
    before = plain.text[max(match.start() - 24, 0) : match.start()]
    for kind, word in _PAID_BY_PHONE:
        if re.search(word, before):
            return _make(plain, value, kind, *match.span())
    return _make(plain, value, "phone number", *match.span()) if _WRITE_TO.search(before) else None
