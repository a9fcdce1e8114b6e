import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.averaging import mean_difference, post_average, pre_average, standard_error
from ASLDenoiseLib.preparing.pairs import choose_pairs, difference_volumes
from ASLDenoiseLib.series import ASLSeries, Geometry

GRID = Geometry((1, 1, 1), (3.0, 3.0, 5.0))


def series_of(values: list[float], context: list[str]) -> ASLSeries:
    return ASLSeries(np.array(values, float).reshape(-1, 1, 1, 1), GRID, tuple(context))


def numbers(array: np.ndarray) -> list[float]:
    return array.ravel().tolist()


def test_each_control_is_paired_with_its_neighbour_label_whichever_comes_first():
    label_first = series_of([90, 100, 80, 100], ["label", "control", "label", "control"])
    control_first = series_of([100, 90, 100, 80], ["control", "label", "control", "label"])
    assert (
        numbers(difference_volumes(label_first).array) == numbers(difference_volumes(control_first).array) == [10, 20]
    )


def test_m0_and_dummies_and_an_unpaired_last_volume_take_no_part():
    context = ["m0scan", "n/a", "control", "label", "control"]
    assert numbers(difference_volumes(series_of([900, 500, 100, 90, 100], context)).array) == [10]


def test_difference_images_are_taken_as_they_are():
    assert numbers(difference_volumes(series_of([3, 5], ["deltam", "deltam"])).array) == [3, 5]


def test_a_series_without_labels_is_refused():
    with pytest.raises(InputError, match="no control/label pair"):
        difference_volumes(series_of([1, 2], ["control", "control"]))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [(None, [1, 2, 3, 4]), ("2", [1, 2]), ("2-3", [2, 3]), ("4-4", [4]), ("4,", [4]), ("1,3-4", [1, 3, 4])],
)
def test_pairs_are_chosen_by_number_range_or_list(choice, expected):
    pairs = series_of([1, 2, 3, 4], ["deltam"] * 4)
    assert numbers(difference_volumes(choose_pairs(pairs, choice)).array) == expected


def test_choosing_pairs_keeps_every_volume_in_its_place_and_the_m0_with_them():
    context = ["m0scan", "control", "label", "label", "control", "control"]
    chosen = choose_pairs(series_of([900, 20, 8, 7, 30, 5], context), "2")
    assert [c.value for c in chosen.context] == ["m0scan", "control", "label", "label", "control", "n/a"]
    assert numbers(difference_volumes(chosen).array) == [12, 23]
    second = choose_pairs(series_of([900, 20, 8, 7, 30, 5], context), "2-2")
    assert [c.value for c in second.context] == ["m0scan", "n/a", "n/a", "label", "control", "n/a"]
    assert numbers(second.array) == [900, 20, 8, 7, 30, 5]


@pytest.mark.parametrize("choice", ["0", "5", "3-2", "2-9", "ten", "1-2-3", ""])
def test_pairs_that_are_not_there_are_refused_in_words(choice):
    with pytest.raises(InputError, match="--pairs"):
        choose_pairs(series_of([1, 2, 3, 4], ["deltam"] * 4), choice)


def test_windowed_groups_are_consecutive_and_interleaved_groups_alternate():
    pairs = series_of([1, 2, 3, 4], ["deltam"] * 4)
    assert numbers(pre_average(pairs, size=2).array) == [1.5, 3.5]
    assert numbers(pre_average(pairs, size=2, interleaved=True).array) == [2, 3]


def test_post_averaging_uneven_groups_gives_the_plain_mean():
    pairs = series_of([1, 2, 3, 4, 10], ["deltam"] * 5)
    averages = pre_average(pairs, size=2)
    assert averages.counts.tolist() == [2, 2, 1]
    assert numbers(post_average(averages)) == pytest.approx(numbers(mean_difference(pairs).array))


def test_standard_error_is_the_spread_over_root_n_and_unknown_for_two_pairs():
    pairs = series_of([1, 2, 3, 6], ["deltam"] * 4)
    assert numbers(standard_error(pairs).array) == pytest.approx([np.std([1, 2, 3, 6], ddof=1) / 2])
    assert standard_error(difference_volumes(choose_pairs(pairs, "2"))) is None


def test_weights_leave_differences_out_of_the_mean_and_of_its_standard_error():
    pairs = series_of([1, 3, 80, 4], ["deltam"] * 4)
    weights = np.array([1, 1, 0, 1], np.float32).reshape(4, 1, 1, 1)
    assert numbers(mean_difference(pairs, weights).array) == pytest.approx([8 / 3])
    assert numbers(standard_error(pairs, weights).array) == pytest.approx([np.std([1, 3, 4], ddof=1) / np.sqrt(3)])
    averages = pre_average(pairs, size=2, weights=weights)
    assert numbers(averages.array) == [2, 4]
    assert numbers(post_average(averages)) == pytest.approx([8 / 3])


def test_uneven_weights_give_the_error_of_the_weighted_mean():
    values = np.random.default_rng(0).normal(0, 1, (12, 4000))
    weights = np.linspace(0.2, 1, 12, dtype=np.float32).reshape(12, 1, 1, 1)
    grid = Geometry((4000, 1, 1), (1.0, 1.0, 1.0))
    pairs = ASLSeries(values.reshape(12, 1, 1, 4000), grid, ("deltam",) * 12)
    found = float(np.sqrt(np.mean(standard_error(pairs, weights).array ** 2)))
    assert found == pytest.approx(float(mean_difference(pairs, weights).array.std()), rel=0.03)


def test_what_was_left_out_everywhere_or_not_measured_is_nan():
    pairs = series_of([1, np.nan, 3], ["deltam"] * 3)
    assert np.isnan(mean_difference(pairs, np.zeros((3, 1, 1, 1), np.float32)).array).all()
    assert np.isnan(mean_difference(pairs, np.array([1, 0.5, 1], np.float32).reshape(3, 1, 1, 1)).array).all()
    assert numbers(mean_difference(pairs, np.array([1, 0, 1], np.float32).reshape(3, 1, 1, 1)).array) == [2]
