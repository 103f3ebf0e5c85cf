"""Figures of merit against their definitions, and cross-validation that cannot see what it judges."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.train import made

from ringfence.train.fitting import Settings, fit, parts_of
from ringfence.train.measure import auc, confusion, cross_validate, groups_of, reliability, rows, tpr_at
from ringfence.train.recipe import NONE, recognise, shipped
from ringfence.train.report import as_dict, caveats, page
from ringfence.train.table import Labelled, read

QUICK = Settings(folds=3, penalties=(25.0,), trees=100, pairs=1)


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60))
def test_auc_is_the_share_of_pairs_in_the_right_order(lines: list[tuple[bool, int]]) -> None:
    frauds = [score for fraud, score in lines if fraud]
    others = [score for fraud, score in lines if not fraud]
    if not frauds or not others:
        return
    right = sum((f > o) + (f == o) / 2 for f in frauds for o in others)
    label, score = (np.array(column, float) for column in zip(*lines, strict=True))
    assert auc(label, score) == pytest.approx(right / (len(frauds) * len(others)))


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60), st.floats(0, 0.9))
def test_tpr_at_is_the_best_threshold_that_keeps_the_share(
    lines: list[tuple[bool, int]], share: float
) -> None:
    frauds = [score for fraud, score in lines if fraud]
    others = [score for fraud, score in lines if not fraud]
    if not frauds or not others:
        return
    best = max(
        sum(f >= bar for f in frauds) / len(frauds)
        for bar in range(-6, 8)
        if sum(o >= bar for o in others) <= share * len(others) + 1e-9
    )
    label, score = (np.array(column, float) for column in zip(*lines, strict=True))
    assert tpr_at(label, score, share) == pytest.approx(best)


def test_confusion_by_hand() -> None:
    label = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], float)
    called = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0], bool)
    accuracy, macro_f1, macro_recall = confusion(label, called)
    assert accuracy == pytest.approx(0.8)
    assert macro_f1 == pytest.approx((2 * 2 / 6 + 2 * 6 / 14) / 2)
    assert macro_recall == pytest.approx((2 / 3 + 6 / 7) / 2)


def test_reliability_by_hand() -> None:
    points = reliability(np.array([0.0, 0, 1, 1, 1, 0]), np.array([0.05, 0.05, 0.95, 0.95, 1.0, 0.55]))
    assert [(p.lines, round(p.true, 3)) for p in points] == [(2, 0.0), (1, 0.0), (3, 1.0)]
    assert points[0].low == 0.0 < points[0].high < 0.8
    assert points[-1].high == pytest.approx(1.0)


def test_folds_hold_as_many_of_each_kind() -> None:
    label = np.array([1.0] * 33 + [0.0] * 67)
    fold = parts_of(label, 5, np.random.default_rng(1))
    for kind, least in ((1.0, 6), (0.0, 13)):
        counts = np.bincount(fold[label == kind], minlength=5)
        assert counts.min() >= least
        assert np.ptp(counts) <= 1


def test_rows_about_the_same_line_are_kept_out_together() -> None:
    """Lines whose labels are chance, each on four days: who has seen one of its days must not be asked about another."""
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(150), 4)
    label = np.repeat((rng.random(150) < 0.4).astype(float), 4)
    fold = parts_of(label, 4, np.random.default_rng(1), unit)
    assert all(len(set(fold[unit == one])) == 1 for one in range(150))
    assert np.bincount(fold).min() > 120
    columns = {f"x{n}": rng.normal(size=150)[unit] + 0.01 * rng.normal(size=600) for n in range(8)}
    table = Labelled(columns, label, {}, "", unit)
    assert cross_validate(table, QUICK, folds=4, repeats=1).mean("auc") < 0.62
    assert cross_validate(replace(table, unit=None), QUICK, folds=4, repeats=1).mean("auc") > 0.62


def test_labels_by_the_toss_of_a_coin_are_not_learned() -> None:
    """What is chosen within the folds must not leak into the figures: on noise they say noise."""
    rng = np.random.default_rng(8)
    columns = {f"x{n}": rng.normal(size=500) for n in range(25)}
    table = Labelled(columns, (rng.random(500) < 0.4).astype(float), {}, "")
    measured = cross_validate(table, QUICK, folds=4, repeats=1)
    assert 0.42 < measured.mean("auc") < 0.58


def test_groups_are_measured_by_themselves_and_shown() -> None:
    table = made.table(lines=700)
    groups = groups_of(table, NONE, {"two": ["rising", "ste"], "none": ["?"]})
    assert list(groups) == ["two"]
    assert list(groups["two"].columns) == ["rising", "step"]
    measured = [
        cross_validate(some, QUICK, name=name, folds=2, repeats=1)
        for name, some in {"all": table, **groups}.items()
    ]
    assert measured[0].mean("auc") > measured[1].mean("auc") > 0.6
    model = fit(table, QUICK)
    stored = as_dict(model, measured)
    json.dumps(stored, allow_nan=False)
    assert set(stored["groups"]) == {"all", "two"}
    assert any("Few lines" in line for line in caveats(model))
    html = page(model, measured)
    assert html.count("<svg") >= 1 + len(model.shapes)
    assert "src=" not in html
    assert "nan" not in html.replace("not known", "").lower().split("</style>")[1]


def test_names_of_columns_cannot_write_html() -> None:
    table = made.table(lines=300)
    table.columns["<script>alert(1)</script>"] = table.columns["rising"] * 2
    assert "<script>" not in page(fit(table, QUICK), [])


def test_every_recipe_that_is_shipped_can_be_used() -> None:
    for recipe in shipped():
        assert recipe.needs
        columns = set(recipe.titles) - {d.name for d in recipe.derived}
        assert recipe.needs <= columns
        for derived in recipe.derived:
            assert set(derived.of) <= columns, derived.name
            columns.add(derived.name)
        assert {name for members in recipe.groups.values() for name in members} <= columns
        assert all(en and zh for en, zh in recipe.titles.values())


def test_real_fraud_lines_are_told_from_others(shared_data: object) -> None:
    """A quick fit on four fifths reaches a floor on the last fifth; the full figures are those of the bench."""
    path = shared_data / "sichuan" / "features_labels.csv.gz"  # type: ignore[operator]
    if not path.is_file():
        pytest.skip("these lines are not here")
    table = read(path.read_bytes(), "label")
    recipe = recognise(list(table.columns))
    assert "Sichuan" in recipe.title
    fold = parts_of(table.label, 5, np.random.default_rng(1))
    model = fit(rows(table, fold != 0), Settings(folds=2, penalties=(25.0,), trees=0), recipe)
    assert "node" not in {shape.name for shape in model.shapes}
    kept = rows(table, fold == 0)
    bits = model.score(kept.columns).bits
    assert auc(kept.label, bits) > 0.935
    assert confusion(kept.label, bits > model.thresholds["macro_f1"])[1] > 0.885
    assert tpr_at(kept.label, bits, 0.01) > 0.68
    voice = groups_of(rows(table, fold != 0), recipe, {})["voice"]
    heard = fit(voice, Settings(folds=2, penalties=(25.0,), trees=0), recipe)
    assert all(shape.group == "voice" for shape in heard.shapes)
    assert 0.91 < auc(kept.label, heard.score(kept.columns).bits) < auc(kept.label, bits)
