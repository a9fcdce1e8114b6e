"""What cannot be a T1 is refused by its values, in one sentence, before any work."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.t1_image import require_image
from ASLDenoiseLib.series import Geometry, Volume

GRID = Geometry((40, 48, 36), (4.0, 4.0, 4.0))


def head() -> np.ndarray:
    """Numbers 0 (air), 1 (skull), 2 (CSF), 3 (GM), 4 (WM) of nested ellipsoids."""
    k, j, i = (np.linspace(-1.2, 1.2, n) for n in GRID.shape)
    r = np.sqrt(k[:, None, None] ** 2 + j[None, :, None] ** 2 + i[None, None, :] ** 2)
    return np.digitize(-r, (-1.1, -1.0, -0.9, -0.7)).astype(np.float32)


def t1(noise: float = 15.0) -> np.ndarray:
    """A T1 of that head, 0..1000."""
    signal = np.array([0.0, 300.0, 200.0, 550.0, 900.0])[head().astype(int)]
    return np.abs(gaussian_filter(signal, 0.5) + noise * np.random.default_rng(0).normal(size=signal.shape))


def volume(array: np.ndarray) -> Volume:
    return Volume(array, Geometry(array.shape[::-1], GRID.spacing))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (head() > 1, "is a mask, not an image: it holds 2 different values (0, 1)"),
        (255.0 * (head() > 1), "is a mask, not an image: it holds 2 different values (0, 255)"),
        (head(), "is a label map, not an image: it holds 5 different values (0, 1, 2, 3, 4)"),
        (np.full(GRID.shape, 7.0), "holds one value throughout"),
        (np.full(GRID.shape, np.nan), "holds one value throughout"),
        (zoom((head() > 1).astype(float), 3, order=1), "a mask or a label map, not an image"),
        (
            np.where(
                head() > 0, 60 + 100 * head() + np.indices(GRID.shape)[0] // 9 + 5 * (np.indices(GRID.shape)[1] // 9), 0
            ),
            "a mask or a label map",
        ),
    ],
    ids=["mask", "mask of 255", "tissue labels", "constant", "nothing", "interpolated mask", "many labels"],
)
def test_what_is_no_image_is_refused_in_one_sentence_that_says_what_to_give(array, words):
    with pytest.raises(InputError) as refused:
        require_image(volume(np.asarray(array, np.float32)))
    sentence = str(refused.value)
    assert words in sentence and "--t1" in sentence and sentence.count(".") - sentence.count("...") * 3 == 1


@pytest.mark.parametrize(
    "array",
    [
        t1(),
        np.where(head() > 1, t1(), 0.0),
        np.where(head() > 1, t1(), np.nan),
        t1()[10:20, :30],
        np.round(t1() / 8),
        np.round(t1(noise=0.0) / 4),
        np.repeat(t1(), 4, axis=0),
        t1() - 1024.0,
        np.clip(t1(), 0, 900),
    ],
    ids=[
        "T1",
        "brain alone",
        "NaN around",
        "cropped",
        "8 bits",
        "no noise",
        "slices repeated",
        "negative",
        "saturated",
    ],
)
def test_an_anatomical_image_passes_as_it_is(array):
    given = volume(np.asarray(array, np.float32))
    assert require_image(given) is given
