"""Texts written for the project, half of them harmless; what is found in them, and where."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.extortion_text import HYPOTHESES, THRESHOLD, read
from ringfence.detect.texts.accounts import KINDS, accounts
from ringfence.detect.texts.checks import base58check, luhn, mod97
from ringfence.detect.texts.episodes import filled, same_demand
from ringfence.detect.texts.money import value_of
from ringfence.detect.texts.numerals import chinese_value
from ringfence.detect.texts.plain import LONGEST, plain
from ringfence.model.alert import Demand

SAMPLES = Path(__file__).parents[1] / "samples" / "extortion_texts.jsonl"
TEXTS: list[dict[str, Any]] = [json.loads(line) for line in SAMPLES.read_text("utf-8").splitlines()]
HOUR = 3_600_000_000
AT = (
    int(datetime(2026, 3, 5, 2, 0, tzinfo=UTC).timestamp()) * 1_000_000
)  # a Thursday, 10 in the morning in China
CHINA = 8 * HOUR
DEMANDS = [text for text in TEXTS if text["kind"] != "harmless"]
HARMLESS = [text for text in TEXTS if text["kind"] == "harmless"]


def share(texts: list[dict[str, Any]], is_right: Callable[[dict[str, Any]], bool]) -> float:
    return sum(map(is_right, texts)) / len(texts)


def demand_of(text: dict[str, Any]) -> Demand:
    return read(text["text"], AT, CHINA).demand


def test_the_texts_are_many_and_of_both_sorts() -> None:
    assert len(TEXTS) >= 320
    assert len(DEMANDS) >= 150
    assert len(HARMLESS) >= 150
    assert len({text["voice"] for text in TEXTS}) >= 8
    assert len({text["text"] for text in TEXTS}) == len(TEXTS)
    assert {text["account_kind"] for text in DEMANDS} - {None} <= {*KINDS, "gift card"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_amount_and_account_are_right_and_harmless_texts_are_left_alone(language: str) -> None:
    demands = [text for text in DEMANDS if text["language"] == language]
    harmless = [text for text in HARMLESS if text["language"] == language]
    assert share(demands, lambda t: demand_of(t).amount == t["amount"]) >= 0.95
    assert share(demands, lambda t: demand_of(t).currency == t["currency"]) >= 0.95
    assert share(demands, lambda t: demand_of(t).account == t["account"]) >= 0.95
    assert (
        share(demands, lambda t: demand_of(t).amount == t["amount"] and demand_of(t).account == t["account"])
        >= 0.95
    )
    assert share(demands, lambda t: read(t["text"], AT, CHINA).is_alert) >= 0.9
    assert share(harmless, lambda t: read(t["text"], AT, CHINA).is_alert) <= 0.02


@pytest.mark.parametrize("text", DEMANDS, ids=lambda text: str(text["id"]))
def test_what_stands_at_a_place_says_the_same_by_itself(text: dict[str, Any]) -> None:
    reading = read(text["text"], AT, CHINA)
    places = reading.places
    if reading.demand.amount is not None:
        start, end = places["amount"]
        alone = value_of(plain(text["text"][start:end]).text)
        assert alone is not None
        assert alone[0] == reading.demand.amount
    if reading.demand.account is not None:
        start, end = places["account"]
        slice_ = plain(text["text"][start:end])
        assert text["text"][start:end].strip() == text["text"][start:end]
        found = {one.value for one in accounts(slice_)} | {
            slice_.cased,
            slice_.cased.replace(" ", "").replace("-", ""),
        }
        letters = set(reading.demand.account.lower())
        assert reading.demand.account in found or letters <= set("0123456789+"), (found, reading.demand)


@given(st.text(max_size=200))
def test_plain_text_keeps_its_places(body: str) -> None:
    made = plain(body)
    assert len(made.text) == len(made.cased) == len(made.starts) == len(made.ends)
    for n in range(len(made.text)):
        start, end = made.place(n, n + 1)
        assert made.text[n] in plain(body[start:end]).text
    assert list(made.starts) == sorted(made.starts)
    assert plain(made.cased).text == made.text or "(" in made.text


@given(
    amount=st.integers(10, 99_999),
    card=st.from_regex(r"62[0-9]{14,17}", fullmatch=True),
    width=st.sampled_from(("plain", "full", "zero width")),
    spaced=st.booleans(),
)
def test_however_digits_are_written_sum_and_card_are_found(
    amount: int, card: str, width: str, spaced: bool
) -> None:
    shown = " ".join(card[n : n + 4] for n in range(0, len(card), 4)) if spaced else card
    body = f"不打钱就打爆你电话。{amount}元，卡号{shown}"
    if width == "full":
        body = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isdigit() else c for c in body)
    elif width == "zero width":
        body = "\u200b".join(body)
    reading = read(body, AT, CHINA)
    assert (reading.demand.amount, reading.demand.currency) == (amount, "CNY")
    assert (reading.demand.account, reading.demand.account_kind) == (card, "bank card")
    assert reading.is_alert
    start, end = reading.places["account"]
    assert body[start] not in " \u200b"
    assert "".join(c for c in plain(body[start:end]).text if c.isdigit()) == card


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("五百", 500), ("伍佰", 500), ("三百五", 350), ("两万五", 25_000), ("一千零五", 1_005), ("一万二", 12_000), ("十五", 15), ("五〇〇", 500),
        ("二十", 20), ("廿五", 25), ("百万", 1_000_000), ("一万零五百", 10_500), ("叁仟", 3_000), ("一亿", 100_000_000), ("元", None),
    ],
)  # fmt: skip
def test_chinese_numerals(written: str, value: float | None) -> None:
    assert chinese_value(written) == value


@pytest.mark.parametrize(
    ("written", "amount", "currency"),
    [
        ("打500到卡", 500, None), ("5k到账", 5_000, None), ("准备2w", 20_000, None), ("1.5万元", 15_000, "CNY"), ("￥1,200.50", 1_200.5, "CNY"),
        ("ＲＭＢ５００", 500, "CNY"), ("1万2打过来", 12_000, None), ("5OO元", 500, "CNY"), ("pay €1.500", 1_500, "EUR"), ("0.05 BTC", 0.05, "BTC"),
        ("200 USDT", 200, "USDT"), ("三百块钱", 300, "CNY"), ("两万台币", 20_000, "TWD"), ("pay 300 bucks", 300, "USD"), ("Rs. 2,500", 2_500, "INR"),
        ("1w5，快点", 15_000, None), ("转我俩w", 20_000, None), ("3千2，打支付宝", 3_200, None), ("两千五", 2_500, None), ("壹萬贰仟叁佰元", 12_300, "CNY"), ("廿万元", 200_000, "CNY"),
        ("500皮", 500, "CNY"), ("3个w，少一分都不行", 30_000, None), ("6 5 0 元", 650, "CNY"), ("五千蚊", 5_000, "HKD"), ("two grand", 2_000, None), ("five hundred quid", 500, "GBP"),
        ("fifteen hundred dollars", 1_500, "USD"), ("send 1.5 lakh", 150_000, None), ("send Rs.1,50,000/- now", 150_000, "INR"), ("Rs.3,2OO", 3_200, "INR"),
        ("5 x $100 Amazon gift cards", 500, "USD"), ("20 thousand rupees", 20_000, "INR"), ("3 thousand dollars", 3_000, "USD"),
    ],
)  # fmt: skip
def test_sums(written: str, amount: float, currency: str | None) -> None:
    demand = read(written, AT).demand
    assert (demand.amount, demand.currency) == (amount, currency)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("欠5000，加上利息共7800，今天还清", 7_800), ("本金三千，一天一百利息，到今天一共5600", 5_600), ("You won $1,000,000. Pay $450 processing fee", 450),
        ("奖金8万元，先汇个人所得税1600元", 1_600), ("人家出了三千叫我打你 你出五千", 5_000), ("350 dollars now or 700 tomorrow", 350), ("It was £300, it is now £450", 450),
        ("u borrowed 400 its now 900", 900), ("Rs 500/day penalty. total 6300 rs", 6_300),
    ],
)  # fmt: skip
def test_of_several_sums_the_one_that_is_due_now(written: str, amount: float) -> None:
    assert read(written, AT).demand.amount == amount


@pytest.mark.parametrize(
    ("written", "account", "kind"),
    [
        ("加卫星 abc_7788", "abc_7788", "WeChat"), ("薇❤信号：abc7788", "abc7788", "WeChat"), ("zfb：l5400007788", "15400007788", "Alipay"),
        ("Q Q：1 2 3 4 5 6 7 8 9", "123456789", "QQ"), ("支付宝账号 pay_me@example.com", "pay_me@example.com", "Alipay"),
        ("sort code 00 01 02 account number 0001 2345", "00012345", "bank account"), ("acc 00012345 sort 00-01-02", "00012345", "bank account"),
        ("A/c no. 00001234567 SBI", "00001234567", "bank account"), ("恒生 024-000123-888", "024000123888", "bank account"),
        ("匯到 812 0000-5566-7788-90", "81200005566778890", "bank account"), ("轉數快 9000 0123", "90000123", "FPS"), ("PhonePe 00000 12321", "0000012321", "UPI"),
        ("to DE00000000000000001234 or we call", "DE00000000000000001234", "IBAN"), ("text me on 07700 900123", "07700900123", "phone number"),
    ],
)  # fmt: skip
def test_accounts(written: str, account: str, kind: str) -> None:
    demand = read(written, AT).demand
    assert (demand.account, demand.account_kind) == (account, kind)


@pytest.mark.parametrize(
    "written",
    ["扫我微信收款码", "加微信详谈", "telegram me now", "call 0800 151 0900", "订单号 202300001111222"],
)
def test_what_is_no_account(written: str) -> None:
    assert read(written, AT).demand.account is None


def test_an_office_that_wants_it_on_a_private_account() -> None:
    office = "【交警】罚款200元，逾期将冻结驾照，"
    assert read(office + "请转至处理专员微信 abc_2021", AT).is_alert
    assert not read(office + "请在12123 App缴纳", AT).is_alert


@pytest.mark.parametrize(
    "written",
    [
        "5点前到",
        "24小时内",
        "第500号",
        "尾号3321",
        "8号楼502室",
        "room 500",
        "12:30",
        "on 6 March",
        "千万别报警",
        "我打了30遍",
        "2024年",
        "since 2019",
    ],
)
def test_what_is_no_sum(written: str) -> None:
    assert read(written, AT).demand.amount is None


@pytest.mark.parametrize(
    ("written", "said", "local"),
    [
        ("今晚8点前打钱", "今晚8点前", "2026-03-05T20:00"), ("24小时内打钱", "24小时内", "2026-03-06T10:00"), ("明天中午之前", "明天中午之前", "2026-03-06T12:00"),
        ("两小时内", "两小时内", "2026-03-05T12:00"), ("周日之前", "周日之前", "2026-03-09T00:00"), ("3月8日下午3点半前", "3月8日下午3点半前", "2026-03-08T15:30"),
        ("pay within 2 hours", "within 2 hours", "2026-03-05T12:00"), ("pay by Friday 5pm", "by Friday 5pm", "2026-03-06T17:00"),
        ("pay before midnight", "before midnight", "2026-03-06T00:00"), ("by 12 noon tomorrow", "by 12 noon tomorrow", "2026-03-06T12:00"),
        ("天黑之前", "天黑之前", None), ("1小时之内，不然", "1小时之内", "2026-03-05T11:00"),
    ],
)  # fmt: skip
def test_deadlines(written: str, said: str, local: str | None) -> None:
    demand = read(written, AT, CHINA).demand
    assert demand.deadline == said
    if local is None:
        assert demand.deadline_at is None
    else:
        assert demand.deadline_at is not None
        moment = datetime.fromtimestamp((demand.deadline_at + CHINA) / 1e6, UTC)
        assert f"{moment:%Y-%m-%dT%H:%M}" == local


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert mod97("GB29NWBK60161331926819")
    assert not mod97("GB29NWBK60161331926818")
    assert base58check("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    assert not base58check("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3")


def test_a_sum_alone_or_a_threat_alone_raises_nothing() -> None:
    assert not read("500元", AT).is_alert
    assert not read("你等着，打爆你电话", AT).is_alert
    assert not read("6222020200112233445", AT).is_alert
    assert read("500元打到6222020200112233445，不然打爆你电话", AT).is_alert


def test_a_warning_that_quotes_a_demand_is_none() -> None:
    demand = "500元打到6222020200112233445，不然打爆你电话"
    assert not read(f"警方提示：收到“{demand}”的短信请立即报警", AT).is_alert
    assert not read(f"我收到一条短信：{demand}，是不是骗子？", AT).is_alert


def test_pieces_add_up_to_the_bits() -> None:
    for text in DEMANDS:
        reading = read(text["text"], AT)
        assert max(sum(reading.worth), 0) == pytest.approx(reading.bits)
        assert not reading.is_alert or reading.bits >= THRESHOLD
        assert 0 <= reading.hypothesis < len(HYPOTHESES)


def test_beyond_its_limit_a_text_is_not_read() -> None:
    demand = "500元打到6222020200112233445，不然打爆你电话"
    assert read("好" * (LONGEST - len(demand)) + demand, AT).is_alert
    assert not read("好" * LONGEST + demand, AT).is_alert


def test_what_is_the_same_demand() -> None:
    first = Demand(500, "CNY", "6222", "bank card")
    assert same_demand(first, Demand(800, "CNY", "6222", "bank card")), "the price was raised"
    assert not same_demand(first, Demand(500, "CNY", "6228", "bank card"))
    assert same_demand(first, Demand(500, "CNY"))
    assert not same_demand(first, Demand(300, "CNY"))
    assert filled(Demand(500, "CNY"), Demand(None, None, "6222", "bank card", "今晚", 7)) == Demand(
        500, "CNY", "6222", "bank card", "今晚", 7
    )
