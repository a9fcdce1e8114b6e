"""Whether an adapted network earns its place, as JSON and back; and which models can be adapted at all."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from ASLDenoiseLib.denoising.adaptable import check_adaptable
from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.denoising.families.guided import GuidedFamily
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.verdict import Figure, Verdict

GAIN = Figure("gain", "gain on pairs apart", "dB", 0.0, 0.7, 0.2, "more than 0.4", True)
BIAS = Figure("gm_bias", "GM mean against raw", "%", math.nan, 3.1, math.nan, "within 2 %", False)


def test_a_verdict_is_earned_where_every_figure_is_met_and_there_is_one():
    assert Verdict((GAIN,)).earned and not Verdict((GAIN, BIAS)).earned and not Verdict(()).earned
    assert Verdict((GAIN, BIAS)).unmet == (BIAS,)


def test_a_verdict_comes_back_from_json_with_what_could_not_be_measured():
    plain = json.loads(json.dumps(Verdict((GAIN, BIAS)).to_plain(), allow_nan=False))
    back = Verdict.from_plain(plain)
    assert back.figures[0] == GAIN and back.to_plain() == plain
    assert math.isnan(back.figures[1].before) and replace(back.figures[1], before=0.0, error=0.0).after == 3.1


def test_a_model_whose_family_does_not_learn_from_noise_is_refused_in_one_sentence(monkeypatch):
    card = find_model("guided-unet")
    check_adaptable(card)
    monkeypatch.setattr(GuidedFamily, "adapts", False)
    with pytest.raises(InputError, match=r"guided-unet cannot be adapted to a scan.*choose another") as error:
        check_adaptable(card)
    assert str(error.value).count(". ") == 0
