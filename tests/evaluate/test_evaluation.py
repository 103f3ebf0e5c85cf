"""The whole: reliability, reading what comes, refusing what does not belong, and the command."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.made import (
    BEGIN,
    COURIER,
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    VICTIM,
    alert,
    attack,
    episode,
    scam,
    write_alerts,
    write_truth,
)
from typer.testing import CliRunner, Result

from ringfence.cli.main import app
from ringfence.evaluate.alerts import read_alerts
from ringfence.evaluate.evaluation import evaluate
from ringfence.evaluate.inputs import InputError
from ringfence.evaluate.intervals import share
from ringfence.evaluate.kinds import kinds
from ringfence.evaluate.reliability import EDGES, reliability
from ringfence.evaluate.table import percent
from ringfence.evaluate.truth import CRIMES


def invoke(*args: Any) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, args)])


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A flood, a scam, a look-alike; the truth in `city`, the alerts in `scan`."""
    episodes = [
        episode("f1", "flood", VICTIM, DAY, DAY + 9 * MINUTE),
        scam("c1", OTHER, 2 * DAY, 2 * DAY + HOUR, 2 * DAY + 3 * HOUR, "international"),
        episode("a1", None, COURIER, DAY, DAY + HOUR, "viral_advert"),
        episode("g1", "forged_caller", None, DAY, DAY, "fixed_line", trunk="hk-1"),
        episode("l1", "fraud_line", "+8613700000000", DAY, DAY, "sim_box"),
    ]
    calls = [*attack("f1", DAY, MINUTE, 10), ("g1-0", DAY, "g1", "forged_fixed_line")]
    write_truth(tmp_path / "city", episodes, calls)
    (tmp_path / "scan").mkdir()
    write_alerts(tmp_path / "scan" / "alerts.jsonl", ALERTS)
    return tmp_path


ALERTS = [
    alert("flood", VICTIM, DAY + 3 * MINUTE, probability=0.97),
    alert("flood", COURIER, DAY + 3 * MINUTE, 4 * DAY, probability=0.6),
    alert("scam_call", OTHER, 2 * DAY + 80 * MINUTE, probability=None),
    alert("gang", "gang-7", 2 * DAY),
]


def test_there_is_a_file_for_every_crime_of_the_truth() -> None:
    assert set(kinds()) == set(CRIMES)


@pytest.mark.parametrize("name", ["alerts.jsonl", "alerts.parquet"])
def test_lines_and_parquet_say_the_same(city: Path, name: str) -> None:
    expected = evaluate(city / "scan", city / "city")
    found = evaluate(write_alerts(city / name, ALERTS), city / "city" / "truth.json")
    for key in ("kinds", "reliability", "not_judged"):
        assert found[key] == expected[key]
    assert found["not_judged"] == {"gang": 1}


def test_alerts_need_no_more_than_the_contract_says(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").write_text(
        '\n{"kind": "flood", "subject": "+861", "raised_at": "2026-03-05T10:11:09+08:00", "new": {"a": [1]}}\n'
    )
    alerts = read_alerts(tmp_path / "alerts.jsonl")
    assert alerts.raised_at[0] == (3 * DAY + 2 * HOUR + 11 * MINUTE + 9) * 1e6 + BEGIN.timestamp() * 1e6
    assert math.isnan(alerts.probability[0])


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_no_alerts_is_an_answer(city: Path, text: str) -> None:
    (city / "none.jsonl").write_text(text)
    found = evaluate(city / "none.jsonl", city / "city")
    assert found["kinds"]["flood"]["missed"]["ids"] == ["f1"]
    assert found["kinds"]["flood"]["precision"]["share"] is None
    assert found["reliability"]["all"]["brier"] is None


def test_reliability_by_hand() -> None:
    said = np.array([0.5, 0.79, 0.9, 0.94, 1.0, np.nan])
    true = np.array([True, False, True, True, True, True])
    found = reliability(said, true)
    assert [each["true"]["of"] for each in found["bins"]] == [0, 2, 0, 2, 0, 1]
    assert found["bins"][1]["said"] == pytest.approx(0.645)
    assert found["bins"][1]["true"]["share"] == 0.5
    assert found["brier"] == pytest.approx((0.25 + 0.6241 + 0.01 + 0.0036) / 5)
    assert found["ece"] == pytest.approx((2 * 0.145 + 2 * 0.08) / 5)
    assert (found["alerts"], found["without_probability"]) == (5, 1)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_every_alert_is_in_one_bin_that_holds_what_it_says(rows: list[tuple[float, bool]]) -> None:
    said, true = np.array([p for p, _ in rows], dtype=float), np.array([t for _, t in rows], dtype=bool)
    found = reliability(said, true)
    assert sum(each["true"]["of"] for each in found["bins"]) == len(rows)
    assert sum(each["true"]["count"] for each in found["bins"]) == true.sum()
    for each in found["bins"]:
        assert each["said"] is None or each["from"] - 1e-12 <= each["said"] <= each["to"] + 1e-12
    assert found["bins"][-1]["to"] == EDGES[-1] == 1


def test_reliability_judges_alerts_once_by_their_own_raising(city: Path) -> None:
    found = evaluate(city / "scan", city / "city")["reliability"]
    assert found["flood"]["alerts"] == 2
    assert found["flood"]["brier"] == pytest.approx((0.03**2 + 0.6**2) / 2)
    assert found["scam_call"]["without_probability"] == 1
    assert found["all"]["alerts"] == 2


def test_the_command_prints_tables_and_writes_json(city: Path) -> None:
    result = invoke(city / "scan", city / "city", "--json", city / "out.json")
    assert result.exit_code == 0, result.output
    for words in (
        "Floods of calls",
        "viral_advert",
        "hk-1",
        "from international",
        "Brier",
        "not judged: 1 alert of kind gang",
    ):
        assert words in result.stdout
    assert "\x1b" not in result.stdout
    found = json.loads((city / "out.json").read_text("utf-8"))
    assert found["format"] == "ringfence-evaluation/1"
    assert set(found["kinds"]) == set(CRIMES)
    assert found["kinds"]["flood"]["by_shape"]["withheld"]["delay_calls"]["p95"] == 4


def test_the_page_describes_every_key(city: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text("utf-8")

    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(keys, value))
        if not isinstance(value, dict):
            return set()
        named = {
            "made_by",
            "by_line",
            "by_shape",
            "by_behind",
            "by_role",
            "by_call",
            "trunks",
            "kinds",
            "reliability",
        }
        named |= {"in_other_crimes", "not_judged"}
        inner = [
            keys(each if key not in named or not isinstance(each, dict) else list(each.values()))
            for key, each in value.items()
        ]
        return set(value).union(*inner)

    missing = {key for key in keys(evaluate(city / "scan", city / "city")) if f"`{key}`" not in page}
    assert not missing


def test_only_the_kinds_asked_for(city: Path) -> None:
    result = invoke(city / "scan", city / "city", "--kind", "flood", "--json", city / "out.json")
    assert result.exit_code == 0
    assert set(json.loads((city / "out.json").read_text("utf-8"))["kinds"]) == {"flood"}
    assert "Scam calls" not in result.stdout


def broken(folder: Path, name: str) -> list[Any]:
    """Arguments that cannot be evaluated."""
    scan, city = folder / "scan", folder / "city"
    told = json.loads((city / "truth.json").read_text("utf-8"))
    match name:
        case "no alerts file":
            return [folder / "nothing.jsonl", city]
        case "folder without alerts":
            return [city, city]
        case "folder without truth":
            return [scan, scan]
        case "alerts cut off":
            (scan / "alerts.jsonl").write_text(json.dumps(ALERTS[0]) + "\n" + json.dumps(ALERTS[1])[:90])
        case "alerts with a bad time":
            (scan / "alerts.jsonl").write_text(
                json.dumps(ALERTS[0]) + "\n" + json.dumps(ALERTS[1] | {"raised_at": "noon"})
            )
        case "alerts are calls":
            (scan / "alerts.jsonl").write_text('{"caller": "+861", "callee": "+862"}\n')
        case "alerts are other Parquet":
            return [city / "truth_calls.parquet", city]
        case "alerts are cut Parquet":
            path = write_alerts(folder / "alerts.parquet", ALERTS)
            path.write_bytes(path.read_bytes()[:-100])
            return [path, city]
        case "truth is not JSON":
            (city / "truth.json").write_text('{"format": ')
        case "truth of another format":
            (city / "truth.json").write_text(json.dumps(told | {"format": "ringfence-truth/9"}))
        case "truth is a list":
            (city / "truth.json").write_text("[]")
        case "episode without shape":
            del told["episodes"][0]["shape"]
            (city / "truth.json").write_text(json.dumps(told))
        case "episode with a bad time":
            told["episodes"][1]["grip_began"] = "soon"
            (city / "truth.json").write_text(json.dumps(told))
        case "episode without its end":
            told["episodes"][1]["ends"] = None
            (city / "truth.json").write_text(json.dumps(told))
        case "episode twice":
            told["episodes"].append(told["episodes"][0])
            (city / "truth.json").write_text(json.dumps(told))
        case "no truth_calls":
            (city / "truth_calls.parquet").unlink()
        case "truth_calls broken":
            (city / "truth_calls.parquet").write_bytes(b"PAR1 and no more")
        case "truth_calls of another truth":
            write_truth(folder / "other", [episode("zz", "flood", VICTIM, DAY, DAY)], attack("zz", DAY, 1, 2))
            (folder / "other" / "truth_calls.parquet").replace(city / "truth_calls.parquet")
        case "truth of other days":
            write_alerts(scan / "alerts.jsonl", [alert("flood", VICTIM, 400 * DAY)])
        case "unknown kind":
            return [scan, city, "--kind", "flood,murder"]
    return [scan, city]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no alerts file", "no such file"),
        ("folder without alerts", "has no alerts.parquet or alerts.jsonl"),
        ("folder without truth", "has no truth.json"),
        ("alerts cut off", "line 2: is not a JSON object"),
        ("alerts with a bad time", 'line 2: raised_at cannot be "noon"'),
        ("alerts are calls", "line 1: is not an alert: it has no kind"),
        ("alerts are other Parquet", "has no column kind"),
        ("alerts are cut Parquet", "is broken"),
        ("truth is not JSON", "is not JSON"),
        ("truth of another format", "ringfence-truth/9"),
        ("truth is a list", "no JSON object"),
        ("episode without shape", "episode f1: shape is missing"),
        ("episode with a bad time", "grip_began of c1: 'soon' is not a time"),
        ("episode without its end", "episode c1: ends is missing"),
        ("episode twice", "two episodes have the id f1"),
        ("no truth_calls", "truth_calls.parquet: no such file"),
        ("truth_calls broken", "is not the calls of a truth"),
        ("truth_calls of another truth", "names an episode zz"),
        ("truth of other days", "is the truth of other calls"),
        ("unknown kind", "no kind of alert is called 'murder'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(city: Path, name: str, says: str) -> None:
    result = invoke(*broken(city, name))
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.startswith("ringfence: ")
    assert result.stderr.count("\n") == 1


def test_json_that_cannot_be_written_is_said(city: Path) -> None:
    result = invoke(city / "scan", city / "city", "--json", city / "no folder" / "x.json")
    assert result.exit_code == 1
    assert "no folder" in result.stderr


def test_a_row_without_subject_in_parquet_is_named(city: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "kind": ["flood", "flood"],
            "subject": ["+861", None],
            "raised_at": pa.array([0, 1], pa.timestamp("us", "UTC")),
        }
    )
    pq.write_table(table, city / "x.parquet")
    with pytest.raises(InputError, match=r"row 2: subject is missing"):
        read_alerts(city / "x.parquet")


def test_what_is_not_all_never_reads_a_hundred() -> None:
    assert percent(share(5, 5)).startswith("100 %")
    assert percent(share(99_999, 100_000)).startswith("99.999")
    assert percent(share(10**7 - 1, 10**7)).startswith("99.999")
    assert percent(share(1, 10**7)).startswith("0.000010 %")
    assert percent(share(2, 3)) == "66.7 % (20.8–93.9)"
