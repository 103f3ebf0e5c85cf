"""What is wrong with a table is said in words."""

import gzip
import io

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ringfence.train.recipe import RecipeError, parse
from ringfence.train.table import TableError, check, read, useful

GOOD = b"id,calls,share,label\n1,3,0.5,1\n2,,nan,0\n3,5,1e2,0\n"


def test_a_table_is_read_alike_from_csv_gzip_and_parquet() -> None:
    stream = io.BytesIO()
    pq.write_table(pacsv.read_csv(io.BytesIO(GOOD)), stream)
    for content in (GOOD, gzip.compress(GOOD), stream.getvalue()):
        table = read(content, "label")
        assert table.label.tolist() == [1, 0, 0]
        assert table.columns["calls"].tolist()[::2] == [3, 5]
        assert np.isnan(table.columns["calls"][1])
        assert np.isnan(table.columns["share"][1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read as a table"),
        (b"PAR1 nonsense", "cannot be read as a table"),
        (b"\x1f\x8bnonsense", "cannot be read as a table"),
        (b"a,b\n1,2\n3\n", "cannot be read as a table"),
        (b"a,label\n", "no rows"),
        (b"a,lable\n1,2\n", "no column 'label'; is 'lable' meant"),
        (b"a,b\n1,2\n", "no column 'label'; there are: a, b"),
        (b"a,a,label\n1,2,0\n", "two columns have the name 'a'"),
        (b"a,label\n1,2\n", "label 'label', row 1: 2 is neither 0 nor 1"),
        (b"a,label\n1,0\n2,\n", "label 'label', row 2: nothing is neither 0 nor 1"),
        (b"a,label\n1,0.5\n", "row 1: 0.5 is neither"),
        (b"a,label\n1,0\n2,1\nx,1\n", "column 'a', row 3: 'x' is not a number"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read(content, "label")


def test_a_wanted_column_must_be_there_and_be_numbers() -> None:
    with pytest.raises(TableError, match="no column 'cals'; is 'calls' meant"):
        read(GOOD, "label", ["cals"])
    with pytest.raises(TableError, match="column 'calls', row 1: 'many' is not a number"):
        read(b"calls,label\nmany,1\nfew,0\n", "label", ["calls"])
    with pytest.raises(TableError, match="holds no numbers but date32"):
        read(b"calls,label\n2026-03-05,1\n", "label", ["calls"])


def test_labels_may_be_words_and_text_columns_are_left_out() -> None:
    table = read(b"who,calls,label\nA,1,true\nB,2,false\n", "label")
    assert table.label.tolist() == [1, 0]
    assert table.skipped == {"who": "text"}
    assert list(table.columns) == ["calls"]


def test_what_is_no_measurement_is_left_out_with_its_reason() -> None:
    rng = np.random.default_rng(1)
    lines = 200
    columns = {
        "node": np.arange(lines) * 1.0,
        "calls": rng.poisson(30, lines) * 1.0,
        "once more": np.zeros(lines),
        "always": np.ones(lines),
        "empty": np.full(lines, np.nan),
        "mostly": np.where(np.arange(lines) < 9, np.nan, 1.0),
        "bytes": rng.permutation(10**6)[:lines] * 1.0,
        "mine": rng.random(lines),
    }
    columns["once more"] = columns["calls"].copy()
    text = ",".join([*columns, "label"]) + "\n"
    for row in range(lines):
        values = ["" if np.isnan(c[row]) else str(c[row]) for c in columns.values()]
        text += ",".join([*values, str(row % 2)]) + "\n"
    found = useful(read(text.encode(), "label"), ["mine"])
    assert found.skipped == {
        "node": "it numbers the rows", "once more": "the same as calls", "always": "always the same",
        "empty": "empty", "mine": "ignored",
    }  # fmt: skip
    assert list(found.columns) == ["calls", "mostly", "bytes"]


@pytest.mark.parametrize(
    ("frauds", "others", "said"),
    [(0, 100, "no line has the label 1"), (100, 0, "no line has the label 0"), (39, 100, "only 39 lines")],
)
def test_too_little_to_learn_from(frauds: int, others: int, said: str) -> None:
    rows = "".join(f"{n % 7},{int(n < frauds)}\n" for n in range(frauds + others))
    with pytest.raises(TableError, match=said):
        check(read(f"a,label\n{rows}".encode(), "label"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "not TOML"),
        ("titel = 'x'", "unknown entry: titel"),
        ("[[derived]]\nname = 'x'", "needs a name and one of"),
        ("[[derived]]\nname = 'x'\nratio = ['a']", "ratio needs two columns"),
        ("[names]\na = 'x'", "needs two names"),
    ],
)
def test_a_recipe_that_is_wrong_is_refused(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        parse(text)
