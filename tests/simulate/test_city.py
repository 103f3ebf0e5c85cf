"""The city keeps the contract of its tables and of the truth beside them."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.simulate.cities import Made, judged, micros, small_city

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.simulate import cast
from ringfence.simulate.city import City, begins, ends, people_of, slices
from ringfence.simulate.countries import COUNTRIES
from ringfence.simulate.rows import ROLES
from ringfence.simulate.truth import Truth
from ringfence.simulate.write import make, tables


@pytest.fixture(scope="module")
def city() -> Made:
    return small_city()


def test_tables_are_those_of_the_contract(city: Made) -> None:
    for name, schema in {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS}.items():
        assert city.tables[name].schema.equals(schema)
        assert len(city.tables[name]) > 1_000
        time = micros(city.tables[name]["start_time" if name == "calls" else "time"])
        assert (np.diff(time) >= 0).all()


def test_calls_make_sense(city: Made) -> None:
    start, answer, end = (micros(city.calls[n]) for n in ("start_time", "answer_time", "end_time"))
    talked = answer >= 0
    assert ((answer >= start) | ~talked).all()
    assert (end >= np.maximum(start, answer)).all()
    assert pc.count_distinct(city.calls["call_id"]).as_py() == len(city.calls)
    assert not pc.any(pc.equal(city.calls["caller"], city.calls["callee"])).as_py()
    ingress = city.column("ingress")
    assert ((city.column("trunk") == None) == (ingress == "subscriber")).all()  # noqa: E711
    causes = Counter(zip(talked.tolist(), city.column("cause").tolist(), strict=True))
    assert not any(answered and cause in {1, 17, 18, 19, 20, 21} for answered, cause in causes)


def test_the_same_seed_gives_the_same_city_and_another_seed_another() -> None:
    city = City(600, 1, seed=3, intensity={"texts": 0.1})
    first, truth = tables(city)
    again, truth_again = tables(city)
    assert truth == truth_again
    assert all(first[name].equals(again[name]) for name in first)
    other, _ = tables(City(600, 1, seed=4, intensity={"texts": 0.1}))
    assert not set(first["calls"]["call_id"].to_pylist()) & set(other["calls"]["call_id"].to_pylist())


def test_every_look_alike_every_crime_and_every_role_is_there(city: Made) -> None:
    seen = {(episode["crime"], episode["shape"]) for episode in city.truth["episodes"]}
    wanted = {
        (getattr(module, "CRIME", None), shape)
        for module in cast.ALL.values()
        if hasattr(module, "RATE")
        for shape in cast.shapes(module)
    }
    assert not wanted - seen
    assert all(city.truth["lines"][kind.name] > 0 for kind in cast.kinds())
    assert {row["role"] for row in city.tables["truth_calls"].to_pylist()} == set(ROLES[1:])


def test_the_truth_agrees_with_the_calls(city: Made) -> None:
    ids, start = city.calls["call_id"].to_pylist(), micros(city.calls["start_time"])
    when = dict(zip(ids, start.tolist(), strict=True))
    spans: dict[str, list[int]] = {}
    for row, time in zip(
        city.tables["truth_calls"].to_pylist(),
        micros(city.tables["truth_calls"]["start_time"]).tolist(),
        strict=True,
    ):
        assert when[row["call_id"]] == time
        if row["episode"]:
            spans.setdefault(row["episode"], []).append(time)
    episodes = {episode["id"]: episode for episode in city.truth["episodes"]}
    assert set(spans) == set(episodes)
    for name, times in spans.items():
        episode = episodes[name]
        assert (episode["calls"], _micros(episode["begins"]), _micros(episode["ends"])) == (
            len(times), min(times), max(times),
        )  # fmt: skip
    first = [episode["begins"] for episode in city.truth["episodes"]]
    assert first == sorted(first)
    assert sum(city.truth["lines"].values()) == 3_000
    assert Counter(city.truth["special_lines"].values()) == Counter(
        {kind: count for kind, count in city.truth["lines"].items() if kind != "person"}
    )


def _micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def test_own_numbers_are_valid_and_spread_over_many_ranges(city: Made) -> None:
    own = {
        c
        for c, i in zip(city.column("caller"), city.column("ingress"), strict=True)
        if i == "subscriber" and c
    }
    own = {number for number in own if number.startswith("+")}
    assert len(own) > 2_000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in own)
    assert len({number[:10] for number in own}) > 150


def test_honest_numbers_are_valid(city: Made) -> None:
    roles = city.roles()
    crime = {i for i, found in roles.items() if {r for _, r in found} - {"look_alike", "roamer"}}
    honest = {
        caller
        for i, caller in zip(city.calls["call_id"].to_pylist(), city.column("caller"), strict=True)
        if i not in crime and caller and caller.startswith("+")
    }
    bad = [n for n in list(honest)[:4_000] if not phonenumbers.is_valid_number(phonenumbers.parse(n))]
    assert len(bad) <= 4, bad  # a number abroad may be invalid in its last digits only


_MAY_LOOK_FORGED = {"roamer", "emergency_call_back"}


@pytest.mark.parametrize("country", COUNTRIES)
def test_other_countries(country: str) -> None:
    found, truth = tables(City(500, 0.5, seed=2, country=country, intensity={"crime": 0, "texts": 0}))
    code = "+" + COUNTRIES[country].code
    callees = {n for n in found["calls"]["callee"].to_pylist() if n.startswith(code)}
    valid = [phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in callees]
    assert np.mean(valid) > 0.97  # famous numbers may be shorter than the plan allows
    signed = found["calls"]["attestation"].drop_null().to_pylist()
    assert set(signed) == ({"A", "B", "C"} if COUNTRIES[country].attested else set())
    assert truth["made_by"]["country"] == country
    honest = [row["call_id"] for row in found["truth_calls"].to_pylist() if row["role"] in _MAY_LOOK_FORGED]
    assert not set(judged(found["calls"], country)) - set(honest)


def test_slices_come_in_order_and_hold_only_their_own_hours() -> None:
    city = City(800, 1, seed=5, intensity={"texts": 0}, slice_hours=2)
    now, rows = begins(city), []
    for part in slices(city, Truth(), people_of(city)):
        start = micros(part.calls["start_time"])
        assert start.min() >= now
        assert start.max() < now + 2 * 3_600_000_000
        now += 2 * 3_600_000_000
        rows.append(len(start))
    assert (now, len(rows)) == (ends(city), 12)
    assert max(rows) < 0.3 * sum(
        rows
    )  # a slice is a part of the whole, so memory does not grow with the days


@pytest.mark.parametrize("hours", [5, 36])
def test_slices_of_any_length_make_the_same_city(hours: int) -> None:
    wanted = City(600, 2, seed=5, intensity={"texts": 0.1})
    usual, other = _joined(wanted), _joined(replace(wanted, slice_hours=hours))
    assert usual[1] == other[1]
    for name, table in usual[0].items():
        assert table.to_pydict() == other[0][name].to_pydict()


def _joined(city: City) -> tuple[dict[str, pa.Table], list[tuple[str, int]]]:
    truth = Truth()
    parts = list(slices(city, truth, people_of(city)))
    names = ("calls", "texts", "transfers", "truth_calls")
    found = {name: pa.concat_tables([getattr(part, name) for part in parts]) for name in names}
    return found, [(episode.id, episode.calls) for episode in truth.told()]


def test_files_appear_when_they_are_whole(tmp_path: Path) -> None:
    city = City(500, 0.5, seed=5, intensity={"texts": 0.1}, slice_hours=4)
    (tmp_path / "calls.parquet").write_text("an earlier city")

    def interrupt(done: float, calls: int) -> None:
        if done > 0.5 and calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(city, tmp_path, interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["calls.parquet"]
    assert (tmp_path / "calls.parquet").read_text() == "an earlier city"
    counts = make(city, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "calls.parquet", "texts.parquet", "transfers.parquet", "truth.json", "truth_calls.parquet",
    ]  # fmt: skip
    written = pq.read_table(tmp_path / "calls.parquet")
    assert written.schema.equals(CALLS)
    assert len(written) == counts["calls"] > 300


def test_no_crime_if_none_is_wanted() -> None:
    _, truth = tables(City(600, 2, seed=5, intensity={"crime": 0, "texts": 0}))
    assert {episode["crime"] for episode in truth["episodes"]} == {None}


def test_the_example_of_the_documentation_works(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "city.md").read_text("utf-8")
    module = ModuleType("lottery")
    exec(page.split("```python\n")[1].split("```")[0], module.__dict__)
    monkeypatch.setitem(cast.ALL, "lottery", module)
    _, truth = tables(City(500, 1, seed=5, intensity={"crime": 0, "texts": 0}))
    lottery = [episode for episode in truth["episodes"] if episode["shape"] == "lottery"]
    assert [episode["crime"] for episode in lottery] == [None]
    assert lottery[0]["calls"] > 10


def test_the_page_names_every_look_alike_and_crime() -> None:
    page = (Path(__file__).parents[2] / "docs" / "city.md").read_text("utf-8")
    for name, module in cast.ALL.items():
        assert f"| `{name}` |" in page
        assert module.__name__.rsplit(".", 1)[1] == name
