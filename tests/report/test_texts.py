"""How texts that were handed over stand in the report."""

from hypothesis import given
from hypothesis import strategies as st
from tests.report.example import BEGIN

from ringfence.detect import extortion_text
from ringfence.model.alert import Alert, Demand, Episode, LedgerEntry
from ringfence.report.page import render
from ringfence.report.story import SourceFile, Story, Summary
from ringfence.report.texts import LONGEST, marked

BODY = "<b>500元</b>打到6222020200112233445，今晚8点前，不然打爆你电话"
SUMMARY = Summary([SourceFile("texts.csv", "csv_table", 1, 0, 0)], 0, 0, None, None, notes={"texts_read": 1})


def story(body: str = BODY, kind: str | None = None) -> Story:
    reading = extortion_text.read(body, BEGIN)
    demand = reading.demand if kind is None else Demand(account_kind=kind)
    entry = LedgerEntry(BEGIN, "", None, 1, 0.0, "names a sum", "写明金额", 1.5, 1.5)
    episode = Episode(BEGIN, "", BEGIN, BEGIN, None, None, 1, 1)
    places = {
        name: place
        for name, place in reading.places.items()
        if name in {"amount", "account", "deadline", "threat"}
    }
    alert = Alert(
        "extortion_text", "+8613800000001", BEGIN, "", 16.0, 0.99, "pay or it goes on", "敲诈勒索", [entry], [episode],
        text_id="ab", demand=demand, places=places,
    )  # fmt: skip
    return Story(alert, [], text=body)


def test_the_text_stands_there_with_its_pieces_marked_and_nothing_of_it_is_markup() -> None:
    page = "".join(render(SUMMARY, [story()]))
    assert '&lt;b&gt;<mark class="m-amount">500元</mark>&lt;/b&gt;' in page
    assert '<mark class="m-account">6222020200112233445</mark>' in page
    assert "<b>500" not in page
    assert "One text that demands money" in page
    assert "1 条勒索、诈骗短信" in page
    assert "1 texts in one file were read." in page
    assert "No flood of calls was found" not in page


def test_every_kind_of_account_has_its_word() -> None:
    for kind in ("bank card", "TRON", "gift card", "Zelle"):
        assert "".join(render(SUMMARY, [story(kind=kind)]))


@given(
    st.text(max_size=50),
    st.dictionaries(
        st.sampled_from(("amount", "account", "deadline", "threat", "other")),
        st.tuples(st.integers(0, 60), st.integers(0, 60)),
    ),
)
def test_pieces_are_the_whole_text_whatever_the_places_say(
    text: str, places: dict[str, tuple[int, int]]
) -> None:
    pieces, cut = marked(text, places)
    assert len("".join(piece.text for piece in pieces)) == len(text)
    assert not cut
    assert marked("x" * (LONGEST + 1), {})[1]
