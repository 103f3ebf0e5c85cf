"""Packs are read with care: every mistake is one line that names the file and the key."""

import re

import pytest

from ringfence.model import caller_class as cc
from ringfence.model.pack_keys import PackError
from ringfence.model.packs import countries, pack_of, read_pack

WHOLE = """
country = "DE"
name = ["Germany", "德国"]
regulator = ["BNetzA", "联邦网络局"]
attestation = false
portable = true
[plan]
regions = ["DE"]
shared = ["DE"]
trunk = "0"
international = "00"
area = '[2-9]\\d{1,4}'
[emergency]
callback_hours = 1
[[numbers]]
name = ["police", "报警"]
kind = "emergency"
outbound = "never"
national = ['110', '112']
source = "TKG"
date = "2021"
[[verdicts]]
where = "abroad"
classes = ["fixed"]
verdict = "impossible"
rule = ["no fixed line from abroad", "固话不从境外呼入"]
source = "TKG, section 120"
date = "2022-12-01"
[[exceptions]]
by = "activity"
rule = ["roamers", "漫游"]
source = "TKG, section 120"
date = "2022-12-01"
"""


def test_a_pack_of_another_country_needs_no_code() -> None:
    pack = read_pack(WHOLE, "DE.toml")
    assert (pack.country, pack.code, pack.callback_hours, pack.portable) == ("DE", 49, 1.0, True)
    assert (
        pack.numbers[0].caller_class == cc.EMERGENCY
    )  # never or not: emergency services have a class of their own
    assert pack.verdicts[0].classes == (cc.FIXED,)
    assert pack.exceptions[0].words == ("roamers", "漫游")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('country = "DE"', "country = 1", "DE.toml: country: must be two capital letters"),
        ('country = "DE"', 'country = "de"', "DE.toml: country: must be two capital letters"),
        ('country = "DE"', 'country = "XX"', "DE.toml: country: no country of the number plans"),
        ('country = "DE"', "", "DE.toml: country: is missing: two capital letters is needed"),
        (
            'name = ["Germany", "德国"]',
            'name = ["Germany"]',
            "DE.toml: name: must be two texts, English and Chinese",
        ),
        ("portable = true", "portable = 1", "DE.toml: portable: must be true or false"),
        ("portable = true", "portable = true\nportible = true", "DE.toml: portible: there is no such key"),
        ("[plan]", "[plans]", "DE.toml: plan: is missing"),
        ('trunk = "0"', 'trunk = "zero"', "DE.toml: plan.trunk: must be digits"),
        ('shared = ["DE"]', 'shared = ["AT"]', "DE.toml: plan.shared: AT does not have the country code 49"),
        (
            'international = "00"',
            'international = "+"',
            "DE.toml: plan.international: the pattern '+' cannot be read",
        ),
        ('regions = ["DE"]', "regions = []", "DE.toml: plan.regions: must be a list of texts, not empty"),
        (
            'regions = ["DE"]',
            'regions = ["GB"]',
            "DE.toml: plan.regions: GB does not have the country code 49",
        ),
        (
            "area = '[2-9]\\d{1,4}'",
            "area = '[2-9]+'",
            "DE.toml: plan.area: the pattern '[2-9]+' cannot be read",
        ),
        ("callback_hours = 1", "callback_hours = -1", "DE.toml: emergency.callback_hours: must be hours"),
        ("callback_hours = 1", 'callback_hours = "1"', "DE.toml: emergency.callback_hours: must be a number"),
        (
            'kind = "emergency"',
            'kind = "police"',
            "DE.toml: numbers[0].kind: 'police' is not one of emergency, state",
        ),
        (
            'outbound = "never"',
            'outbound = "no"',
            "DE.toml: numbers[0].outbound: 'no' is not one of never, sometimes",
        ),
        ('outbound = "never"', "", "DE.toml: numbers[0].outbound: is missing: one of never"),
        (
            "national = ['110', '112']",
            "national = ['(110']",
            "DE.toml: numbers[0].national: the pattern '(110'",
        ),
        ("national = ['110', '112']", "national = ['\\d*']", "DE.toml: numbers[0].national: the pattern"),
        ("national = ['110', '112']", "", "DE.toml: numbers[0].national: no pattern at all"),
        ('source = "TKG"', 'source = " "', "DE.toml: numbers[0].source: must not be empty"),
        ('date = "2021"', 'date = "May"', "DE.toml: numbers[0].date: must be a date such as 2025-01-29"),
        ('date = "2021"', "date = 2021-01-01", "DE.toml: numbers[0].date: must be a date such as 2025-01-29"),
        (
            'where = "abroad"',
            'where = "elsewhere"',
            "DE.toml: verdicts[0].where: 'elsewhere' is not one of anywhere",
        ),
        (
            'classes = ["fixed"]',
            'classes = ["fixt"]',
            "DE.toml: verdicts[0].classes: 'fixt' is not one of withheld",
        ),
        (
            'classes = ["fixed"]',
            'classes = ["fixed", "fixed"]',
            "DE.toml: verdicts[0].classes: a second rule for fixed",
        ),
        (
            'classes = ["fixed"]',
            'classes = ["allowed"]',
            "DE.toml: verdicts[0].classes: nothing can be said of allowed",
        ),
        (
            'verdict = "impossible"',
            'verdict = "bad"',
            "DE.toml: verdicts[0].verdict: 'bad' is not one of impossible",
        ),
        ('by = "activity"', 'by = "magic"', "DE.toml: exceptions[0].by: 'magic' is not one of trunks"),
        ("[[exceptions]]", "[exceptions]", "DE.toml: exceptions: must be a list of tables"),
        (
            'kind = "emergency"\noutbound = "never"',
            'kind = "mobile"',
            "DE.toml: numbers: no rule of the kind emergency",
        ),
        ("[plan]", "[plan", "DE.toml: no TOML: "),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_key(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(PackError, match=re.escape(message)) as error:
        read_pack(WHOLE.replace(old, new, 1), "DE.toml")
    assert "\n" not in str(error.value)


def test_a_country_without_a_pack_is_told_which_there_are() -> None:
    with pytest.raises(PackError, match="no rules for the country 'DE': there are CA, CN, GB, IN, US"):
        pack_of("DE")
    assert pack_of(" cn ") is pack_of(" cn ")
    assert pack_of("cn").country == "CN"
    assert len(countries()) >= 5
