"""The same checks for every detector of texts that is found."""

import re
import string
import time
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.text_detectors import ALL_DETECTORS, TEXT_DETECTORS, of_calls

AT = 1_772_676_000_000_000
every_detector = pytest.mark.parametrize("detector", TEXT_DETECTORS, ids=lambda detector: str(detector.NAME))
PIECES = (
    "500元", "五百块", "2w", "$", "6222020200112233445", "６２２２", "陆贰贰", "不然", "打爆你电话", "今晚8点前", "支付宝", "@", "t.me/",
    "1", "〇", "o", ".", " ", "-", ",", "a", "T", "0x", "bc1", "within 2 hours", "pay", "\u200b", "①", "é", "㎞", "[", "(", "http://", "\n",
)  # fmt: skip


@every_detector
def test_it_has_what_a_scan_and_the_reader_need(detector: ModuleType) -> None:
    assert detector.__name__.rpartition(".")[2] == detector.NAME
    assert detector.__doc__
    assert detector.THRESHOLD > detector.PRIOR_BITS
    words = [*detector.WORDS.values(), *detector.HYPOTHESES, detector.TITLE]
    for english, chinese in words:
        assert set(english) <= set(string.printable)
        assert any("一" <= letter <= "鿿" for letter in chinese)
        assert not re.search(r"[{}]", english + chinese)


def test_calls_and_texts_have_their_own_detectors() -> None:
    names = [detector.NAME for detector in ALL_DETECTORS]
    assert len(set(names)) == len(names) == len(DETECTORS) + len(TEXT_DETECTORS)
    assert of_calls(None) is None
    assert of_calls(("flood", "extortion_text")) == ("flood",)


@every_detector
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_no_text_breaks_it_and_every_piece_lies_in_the_text(detector: ModuleType, body: str) -> None:
    reading = detector.read(body, AT)
    assert reading.bits >= 0
    assert 0 <= reading.probability <= 1
    assert sum(reading.worth) <= reading.bits + 1e-9
    for piece in reading.seen:
        start, end = piece.place
        assert 0 <= start < end <= len(body)
        assert piece.what in detector.WORDS
    assert detector.read(body, AT) == reading


@every_detector
@pytest.mark.parametrize(
    "piece",
    [*PIECES, "1 ", "a-", "五", "打", "@a", "6222 ", "不打", "1.", "你", "call ", "sort ", "a.b", "1-", "今"],
)
def test_a_long_text_of_one_sort_does_not_take_ever_longer(detector: ModuleType, piece: str) -> None:
    """Ten times the text may take ten times as long, not a hundred: the bound holds on a machine fifty times slower."""
    body = piece * 20_000
    began = time.process_time()
    detector.read(body, AT)
    assert time.process_time() - began < 5.0
