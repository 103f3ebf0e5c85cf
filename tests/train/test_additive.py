"""A fit on lines with a known answer, and the model as a thing that is stored, added up and explained."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.train import made

from ringfence.train.additive import Model, ModelError, from_json, probability
from ringfence.train.bins import codes_of, edges_of
from ringfence.train.fitting import Settings, fit
from ringfence.train.measure import auc, off_by, reliability, rows, weights
from ringfence.train.recipe import parse
from ringfence.train.table import Labelled

QUICK = Settings(folds=3, penalties=(10.0, 40.0), trees=400, pairs=2)


@pytest.fixture(scope="module")
def model() -> Model:
    return fit(made.table(), QUICK, date="2026-03-05")


@pytest.fixture(scope="module")
def fresh() -> Labelled:
    return made.table(seed=2, lines=20_000)


@pytest.mark.parametrize("name", made.SHAPES)
def test_the_shape_functions_are_found_again(model: Model, name: str) -> None:
    shape = next(shape for shape in model.shapes if shape.name == name)
    grid = np.linspace(-2.2, 2.2, 200)
    found = shape.bits[codes_of([grid], [shape.edges])[:, 0]]
    true = made.SHAPES[name](grid)
    off = (found - found.mean()) - (true - true.mean())
    near_the_jump = (np.abs(grid) < 0.15) & (name == "step")
    assert np.abs(off[~near_the_jump]).mean() < 0.25
    assert np.abs(off[~near_the_jump]).max() < 0.75


def test_a_missing_value_has_its_own_worth(model: Model) -> None:
    gap = next(shape for shape in model.shapes if shape.name == "gap")
    assert gap.bits[0] - np.mean(gap.bits[1:]) == pytest.approx(made.MISSING_BITS, abs=0.35)
    assert np.ptp(gap.bits[1:]) < 0.8
    assert gap.lines.sum() == 5_000


def test_bits_are_log_likelihood_ratios_of_lines_not_seen(model: Model, fresh: Labelled) -> None:
    bits = model.score(fresh.columns).bits
    share = fresh.label.mean()
    # true bits count from an arbitrary zero; log2 P(x | fraud) / P(x | ordinary) = log2 odds of x less those of all
    wanted = made.true_bits(fresh.columns) - 1.0 - np.log2(share / (1 - share))
    assert np.abs(bits - wanted).mean() < 0.45
    assert abs(np.mean(bits - wanted)) < 0.2
    assert auc(fresh.label, bits) > auc(fresh.label, wanted) - 0.01


def test_no_share_of_fraud_in_the_training_lines_is_left_in_the_bits(fresh: Labelled) -> None:
    table = made.table(lines=9_000, seed=4)
    rng = np.random.default_rng(0)
    rare = rows(table, (table.label < 0.5) | (rng.random(9_000) < 0.15))
    assert rare.label.mean() < 0.2 < table.label.mean()
    many, few = (fit(t, QUICK).score(fresh.columns).bits for t in (table, rare))
    assert abs(np.mean(many - few)) < 0.3  # the priors differ by more than two bits
    chance = probability(few, float(fresh.label.mean()))
    assert off_by(reliability(fresh.label, chance)) < 0.05


def test_probabilities_are_right_as_often_as_they_say(model: Model, fresh: Labelled) -> None:
    chance = probability(model.score(fresh.columns).bits, float(fresh.label.mean()))
    points = reliability(fresh.label, chance)
    assert off_by(points) < 0.03
    surest = points[-1]
    assert surest.said > 0.9
    assert abs(surest.said - surest.true) < 0.03


def test_the_score_is_the_sum_of_its_parts(model: Model, fresh: Labelled) -> None:
    scored = model.score(fresh.columns)
    assert scored.bits == pytest.approx(model.base + scored.parts.sum(1))
    assert scored.parts.shape == (20_000, len(model.shapes) + len(model.pairs))
    assert len(scored.names) == scored.parts.shape[1]


def test_the_same_seed_gives_the_same_model_and_another_hardly_another(model: Model, fresh: Labelled) -> None:
    again = fit(made.table(), QUICK, date="2026-03-05")
    assert again.to_json() == model.to_json()
    other = fit(made.table(), replace(QUICK, seed=9))
    assert other.to_json() != model.to_json()
    gap = other.score(fresh.columns).bits - model.score(fresh.columns).bits
    assert np.abs(gap).mean() < 0.25


def test_the_order_of_columns_and_further_columns_do_not_matter_to_a_score(
    model: Model, fresh: Labelled
) -> None:
    turned = {"further": np.ones(20_000), **dict(reversed(fresh.columns.items()))}
    assert np.array_equal(model.score(turned).bits, model.score(fresh.columns).bits)


def test_a_column_that_is_not_there_is_named(model: Model) -> None:
    with pytest.raises(ModelError, match="'hump'"):
        model.score({name: np.zeros(3) for name in ("rising", "step", "nothing", "gap")})


def test_a_pair_is_found_where_two_together_tell_more() -> None:
    rng = np.random.default_rng(5)
    lines = 4_000
    columns = {name: np.round(rng.normal(size=lines), 4) for name in ("a", "b", "c", "d")}
    bits = 4.0 * ((columns["a"] > 0) & (columns["b"] > 0)) - 1.0 + columns["c"]
    label = (rng.random(lines) < 1 / (1 + np.exp2(-bits))).astype(float)
    found = fit(Labelled(columns, label, {}, ""), QUICK)
    tables = {(found.shapes[p.first].name, found.shapes[p.second].name): p for p in found.pairs}
    pair = tables["a", "b"]
    corner = {
        (one, two): pair.bits[
            codes_of([np.array([one])], [pair.first_edges])[0, 0],
            codes_of([np.array([two])], [pair.second_edges])[0, 0],
        ]
        for one in (-1.0, 1.0)
        for two in (-1.0, 1.0)
    }
    assert corner[1.0, 1.0] > 0.25 < corner[-1.0, -1.0]
    assert corner[1.0, -1.0] < -0.25 > corner[-1.0, 1.0]
    weight = pair.lines / pair.lines.sum()
    assert np.abs((weight * pair.bits).sum(1)).max() < 0.02  # what one feature says alone is not in the pair
    assert pair.lines.sum() == lines
    assert pair.bits.shape[0] <= 9 >= pair.bits.shape[1]


def test_json_keeps_every_score(model: Model, fresh: Labelled) -> None:
    text = model.to_json()
    again = from_json(text)
    assert np.array_equal(again.score(fresh.columns).bits, model.score(fresh.columns).bits)
    assert again.to_json() == text
    stored = json.loads(text)
    assert stored["made"]["lines"] == 5_000
    assert stored["made"]["frauds"] == int(made.table().label.sum())
    assert stored["made"]["date"] == "2026-03-05"
    assert len(text) < 60_000
    assert max(map(len, text.splitlines())) < 2_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update(format="x"), "no model"),
        (lambda m: m.update(version=99), "version 99"),
        (lambda m: m.pop("base"), "damaged"),
        (lambda m: m["features"][0]["bits"].pop(), "two more bins"),
        (lambda m: m["features"][0]["from"].reverse(), "edges must rise"),
        (lambda m: m["features"][0].pop("name"), "damaged"),
        (lambda m: m["pairs"][0].update(features=["rising", "?"]), "damaged"),
        (lambda m: m["pairs"][0]["bits"].pop(), "damaged"),
        (lambda m: m.update(derived=[{"name": "x", "root": ["a", "b"]}]), "unknown formula"),
    ],
)
def test_a_damaged_model_is_refused(model: Model, change: object, said: str) -> None:
    stored = json.loads(model.to_json())
    change(stored)  # type: ignore[operator]
    with pytest.raises(ModelError, match=said):
        from_json(json.dumps(stored))


def test_an_explanation_names_value_worth_and_how_often(model: Model, fresh: Labelled) -> None:
    scored = model.score(fresh.columns)
    line = int(np.flatnonzero(np.isnan(fresh.columns["gap"]))[0])
    said = model.explain(scored, line, most=20)
    assert [abs(bits) for bits, _, _ in said] == sorted((abs(bits) for bits, _, _ in said), reverse=True)
    assert sum(bits for bits, _, _ in said) + model.base == pytest.approx(scored.bits[line])
    gap = next(en for _, en, _ in said if en.startswith("gap"))
    assert gap.startswith("gap not known: +")
    assert "lines were fraud" in gap


def test_what_tells_nothing_ranks_last(model: Model) -> None:
    ranked = [weight.shape.name for weight in weights(model)]
    assert ranked[0] == "rising"
    assert ranked[-1] == "nothing"
    assert all(weight.alone >= 0 for weight in weights(model))


def test_a_recipe_makes_names_and_groups_features() -> None:
    table = made.table(lines=600)
    recipe = parse("""
        title = "a trial"
        ignore = ["nothing"]
        [groups]
        g = ["rising", "both"]
        [names]
        rising = ["what rises", "上升"]
        [[derived]]
        name = "both"
        difference = ["rising", "hump"]
        en = "one less the other"
        zh = "之差"
        [[derived]]
        name = "cannot"
        ratio = ["rising", "not there"]
    """)
    found = fit(table, replace(QUICK, trees=0), recipe)
    names = {shape.name: shape for shape in found.shapes}
    assert set(names) == {"rising", "step", "hump", "gap", "both"}
    assert (names["both"].en, names["both"].zh, names["both"].group) == ("one less the other", "之差", "g")
    assert names["rising"].zh == "上升"
    assert found.needs == ["gap", "hump", "rising", "step"]
    assert found.made["left_out"]["nothing"] == "ignored"
    again = from_json(found.to_json())
    assert np.array_equal(again.score(table.columns).bits, found.score(table.columns).bits)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=200))
def test_every_value_has_a_bin_and_larger_values_no_smaller_one(values: list[float]) -> None:
    column = np.array(values)
    edges = edges_of(column)
    assert np.all(np.diff(edges) > 0)
    codes = codes_of([column], [edges])[:, 0]
    assert np.array_equal(codes == 0, np.isnan(column))
    known = ~np.isnan(column)
    order = np.argsort(column[known], kind="stable")
    assert np.all(np.diff(codes[known][order].astype(int)) >= 0)
    assert codes.max() <= len(edges) + 1
