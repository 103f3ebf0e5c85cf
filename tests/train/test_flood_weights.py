"""Learning what a flood's observations are worth: a made set with a known answer gives it back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.memory import STRANGER, WITHHELD
from ringfence.detect.weights import BY_HAND, ENDS, FLOOD, WeightsError, parse, shipped
from ringfence.train.flood import LEAST, City, Settings, learn
from ringfence.train.flood_calls import ATTACK, CALLER_UNTOLD, ORDINARY, SEEN
from ringfence.train.flood_estimate import Groups, bits_of, clusters, mixture, prior_of, ratio_bits, smoothed
from ringfence.train.flood_file import to_toml
from ringfence.train.flood_prior import calibrate, figures, plot

SECOND = 1_000_000
PLAIN = Settings(pseudo=1e-3, broad=0.0)
ATTACK_ENDS = np.array([0.5, 0.02, 0.02, 0.1, 0.3, 0.02, 0.02, 0.01, 0.01])
LIFE_ENDS = np.array([0.1, 0.05, 0.1, 0.05, 0.2, 0.02, 0.02, 0.01, 0.45])


def groups(rng: np.random.Generator, shares: np.ndarray, count: int, size: int = 30) -> Groups:
    counts = rng.multinomial(size, shares, count).astype(np.float64)
    return Groups(counts, np.zeros(count, np.int64), np.ones(1))


def test_known_shares_give_known_bits() -> None:
    rng = np.random.default_rng(1)
    one, other = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    found = bits_of(groups(rng, one, 500), groups(rng, other, 800), np.zeros(3), 1e-3, 0.0, rng)
    wanted = np.log2(one / other)
    assert np.abs(found.bits - wanted).max() < 0.1
    # the bootstrap's error is that of the counts: sqrt((1 - p) / (n p)) / ln 2, of both sides
    expected = np.sqrt((1 - one) / (one * 15_000) + (1 - other) / (other * 24_000)) / np.log(2)
    assert np.all(np.abs(found.error / expected - 1) < 0.35)
    assert found.attack.sum() == 15_000
    assert found.lines == 800


def test_what_was_chosen_by_hand_stands_where_nothing_was_seen() -> None:
    rng = np.random.default_rng(2)
    life = groups(rng, np.array([0.5, 0.5]), 1000)
    hand = np.log2(np.array([0.8, 0.2]) / 0.5)
    nothing = Groups(np.zeros((0, 2)), np.zeros(0, np.int64), np.ones(1))
    found = bits_of(nothing, life, hand, 25.0, 0.0, rng)
    assert np.abs(found.bits - hand).max() < 0.05


def test_a_kind_of_flood_counts_once_however_many_there_are() -> None:
    many = np.tile([20.0, 0.0], (90, 1))
    few = np.tile([0.0, 20.0], (10, 1))
    stratum = np.repeat([0, 1], [90, 10])
    both = Groups(np.concatenate([many, few]), stratum, np.array([0.5, 0.5]))
    assert smoothed(both, np.full(2, 0.5), 1e-9) == pytest.approx([0.5, 0.5])
    assert both.effective() == pytest.approx(1 / (0.25 / 90 + 0.25 / 10))


def test_a_broad_share_bounds_what_one_observation_can_cost() -> None:
    life = np.array([0.5, 0.5])
    assert ratio_bits(np.array([1.0, 0.0]), life, 0.1)[1] == pytest.approx(np.log2(0.1))
    assert ratio_bits(np.array([1.0, 1e-9]), life, 0.0)[1] < -28


def test_a_mixture_of_gaps_is_found_again() -> None:
    rng = np.random.default_rng(3)
    means, shares = np.array([10.0, 60.0, 400.0]), np.array([0.2, 0.5, 0.3])
    gaps = rng.exponential(means[rng.choice(3, 40_000, p=shares)])
    assert mixture(gaps, np.ones(len(gaps)), means, 0.0) == pytest.approx(shares, abs=0.03)
    half = mixture(gaps, np.ones(len(gaps)), means, 0.5)
    assert half.min() >= 0.5 / 3


def test_clusters_in_ordinary_gaps_are_found_again() -> None:
    rng = np.random.default_rng(4)
    rates = rng.uniform(0.5, 5, 60_000)
    near = rng.random(len(rates)) < 0.08
    gaps = np.where(near, rng.exponential(300, len(rates)), rng.exponential(86_400 / rates))
    share, scale = clusters(gaps, rates, np.ones(len(rates)), np.array([900.0]), 7_200.0)
    assert share[0] == pytest.approx(0.08, abs=0.01)
    assert scale[0] == pytest.approx(300, rel=0.15)


@given(st.floats(10, 25), st.integers(0, 2**31))
def test_the_prior_makes_probabilities_true(prior: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds = rng.uniform(prior - 3, prior + 6, 3_000)
    true = rng.random(len(odds)) < 1 / (1 + 2 ** (prior - odds))
    found, error = prior_of(odds, true)
    assert abs(found - prior) < 5 * error < 1


def made_city(rng: np.random.Generator, floods: int, lines: int) -> City:
    """Floods and lines whose calls end as ATTACK_ENDS and LIFE_ENDS say."""
    episode = np.repeat(np.arange(floods), 20)
    attack = np.zeros(len(episode), SEEN)
    attack["sort"], attack["episode"], attack["line"] = ATTACK, episode, episode + 1
    attack["end"] = rng.choice(len(ENDS) + 1, len(episode), p=ATTACK_ENDS)
    attack["start"] = episode * 10**10 + np.tile(np.arange(20), floods) * 60 * SECOND
    life = np.zeros(lines * 10, SEEN)
    life["sort"], life["episode"], life["line"] = ORDINARY, -1, np.repeat(np.arange(lines), 10) + 10**6
    life["end"] = rng.choice(len(ENDS) + 1, len(life), p=LIFE_ENDS)
    life["gap"] = np.inf
    rows = np.concatenate([attack, life])
    rows["relation"] = np.where(rng.random(len(rows)) < 0.25, WITHHELD, STRANGER)
    rows["weighed"], rows["life"] = True, CALLER_UNTOLD
    return City(
        rows,
        np.zeros(floods, np.int64),
        np.array(["steady"] * floods, dtype=object),
        {"seed": 1},
        np.zeros((0, 2)),
    )


def test_a_made_city_gives_back_what_it_was_made_from() -> None:
    rng = np.random.default_rng(5)
    learned = learn([made_city(rng, 800, 3_000), made_city(rng, 800, 3_000)], PLAIN)
    wanted = np.clip(np.log2(ATTACK_ENDS / LIFE_ENDS), -4, 4)
    assert learned.tables["first", 0].attack.min() > LEAST
    assert learned.weights.ends[0, :, 0] == pytest.approx(wanted[: len(ENDS)], abs=0.25)
    assert learned.weights.talks[0, 0] == pytest.approx(np.log2(0.01 / 0.45), abs=0.5)
    assert learned.tables["first", 0].attacks == 1_600
    # of linger and of borrowed numbers there was nothing to see
    hand = parse(shipped(BY_HAND))
    assert np.array_equal(learned.weights.ends[0, :, 1], hand.ends[0, :, 1])
    assert np.all(learned.weights.ends[0, :, 2] <= hand.ends[0, :, 2])
    assert np.array_equal(learned.weights.ends[1], hand.ends[1])
    assert sum(learned.weights.shares) == pytest.approx(1.0)


def test_a_written_file_reads_as_what_was_learned() -> None:
    learned = learn([made_city(np.random.default_rng(6), 60, 300)], Settings())
    weights = replace(learned.weights, made={"by": 'a "test"', "cities": [{"seed": 1, "days": 2.5}]})
    read = parse(to_toml(weights, learned.tables))
    assert np.array_equal(read.ends, weights.ends)
    assert np.array_equal(read.callers, weights.callers)
    assert read.withheld == weights.withheld
    assert read.clusters == weights.clusters
    assert read.made == weights.made
    assert "attack = [" in to_toml(weights, learned.tables)


def test_the_same_cities_give_the_same_file() -> None:
    cities = [made_city(np.random.default_rng(7), 40, 200)]
    one, other = (learn(cities, Settings()) for _ in range(2))
    assert to_toml(one.weights, one.tables) == to_toml(other.weights, other.tables)


def test_calibration_changes_the_prior_and_nothing_else() -> None:
    alerts = np.array([[20.0, 1.0]] * 9 + [[20.0, 0.0]])
    before, text = parse(shipped()), calibrate(shipped(), alerts, [{"seed": 9}])
    after = parse(text)
    assert 2.0 ** (20.0 - after.prior) == pytest.approx(9.5 / 1.5, rel=0.01)
    assert after.made["calibrated"]["alerts"] == 10
    assert np.array_equal(after.ends, before.ends)
    assert calibrate(text, alerts, [{"seed": 9}]) == text
    with pytest.raises(WeightsError, match="no alert"):
        calibrate(text, np.zeros((0, 2)), [])


def test_the_plot_shows_what_was_said_and_what_was_true() -> None:
    found = figures(np.array([[20.0, 1.0]] * 9 + [[20.0, 0.0]]), 17.0)
    drawn = plot(found, "ten alerts")
    assert "9 of 10" in drawn
    assert drawn.startswith("<svg")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version = 1", "version = 2", "version = 1"),
        ("[gaps]", "[gap]", r"\[gaps\]: is missing"),
        ("heard = 0.7", 'heard = "x"', "gaps.heard: must be a number"),
        ("means = [", "means = [1.0, ", "gaps.means: must be 5 numbers"),
        ("again_dropped = ", "dropped = ", "tries.again_dropped: must be a number"),
        ("[first]\ndropped", "[first]\ndrop", "first.dropped: is missing"),
        ("format", "[format", "it is not TOML"),
    ],
)
def test_a_damaged_file_is_refused_by_its_key(old: str, new: str, told: str) -> None:
    assert old in shipped()
    with pytest.raises(WeightsError, match=told):
        parse(shipped().replace(old, new, 1))


def test_the_shipped_weights_are_sane() -> None:
    assert parse(
        Path(__file__).parents[2].joinpath("src/ringfence/detect/weights/flood.toml").read_text("utf-8")
    ).made
    dropped, talked = FLOOD.ends[0, 0, 0], FLOOD.talks[0]
    assert dropped > 0 > talked.max()
    assert FLOOD.ends[0, 1:3, 1].min() > 0  # who lingers, lingers
    assert FLOOD.callers[0].max() <= 0
