"""A run again from where its pairs are cleaned: the same result as the whole run, and only of the same inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from request_builders import UNMOVED, made_series, region, same
from running_builders import Bench, events_of

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.again import PAIRS, can_begin_again, digest_of, forget, taken_up
from ASLDenoiseLib.pipeline.request import Denoising, Outputs, Region, Request, SuperResolution
from ASLDenoiseLib.pipeline.run import RequestTask, completed, completed_again
from ASLDenoiseLib.pipeline.steps import steps_again
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.series import Origin

BY_HAND = replace(UNMOVED, taken_out="2,4/5-6")


@pytest.fixture(scope="module")
def request_of_all():
    return Request(made_series(), preparation=UNMOVED, denoising=Denoising(), device="cpu")


@pytest.fixture(scope="module")
def kept(request_of_all, tmp_path_factory):
    """A folder with what a whole run of the plain request kept."""
    folder = tmp_path_factory.mktemp("kept")
    completed(request_of_all, keep_in=folder)
    return folder


@pytest.mark.runs
def test_the_result_is_that_of_the_whole_run_with_the_same_choices(request_of_all, kept):
    asked = replace(request_of_all, preparation=BY_HAND)
    assert can_begin_again(asked, kept)
    again, whole = completed_again(asked, kept), completed(asked)
    same(again.result, whole.result)
    assert again.result.request == whole.result.request
    for key, volume in whole.result.maps.items():
        np.testing.assert_array_equal(again.result.maps[key].array, volume.array, err_msg=key)
    assert again.result.series is asked.series  # nothing of what the request holds is kept a second time
    assert {"inspect", "tissue"} <= set(again.timings) and again.result.outliers.taken_out[1].all()


@pytest.mark.runs
def test_other_choices_about_pairs_model_and_regions_begin_again_and_give_the_whole_run_s_result(request_of_all, kept):
    outputs = Outputs((Region("centre", region()),))
    for asked in (
        replace(request_of_all, preparation=replace(UNMOVED, outliers="huber", smoothing=4.0), outputs=outputs),
        replace(request_of_all, denoising=None, superresolution=None),
    ):
        assert can_begin_again(asked, kept)
        same(completed_again(asked, kept).result, completed(asked).result)


def test_nothing_is_read_or_registered_again(request_of_all):
    with_motion = replace(request_of_all, preparation=Preparation())
    assert [step.name for step in steps_again(with_motion)] == [
        *("clean", "guides", "denoise", "audit", "fit", "midline", "measure")
    ]


@pytest.mark.runs
def test_the_way_to_mni_space_is_not_looked_for_again(request_of_all, kept, monkeypatch):
    """It takes most of a minute, and rests on the T1 alone."""
    from ASLDenoiseLib.pipeline import again, region_steps
    from ASLDenoiseLib.preparing.template_space import TemplateSpace

    nothing = np.zeros((2, 2, 2, 3), np.float32)
    space = TemplateSpace(np.eye(4), nothing, nothing, 0.8)
    again.keep_template(replace(taken_up(request_of_all, kept), template=space), kept)
    state = taken_up(replace(request_of_all, preparation=BY_HAND), kept)
    monkeypatch.setattr(region_steps, "to_template", lambda *_: pytest.fail("it was looked for again"))
    region_steps.find_template_space(state, lambda *_: None)
    assert state.template.gm_overlap == 0.8
    (kept / again.TEMPLATE).unlink()


@pytest.mark.runs
def test_other_inputs_are_told_apart_and_refused(request_of_all, kept, tmp_path):
    series = request_of_all.series
    voxel = series.array.copy()
    voxel[3, 4, 5, 6] += 1
    acquisition = series.acquisition.with_values(Origin.USER, post_labeling_delay=1.5)
    others = (
        replace(request_of_all, series=replace(series, array=voxel)),
        replace(request_of_all, series=replace(series, acquisition=acquisition)),
        replace(request_of_all, series=replace(series, m0=series.m0.with_array(series.m0.array * 2))),
        replace(request_of_all, preparation=replace(UNMOVED, pairs="1-4")),
        replace(request_of_all, preparation=replace(UNMOVED, motion=True)),
        replace(request_of_all, preparation=replace(UNMOVED, m0_smoothing=5.0)),
        replace(request_of_all, outputs=Outputs(name="other")),
        replace(request_of_all, superresolution=SuperResolution("linear", (2.25, 2.25, 7.0))),
    )
    assert digest_of(request_of_all) not in {digest_of(other) for other in others}
    for other in others:
        assert not can_begin_again(other, kept)
    with pytest.raises(InputError, match="no longer there; run all of it"):
        taken_up(others[0], kept)
    assert not can_begin_again(request_of_all, tmp_path)


@pytest.mark.runs
def test_the_perfusion_of_every_pair_is_kept_to_be_looked_at_one_by_one(request_of_all, kept):
    run = taken_up(request_of_all, kept)
    pairs = np.load(kept / PAIRS, mmap_mode="r")
    assert pairs.shape == (6, *run.series.geometry.shape)
    inside = run.brain.array > 0
    whole = completed(request_of_all).result.maps["desc-mean_cbf"].array
    np.testing.assert_allclose(pairs.mean(axis=0)[inside], whole[inside], rtol=1e-4, atol=1e-3)


@pytest.mark.runs
def test_a_disk_without_room_costs_the_run_nothing(request_of_all, monkeypatch, tmp_path):
    from ASLDenoiseLib.pipeline import again

    def full(path, content, **known):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(again, "write_payload", full)
    assert completed(replace(request_of_all, denoising=None), keep_in=tmp_path).result is not None
    assert not can_begin_again(request_of_all, tmp_path)


@pytest.mark.child
def test_a_child_keeps_what_it_prepared_and_another_takes_it_up(request_of_all, tmp_path):
    folder = tmp_path / "kept"
    plain = replace(request_of_all, denoising=None)
    (tmp_path / "bench").mkdir()
    with Bench(tmp_path / "bench") as bench:
        runner, said = bench.runner(), []
        for task in (
            RequestTask(plain, folder),
            RequestTask(replace(plain, preparation=BY_HAND), folder, again=True),
            RequestTask(replace(plain, preparation=replace(BY_HAND, pairs="1-5")), folder, again=True),
        ):
            begins_again = task.begins_again
            runner.start(task)
            events = events_of(runner, patience=120)
            texts = [event.text for event in events if hasattr(event, "fraction")]
            said.append((begins_again, "reading the series" in texts, events[-1].result.outliers.taken_out.any()))
    assert said == [(False, True, False), (True, False, True), (False, True, True)]
    assert folder.stat().st_mode & 0o077 == 0
    forget(folder)
    assert not any(folder.iterdir())
