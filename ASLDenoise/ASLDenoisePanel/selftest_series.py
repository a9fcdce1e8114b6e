"""A small simulated series for the self test."""

from __future__ import annotations


def selfTestSeries():
    """A ball of grey matter round one of white, six noisy pCASL pairs of 4 mm voxels, M0 1000; GM 60, WM 20."""
    import numpy as np

    from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Origin, Volume

    geometry = Geometry((36, 40, 16), (4.0, 4.0, 6.0), (-70.0, -78.0, -45.0))
    k, j, i = np.indices(geometry.shape)
    radius = np.sqrt(((i - 17.5) / 15) ** 2 + ((j - 19.5) / 17) ** 2 + ((k - 7.5) / 7) ** 2)
    head, white = radius < 1.0, radius < 0.65
    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=1.8,
        label_duration=1.8,
        field_strength=3.0,
        background_suppression=False,
        readout="3D",
        m0_type=M0Type.SEPARATE,
        m0_repetition_time=6.0,
        origins=dict.fromkeys(("labeling", "post_labeling_delay", "label_duration", "field_strength"), Origin.SIDECAR),
    )
    # 86.3 ml/100g/min make a difference of 1 % of M0 with these times (Alsop 2015, equation 1, 3 T)
    difference = 1000.0 * 0.01 / 86.3 * np.where(white, 20.0, 60.0) * head
    noise = np.random.default_rng(7).normal(0.0, 3.0, (12, *geometry.shape))
    images = 1000.0 * head + noise
    images[1::2] -= difference
    m0 = Volume(1000.0 * head + noise[0], geometry, name="m0")
    return ASLSeries(images, geometry, ("control", "label") * 6, acquisition, m0=m0, name="made")
