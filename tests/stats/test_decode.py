"""Decoding: nested selection finds nothing in noise, the leaky one does; folds keep groups; bad input is named."""

import numpy as np
import pytest

from workbench.stats import compare_decoders, decode, holm, stratified_folds
from workbench.stats.decode import nested
from workbench.stats.metrics import share_interval

Y = np.arange(100) % 2 == 0


def test_noise_is_decoded_by_the_leak_alone():
    """The known answer: the top 8 |t| of 16,384 noise features give about .8 leaky and .5 nested on 100 items."""
    honest, leaky = [], []
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal((100, 16_384)).astype(np.float32)
        found = decode(x, Y, select="contrast", k=8, seed=seed)
        honest.append(found.accuracy)
        leaky.append(found.leaky_accuracy)
        assert found.interval[0] <= found.accuracy <= found.interval[1]
    assert 0.42 < np.mean(honest) < 0.58
    assert 0.72 < np.mean(leaky) < 0.92


@pytest.mark.parametrize("select", ["contrast", "rsa_discriminative", "f_stat", "svm", "l1_logistic"])
def test_a_planted_feature_is_chosen_and_decodes(select):
    x = np.random.default_rng(0).standard_normal((100, 300))
    x[:, 17] = np.where(Y, 4, -4) + 0.3 * x[:, 17]
    found = decode(x, Y, select=select, k=3, repeats=2)
    assert found.accuracy >= 0.98
    assert found.chosen.shape == (10, 3)
    assert (found.chosen == 17).any(1).all()
    assert found.fold_accuracy.shape == (10,)
    assert found.accuracy == pytest.approx(found.correct.mean())


def test_a_feature_that_the_training_items_cannot_show_is_not_chosen():
    """A feature that fires on one item only is constant in the fold that holds the item out."""
    x = np.random.default_rng(1).standard_normal((20, 4))
    x[:, 2] = 0
    x[3, 2] = 1.0
    y = np.arange(20) < 10
    fold = stratified_folds(y, 5)[3]
    assert 2 not in decode(x, y, select="f_stat", k=3).chosen[fold]


def test_groups_are_never_torn_and_classes_are_in_equal_shares():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 30, 200)
    y = rng.random(200) < 0.3
    folds = stratified_folds(y, 5, groups=groups)
    assert all(len({*folds[groups == group]}) == 1 for group in range(30))
    for fold in range(5):
        assert 20 <= (folds == fold).sum() <= 60
        assert abs(y[folds == fold].mean() - y.mean()) < 0.12
    single = stratified_folds(y, 5)
    assert np.ptp([y[single == fold].sum() for fold in range(5)]) <= 1
    assert np.ptp([(single == fold).sum() for fold in range(5)]) <= 2


def test_copies_of_one_item_in_test_and_training_are_what_groups_prevent():
    """Twenty random items, five copies each: without groups the decoder recognises the copies."""
    groups = np.repeat(np.arange(20), 5)
    y, torn, kept = groups % 2 == 0, [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((20, 400))[groups] + 0.01 * rng.standard_normal((100, 400))
        torn.append(decode(x, y, select="f_stat", k=8).accuracy)
        kept.append(decode(x, y, select="f_stat", k=8, groups=groups))
    assert np.mean(torn) > 0.85
    assert np.mean([found.accuracy for found in kept]) < 0.65
    free = share_interval(kept[0].accuracy, 100)
    assert np.ptp(kept[0].interval) > np.ptp(free)  # copies are not independent items


def test_the_interval_of_independent_items_is_wilsons():
    # 15 of 20: the values of Wilson's interval from statsmodels' proportion_confint(15, 20, method="wilson")
    assert share_interval(0.75, 20) == pytest.approx((0.531299, 0.888138), abs=1e-5)
    assert share_interval(1.0, 20)[1] == 1.0


def test_the_selection_never_sees_what_is_held_out():
    seen = []

    def choose(x, y, repeat):
        seen.append(x[:, 0].tolist())
        return np.array([1])

    x = np.stack([np.arange(20.0), np.random.default_rng(0).standard_normal(20)], axis=1)
    y = np.arange(20) % 2 == 0
    nested(x, y, choose, folds=4)
    folds = stratified_folds(y, 4)
    assert seen[0] == list(range(20)), "the leaky selection"
    assert seen[1:] == [np.flatnonzero(folds != fold).tolist() for fold in range(4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.ones(20)}, "two classes, got 1"),
        ({"k": 6}, "k must be from 1 to the 5 features, got 6"),
        ({"k": 0}, "got 0"),
        ({"folds": 11}, "has 10 items, fewer than the 11 folds"),
        ({"folds": 1}, "at least 2"),
        ({"groups": np.arange(20) // 10}, "groups, fewer than the 5 folds"),
        ({"groups": np.arange(3)}, r"groups must be \(20,\)"),
        ({"select": "luck"}, "'luck'"),
        ({"repeats": 0}, "repeats"),
    ],
)
def test_bad_input_is_named(change, message):
    x = np.random.default_rng(0).standard_normal((20, 5))
    kind = {"y": np.arange(20) < 10, "select": "contrast", "k": 2, **change}
    with pytest.raises(ValueError, match=message):
        decode(x, **kind)


def test_constant_and_masked_features_cannot_be_asked_for():
    x = np.random.default_rng(0).standard_normal((20, 5))
    x[:, :3], x[4, 3] = 1.0, np.nan
    y = np.arange(20) < 10
    assert decode(x, y, select="f_stat", k=1).chosen.tolist() == [[4]] * 5
    with pytest.raises(ValueError, match="only 1 are neither constant nor masked"):
        decode(x, y, select="f_stat", k=2)


def test_equal_decoders_do_not_differ():
    same = np.array([0.5, 0.75, 1.0, 0.5])
    found = compare_decoders(same, same, 0.25, correct=(same, same))
    assert (found.difference, found.t, found.p, found.p_items) == (0.0, 0.0, 1.0, 1.0)


def test_the_corrected_resampled_t_is_the_formula():
    rng = np.random.default_rng(0)
    a, b = rng.random(10), rng.random(10)
    found = compare_decoders(a, b, 0.2, correct=(a, b))
    gaps = a - b
    assert found.t == pytest.approx(gaps.mean() / np.sqrt((1 / 10 + 0.25) * gaps.var(ddof=1)))
    assert found.df == 9
    assert found.interval[0] < gaps.mean() < found.interval[1]


def test_sign_flips_over_few_items_are_exact():
    a, b = np.array([1.0, 1, 1, 1]), np.zeros(4)
    found = compare_decoders(a, b, 0.5, correct=(a, b))
    assert found.p_items == 2 / 16
    assert found.p == found.p_items, "folds that all differ alike have no spread for a t"


def test_the_test_of_two_methods_holds_its_level_on_noise():
    """Two random halves of noise features: neither decodes better, and p below .05 is rare."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((60, 40)), np.arange(60) % 2 == 0
        one, two = (decode(part, y, select="f_stat", k=3, repeats=2, seed=seed) for part in (x[:, :20], x[:, 20:]))
        found = compare_decoders(
            one.fold_accuracy, two.fold_accuracy, one.test_share, correct=(one.correct, two.correct)
        )
        hits += found.p < 0.05
    assert hits <= 8  # 60 draws at .05 give more than 8 with probability .003


def test_holm_is_the_textbook_example():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
