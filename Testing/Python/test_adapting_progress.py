"""What is told while gains are learned."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from ASLDenoiseLib.adapting import tuning


@pytest.mark.parametrize(
    ("gain", "told"), [(0.314, ", +0.31 dB on pairs apart, at most"), (float("nan"), "step 4, at most")]
)
def test_a_gain_that_cannot_be_told_is_not_told_as_nan(monkeypatch, gain, told):
    monkeypatch.setattr(tuning, "compared", lambda *given: SimpleNamespace(gain=gain))
    lines = []
    learning = SimpleNamespace(begun=time.monotonic(), max_seconds=40.0, total=24, start=None, watched=None)
    learning.progress = lambda fraction, text: lines.append(text)
    tuning._Tuning.tell(learning, SimpleNamespace(way="gains"), 4, SimpleNamespace(errors=None))
    assert told in lines[0] and "nan" not in lines[0]
