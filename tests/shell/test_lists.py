"""The operator's lists, the names of trunks, and what goes wrong with either."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.forgeries import HOUR, Records
from tests.passes import calls_from

from ringfence.model.number_lists import ListError
from ringfence.model.numbers import NumberPlan
from ringfence.shell import trunks
from ringfence.shell.lists import read_lists
from ringfence.shell.scan import Options, ResumeError, Scan, scan
from ringfence.shell.trunks import TrunkBook, file_name

PLAN = NumberPlan.of("CN")
FIXED, LINE = "+862160001234", "+8613900000002"


def folder_of(path: Path, **texts: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.txt").write_text(text, "utf-8")
    return path


def test_lists_are_read_by_their_names(tmp_path: Path) -> None:
    lists = read_lists(
        folder_of(
            tmp_path / "l", own="+86138*", never="10086 # ours\n", trunks_proven="gw-1\n# none\n gw 2\n"
        ),
        PLAN,
    )
    assert lists.numbers.own
    assert lists.numbers.never
    assert lists.numbers.ported_out is None
    assert len(lists.proven) == 2
    assert lists.digest != read_lists(folder_of(tmp_path / "m", own="+86138*"), PLAN).digest
    assert read_lists(None, PLAN).digest == ""


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"own": "+86138\nnonsense"}, "own.txt, line 1: '\\+86138' is no number|own.txt, line 2: 'nonsense'"),
        ({"owns": "+86138*"}, "owns.txt: no such list; there are own.txt"),
        ({}, "holds no list"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, texts: dict[str, str], words: str) -> None:
    with pytest.raises(ListError, match=words) as error:
        read_lists(folder_of(tmp_path / "l", **texts), PLAN)
    assert "\n" not in str(error.value)


def test_no_folder_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="is not a folder"):
        read_lists(tmp_path / "nowhere", PLAN)
    (folder_of(tmp_path / "l") / "own.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ListError, match="is not UTF-8 text"):
        read_lists(tmp_path / "l", PLAN)


def calls(tmp_path: Path) -> Path:
    records = Records()
    for n in range(30):
        records.abroad(n * HOUR, FIXED, LINE)
    pq.write_table(records.table(), tmp_path / "calls.parquet")
    return tmp_path / "calls.parquet"


def test_a_scan_obeys_them(tmp_path: Path) -> None:
    files = [calls(tmp_path)]
    how: dict[str, Any] = {"detect": ("forged_caller",)}
    assert len(scan(Options(files, tmp_path / "a", **how)).stories) == 2
    for n, (name, text) in enumerate((("allow", FIXED), ("abroad", "+8621*"), ("trunks_proven", "gw-1"))):
        lists = folder_of(tmp_path / str(n), **{name: text})
        assert scan(Options(files, tmp_path / "b", lists=lists, **how)).stories == []


def test_a_scan_is_not_resumed_under_other_options(tmp_path: Path) -> None:
    files, lists = [calls(tmp_path)], folder_of(tmp_path / "l", allow=LINE)
    small: dict[str, Any] = {"batch": 5, "window": 5, "detect": ("forged_caller",)}
    assert not Scan(Options(files, tmp_path / "out", lists=lists, **small)).run(lambda: True).finished
    with pytest.raises(ResumeError, match="the each_call of the interrupted scan"):
        Scan(Options(files, tmp_path / "out", lists=lists, each_call=True, **small), resume=True).run()
    folder_of(tmp_path / "l", allow=FIXED)
    with pytest.raises(ResumeError, match="the lists of the interrupted scan"):
        Scan(Options(files, tmp_path / "out", lists=lists, **small), resume=True).run()


def test_names_and_counts_of_trunks(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records()
    for n, trunk in enumerate(["a", "b", "a", None, "c", "a"]):
        records.abroad(n * 60, FIXED, LINE, trunk=trunk)
    table = records.table()
    column = table["trunk"].combine_chunks()
    for texts in (column, column.dictionary_encode()):
        book = TrunkBook()
        book.learn(texts)
        book.count(calls_from(table)[0])
        assert book.totals() == {"a": 3, "b": 1, "c": 1}
        again = TrunkBook()
        again.restore(book.as_json())
        assert again.totals() == book.totals()
    monkeypatch.setattr(trunks, "MOST_TRUNKS", 2)
    book = TrunkBook()
    book.learn(pa.array([f"made up {n}" for n in range(50)]))
    book.count(calls_from(table)[0])
    assert len(book.as_json()) == 2
    assert book.text(int(np.int64(-1))) == "~ffffffffffffffff"


def test_file_names_are_safe_and_their_own() -> None:
    taken: set[str] = set()
    names = [
        "gw-1",
        "GW-1",
        "../../etc/passwd",
        "",
        "国际",
        "a" * 500,
        "a/b",
        "a b",
        ".hidden",
        "con\n",
    ]
    found = [file_name(name, taken) for name in names]
    assert len({name.lower() for name in found}) == len(names)
    assert found[0] == "gw-1"
    assert all(
        name and set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        for name in found
    )
    assert max(map(len, found)) <= 70
