"""The methods paragraph of a run: each sentence stands where its step was taken, and is gone where it was not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from delay_results import result_of_delays
from request_builders import made_series
from scene_builders import made_result

from ASLDenoiseLib.findings import Finding, Severity
from ASLDenoiseLib.group.methods import study_methods
from ASLDenoiseLib.pipeline.console import quantify
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.methods_html import methods_in
from ASLDenoiseLib.result import methods
from ASLDenoiseLib.result.audit import AuditVerdict, TissueMean
from ASLDenoiseLib.result.methods import Methods, common_methods, methods_of
from ASLDenoiseLib.result.methods.references import REFERENCES
from ASLDenoiseLib.result.methods.statement import Statement, numbers
from ASLDenoiseLib.series import Labeling, M0Type, Origin, Parameter
from ASLDenoiseLib.software import HOST, HOST_VERSION, software_versions

VERSIONS = {
    "ASLDenoise": "1.2.3",
    "Python": "3.12.1",
    "torch": "2.9",
    "antspyx": "0.6",
    "SimpleITK": "2.5",
    "monai": "1.6",
}
CONSTANTS = (
    Parameter("pairs", "1-2", "", Origin.DEFAULT),
    Parameter("motion_correction", True, "", Origin.DEFAULT),
    Parameter("nuisance", "motion", "", Origin.DEFAULT),
    Parameter("smoothing", 0.0, "mm", Origin.DEFAULT),
    Parameter("m0_smoothing", 0.0, "mm", Origin.DEFAULT),
    Parameter("t1_blood", 1.65, "s", Origin.DEFAULT, "at 3 T"),
    Parameter("labeling_efficiency", 0.85, "", Origin.SIDECAR),
    Parameter("partition_coefficient", 0.9, "mL/g", Origin.DEFAULT),
    Parameter("m0", "Included", "", Origin.SIDECAR),
)
FRAMEWISE = np.array([np.nan, 0.1, 0.3])


def made(*parameters: Parameter, findings: tuple[str, ...] = (), **changes: object):
    """A run made by hand, with the constants of quantification and what a case adds before them."""
    told = tuple(Finding(code, Severity.NOTE, "told", "why") for code in findings)
    changed = {"model": {}, "parameters": (*parameters, *CONSTANTS), "findings": told, **changes}
    return replace(made_result(), **changed)


def text(result) -> str:
    return methods_of(result, VERSIONS).text


def chosen(name: str, value: object, origin: Origin = Origin.USER, note: str = "") -> Parameter:
    return Parameter(name, value, "", origin, note)


def moved(*, still: bool) -> SimpleNamespace:
    return SimpleNamespace(still=still, framewise=FRAMEWISE)


def report(method: str = "zscore", rejections: int = 0, by_user: int = 0, put_back: int = 0, notes=()):
    found = [SimpleNamespace(by_user=n >= rejections) for n in range(rejections + by_user)]
    return SimpleNamespace(
        method=method, rejections=tuple(found), by_user=tuple(found[rejections:]), put_back=(0,) * put_back, notes=notes
    )


def stated(**values: object):
    """A run of a series that states other values."""
    series = made_result().series
    return {"series": replace(series, acquisition=replace(series.acquisition, **values))}


def with_map(key: str):
    result = made_result()
    return {"maps": {**result.maps, key: result.maps["desc-mean_cbf"]}}


NETWORK = {"name": "guided-unet", "sha256": "abcdef0123456789", "network": "guided-unet", "version": "0.1.0"}
TISSUE = made_result().tissue
SEGMENTED = replace(TISSUE, source="T1 segmentation (N4, ICBM 2009a priors, Atropos)")
ADAPTED = SimpleNamespace(used=True)
DIFFERENCES = replace(made_result().series, m0=None, context=("deltam",) * len(made_result().series.context))
MEANS = (TissueMean("GM", 50.0, 45.0, 51.0, 2.0),)
AUDIT = AuditVerdict(MEANS, "ml/100g/min", 8)

# what is said, with what it is said, and what the source is called that comes with it
SAID = {
    "labelling": ("pseudo-continuous labelling", {}, stated(labeling=None), ""),
    "pulsed": ("inversion time 1.8 s", stated(labeling=Labeling.PASL, post_labeling_delay=1.8), {}, ""),
    "bolus": ("bolus duration 0.7 s", stated(labeling=Labeling.PASL, bolus_duration=0.7), {}, ""),
    "delay": ("post-labelling delay 1.8 s", {}, stated(post_labeling_delay=None), ""),
    "duration": ("label duration 1.5 s", {}, stated(label_duration=None), ""),
    "field": (": 3 T,", stated(field_strength=3.0), {}, ""),
    "vendor": ("Siemens", {}, stated(manufacturer=None), ""),
    "suppression": ("background suppression with 2 pulses", stated(suppression_pulses=2), {}, ""),
    "unsuppressed": ("no background suppression", stated(background_suppression=False), {}, ""),
    "readout": ("2D readout", stated(readout="2D"), {}, ""),
    "encoded": ("time-encoded (Hadamard)", stated(time_encoding="Hadamard"), {}, ""),
    "slices": ("The delay of each slice", {}, stated(slice_timing=None), ""),
    "chosen pairs": ("numbers 1-8 were analysed", [chosen("pairs", "1-8")], {}, ""),
    "fix": ("controls and labels were swapped", [chosen("fix swap", "controls and labels were swapped")], {}, ""),
    "motion": ("resampled once", {"motion": moved(still=False)}, {}, "Friston"),
    "displacement": ("mean 0.20 mm, largest 0.30 mm", {"motion": moved(still=False)}, {}, ""),
    "still": ("no volume was resampled", {"motion": moved(still=True)}, {"motion": moved(still=False)}, ""),
    "motion left": ("not corrected, by choice", [chosen("motion_correction", False)], {}, ""),
    "motion unknown": ("could not be estimated", {"findings": ("motion-unknown",)}, {}, ""),
    "outliers": ("robust z-scores", {"outliers": report(rejections=3)}, {"outliers": report("score")}, "Tan H"),
    "outliers found": ("3 pairs or slices were left out", {"outliers": report(rejections=3)}, {}, ""),
    "outliers absent": ("None was found", {"outliers": report()}, {"outliers": report(rejections=1)}, ""),
    "score": ("SCORE", {"outliers": report("score")}, {"outliers": report()}, "Dolui S"),
    "aoc": ("adaptive outlier cleaning", {"outliers": report("aoc")}, {}, "prodromal"),
    "paocsl": ("priors-guided", {"outliers": report("paocsl")}, {}, "Priors-guided"),
    "huber": ("Huber's M-estimator", {"outliers": report("huber")}, {}, "Maumet"),
    "no outliers sought": ("No outliers were sought", {"outliers": report("none")}, {"outliers": report()}, ""),
    "too few": (
        "2 pairs are too few",
        {"outliers": report(notes=("2 pairs are too few to tell outliers by: nothing was rejected.",))},
        {"outliers": report()},
        "",
    ),
    "by hand": ("By hand, 2 pairs or slices were taken out", {"outliers": report(by_user=2)}, {}, ""),
    "put back": ("put back into the mean", {"outliers": report(put_back=1)}, {"outliers": report()}, ""),
    "rescued": (
        "the sound one was kept",
        ([chosen("outliers_rescued", 2)], {"outliers": report(rejections=2)}),
        {"outliers": report(rejections=2)},
        "Liu TT",
    ),
    "nuisance": (
        "six courses of head motion",
        {"findings": ("nuisance-regressed",), "motion": moved(still=False)},
        {"findings": ("nuisance-regressed",), "motion": moved(still=True)},  # which a run would not say
        "Wang Z. Improving",
    ),
    "CSF": (
        "the course of CSF",
        ([chosen("nuisance", "csf")], {"findings": ("nuisance-regressed",)}),
        [chosen("nuisance", "csf")],
        "",
    ),
    "smoothing": ("Gaussian of 4 mm", [chosen("smoothing", 4.0)], {}, ""),
    "smooth M0": ("The M0 was smoothed", [chosen("m0_smoothing", 5.0)], {}, ""),
    "error of mean": ("the standard error of the mean", with_map("desc-meanerror_cbf"), {}, ""),
    "consensus": ("consensus paper for (p)CASL", {}, {"parameters": ()}, "Alsop DC"),
    "consensus, pulsed": ("consensus paper for PASL", stated(labeling=Labeling.PASL), {}, "Alsop DC"),
    "assumed": ("T1 of blood 1.65 s (assumed: at 3 T)", {}, [chosen("t1_blood", 1.65)], ""),
    "not assumed": ("labelling efficiency 0.85;", {}, [chosen("labeling_efficiency", 0.85, Origin.DEFAULT)], ""),
    "M0 within": ("acquired within the series", {}, stated(m0_type=M0Type.SEPARATE), ""),
    "M0 apart": ("acquired separately", stated(m0_type=M0Type.SEPARATE), {}, ""),
    "M0 a number": ("one number for all voxels, 1000", [chosen("m0", 1000.0)], {}, ""),
    "M0 from controls": ("mean control image", {"series": replace(made_result().series, m0=None)}, {}, ""),
    "relaxed": ("multiplied by 1.03 for incomplete", [chosen("m0_relaxation_factor", 1.03)], {}, ""),
    "scaled": ("its stated scale of 10", [chosen("m0_scale", 10.0)], {}, ""),
    "raised": ("it was raised to that", [chosen("m0_raised_voxels", 12)], [chosen("m0_raised_voxels", 0)], ""),
    "dark": ("CBF was not measured", [chosen("m0_noise_voxels", 3)], [chosen("m0_noise_voxels", 0)], ""),
    "arrival": ("corrected for arterial transit times", with_map("desc-uncorrected_cbf"), {}, ""),
    "brain in M0": (
        "found in the M0 image",
        {},
        {"series": replace(made_result().series, m0=None)},
        "N4ITK",
    ),
    "brain in controls": ("found in the mean control", {"series": replace(made_result().series, m0=None)}, {}, "N4ITK"),
    "M0 moved": ("aligned to the series by a rigid", {"findings": ("m0-aligned",)}, {}, ""),
    "T1 found": ("from many starts", [chosen("t1_alignment", "found")], {}, "Mattes"),
    "T1 started": ("start set by hand", [chosen("t1_alignment", "given start")], {}, "Mattes"),
    "T1 given": ("a transform that was given", [chosen("t1_alignment", "given")], {}, ""),
    "segmented": ("Atropos", {"tissue": SEGMENTED}, {}, "Tustison NJ, Avants BB, Cook"),
    "guessed": (
        "figures by tissue are rough",
        {"tissue": replace(TISSUE, source="guessed from x")},
        {},
        "Ashburner J, Friston",
    ),
    "tissue network": ("tissue network", {"tissue": replace(TISSUE, source="tissue network 1")}, {}, "Billot"),
    "its weights": (
        "(bundle version 1.0.0, weights SHA-256 493e255f7313)",
        {"tissue": replace(TISSUE, source="tissue network")},
        {"tissue": SEGMENTED},
        "",
    ),
    "tissue given": ("were given (given masks)", {"tissue": replace(TISSUE, source="given masks")}, {}, ""),
    "no head": (
        "as the tissue network found no upright head",
        {"tissue": replace(SEGMENTED, source=f"{SEGMENTED.source}, as the tissue network found no upright head")},
        {"tissue": SEGMENTED},
        "Atropos",
    ),
    "T1 for guides": ("segmented, too", {"t1_tissue": SEGMENTED}, {}, "Avants BB, Tustison"),
    "network": (
        "network 'guided-unet', bundle version 0.1.0, weights SHA-256 abcdef012345.",
        {"model": NETWORK},
        {},
        "",
    ),
    "training data": (
        "The training data of the network: Phantoms.",
        {"model": {**NETWORK, "data_source": "Phantoms"}},
        {},
        "",
    ),
    "dwan": ("denoised by the network", {"model": {**NETWORK, "network": "dwan"}}, {}, "Xie D"),
    "deepasl": ("denoised by the network", {"model": {**NETWORK, "network": "deepasl"}}, {}, "Ulas C"),
    "slab": ("denoised by the network", {"model": {**NETWORK, "network": "slab-transformer"}}, {}, "Shou Q"),
    "dilated": ("denoised by the network", {"model": {**NETWORK, "network": "dilated-net"}}, {}, "Kim KH"),
    "prior": ("no network was used", {"model": {"name": "spatial prior"}}, {"model": NETWORK}, ""),
    "adapted before": (
        "adapted from 'dwan-lfn' (weights SHA-256 123456789abc) to the noise of scans of one site",
        {"model": {**NETWORK, "adapted_from": {"name": "dwan-lfn", "sha256": "123456789abcdef"}}},
        {"model": NETWORK},
        "Marcos Morales",
    ),
    "diffusion": ("denoised by the network", {"model": {**NETWORK, "network": "diffusion"}}, {}, "SDEdit"),
    "MONAI": (
        "MONAI 1.6 [",
        {"model": {**NETWORK, "network": "slab-transformer"}},
        {"model": NETWORK},
        "Cardoso",
    ),
    "guides": ("contrast of T1 and M0", ([chosen("guides", "T1+M0")], {"model": NETWORK}), {"model": NETWORK}, "He K"),
    "guided by controls": (
        "contrast of T1 and the mean control image",
        ([chosen("guides", "T1+M0")], {"model": NETWORK, "series": replace(made_result().series, m0=None)}),
        ([chosen("guides", "T1+M0")], {"model": NETWORK}),
        "He K",
    ),
    "no guides": ("No other image guided", ([chosen("guides", "none")], {"model": NETWORK}), {"model": NETWORK}, ""),
    "groups": ("means of 4 pairs", ([chosen("pre_average", 4)], {"model": NETWORK}), {"model": NETWORK}, ""),
    "adapted": ("gains of the network", {"model": NETWORK, "adaptation": ADAPTED}, {"model": NETWORK}, "Mohan"),
    "audited": ("GM mean kept", {"model": NETWORK, "audit": AUDIT}, {"model": NETWORK}, ""),
    "residual put back": (
        "beyond the noise that the pairs show were put back",
        {"model": NETWORK, "audit": AUDIT},
        {"model": {"name": "spatial prior"}, "audit": AUDIT},
        "",
    ),
    "one image": (
        "was put back whole, as one image tells no standard error",
        {"model": NETWORK, "audit": replace(AUDIT, pairs=1)},
        {"model": NETWORK, "audit": AUDIT},
        "",
    ),
    "prior, audited": (
        "What the prior took from the means",
        {"model": {"name": "spatial prior"}, "audit": AUDIT},
        {"model": {"name": "spatial prior"}},
        "",
    ),
    "not audited": (
        "not audited, by choice",
        {"model": NETWORK, "request": {"denoising": {"audit": False}}},
        {"model": NETWORK, "request": {"denoising": {"audit": True}}},
        "",
    ),
    "uncertainty": ("error of the denoised map", {"model": NETWORK, **with_map("desc-uncertainty_cbf")}, {}, ""),
    "finer": (
        "super-resolved to voxels of 9 x 8.5 x 12 mm",
        ([chosen("superresolution", "spline")], with_map("desc-superres_cbf")),
        {},
        "Unser",
    ),
    "point spread": (
        "taken to be 2.4 x 2.4 x 0 mm FWHM",
        ([chosen("superresolution", "guided"), chosen("point_spread", [2.4, 2.4, 0.0])], with_map("desc-superres_cbf")),
        ([chosen("superresolution", "spline"), chosen("point_spread", [2.4, 2.4, 0.0])], with_map("desc-superres_cbf")),
        "",
    ),
    "finer, learned": (
        "generative adversarial network",
        ([chosen("superresolution", "pyramid-paper")], with_map("desc-superres_cbf")),
        {},
        "Cui J",
    ),
    "MNI": ("brought to MNI space", with_map("space-MNI152NLin2009aSym_desc-mean_cbf"), {}, "Fonov"),
    "halves": ("odd and even pairs", {"split_half": object()}, {}, ""),
    "pairs needed": ("random subsets", {"pairs_needed": object()}, {}, ""),
    "torch": ("PyTorch 2.9", {"model": NETWORK}, {}, ""),
    "torch for tissue": ("PyTorch 2.9", {"tissue": replace(TISSUE, source="tissue network")}, {}, ""),
    "ANTs": ("ANTs (antspyx) 0.6", {"tissue": SEGMENTED}, {}, ""),
    "SimpleITK": (
        "SimpleITK 2.5",
        [chosen("t1_alignment", "found")],
        {"motion": moved(still=True), "series": DIFFERENCES},  # of an M0 it would even out the bias
        "",
    ),
}


def of(case) -> object:
    parameters, changes = ([], {})
    for part in case if isinstance(case, tuple) else (case,):
        if isinstance(part, list):
            parameters = part
        else:
            changes = part
    return made(*parameters, **changes)


@pytest.mark.parametrize("name", SAID)
def test_a_sentence_stands_where_its_step_was_taken_and_not_where_it_was_not(name):
    phrase, with_it, without, source = SAID[name]
    told, untold = text(of(with_it)), text(of(without))
    assert phrase in told
    assert phrase not in untold
    assert source in told


def test_every_source_that_is_listed_is_named_in_the_text_and_numbered_in_its_order():
    told = text(made(chosen("t1_alignment", "found"), motion=moved(still=False), tissue=SEGMENTED, model=NETWORK))
    paragraph, _, sources = told.partition("\nReferences\n")
    named = [int(n) for each in re.findall(r"\[([\d, ]+)\]", paragraph) for n in each.split(",")]
    listed = [int(line.split(".")[0]) for line in sources.strip().split("\n")]
    assert listed == list(range(1, len(listed) + 1)) == list(dict.fromkeys(named))
    assert "[@" not in told


def test_sources_named_together_stand_in_the_order_of_their_numbers():
    told = Methods((Statement("A [@he2010]."), Statement("B [@kim2018;@he2010]."))).text
    assert told.startswith("A [1]. B [1, 2].")


def test_what_sentences_rest_on_is_what_runs_tell():
    """Every parameter and finding that the paragraph asks for is one that some run leaves."""
    library = Path(methods.__file__).parents[2]
    others = [path for path in library.rglob("*.py") if not path.is_relative_to(library / "result" / "methods")]
    told = "".join(path.read_text("utf-8") for path in others)
    asking = "".join(path.read_text("utf-8") for path in Path(methods.__file__).parent.glob("*.py"))
    names = set(re.findall(r'(?:value|by_user|assumed)\("([a-z0-9_]+)"', asking))
    names |= set(re.findall(r'"([a-z0-9-_]+)" (?:not )?in facts', asking))
    known = {*re.findall(r'"([a-z0-9_-]+)"', told), *re.findall(r"^    ([a-z0-9_]+): ", told, re.MULTILINE)}
    assert names - known - {"motion_correction", "m0_raised_voxels", "m0_noise_voxels"} == set()
    assert len(names) > 15 and "motion_correction" in told and "m0_raised_voxels" in told and "m0_noise_voxels" in told


def test_a_run_is_told_by_its_request():
    plain = Preparation(motion=False, outliers="none", nuisance=(), smoothing=4.0, pairs="1-3")
    series = made_series()
    told = quantify(series, preparation=plain).methods_text
    for phrase in (
        "numbers 1-3 were analysed",
        "not corrected, by choice",
        "Gaussian of 4 mm",
        "No outliers were sought",
    ):
        assert phrase in told
    told = quantify(series).methods_text
    assert "Head motion was estimated" in told
    for phrase in ("by choice", "Gaussian of", "No outliers were sought", "denoised", "super-resolved", "PyTorch"):
        assert phrase not in told
    assert "CBF, in ml/100g/min, was computed" in told and "figures by tissue are rough" in told


def test_no_source_is_listed_where_nothing_is_cited():
    assert "References" not in Methods((Statement("Nothing was done."),)).text


def test_every_source_can_be_cited_by_some_run():
    written = "".join(path.read_text("utf-8") for path in Path(methods.__file__).parent.glob("*.py"))
    cited = set(re.findall(r"@([a-z]+\d{4})", written)) | set(re.findall(r'": "([a-z]+\d{4})"', written))
    assert set(REFERENCES) == cited


def test_without_an_m0_nothing_is_called_cbf_and_no_constant_is_named():
    result = made_result()
    relative = {"desc-mean_pwi": replace(result.maps["desc-mean_cbf"], unit="scanner units")}
    told = text(made(maps=relative, readouts={}))
    assert "perfusion is relative, in scanner units, and not CBF" in told
    assert "T1 of blood" not in told and "Alsop" not in told


def test_a_map_that_the_scanner_computed_is_not_said_to_have_been_quantified_or_averaged():
    series = made_result().series
    cbf = replace(series, array=series.array[:1], context=("cbf",), m0=None, acquisition=type(series.acquisition)())
    told = text(made(series=cbf, parameters=(), findings=("motion-unknown",), model=NETWORK))
    assert "the scanner had computed" in told and "The map was denoised by the network" in told
    for word in ("labelling", "averaged", "Alsop", "motion", "difference"):
        assert word not in told


def test_several_delays_are_fitted_and_each_delay_is_named():
    told = methods_of(result_of_delays(), VERSIONS).text
    assert "post-labelling delays 0.5, 1, 1.5, 2, 2.5 and 3 s" in told
    assert "CBF (ml/100g/min) and arterial transit time (s) were fitted" in told and "Buxton" in told
    assert "The mean difference of each delay was denoised" in told
    assert "Alsop" not in told


def test_warnings_of_the_run_are_told_and_notes_are_not():
    warned = Finding("x", Severity.WARNING, "The T1 may not lie on the series", "why")
    noted = Finding("y", Severity.NOTE, "The head kept still", "why")
    told = text(replace(made(), findings=(warned, noted)))
    assert "The software warned of this scan: The T1 may not lie on the series." in told
    assert "The head kept still" not in told


def test_neither_the_name_of_the_series_nor_its_place_is_told():
    result = made()
    told = text(replace(result, series=replace(result.series, name="sub-Miller", source="/home/anna/asl.nii.gz")))
    assert "Miller" not in told and "anna" not in told


def test_the_slicer_that_the_run_belongs_to_is_named_with_its_source(monkeypatch):
    monkeypatch.delenv(HOST_VERSION, raising=False)
    assert HOST not in software_versions()
    assert "Fedorov" not in made().methods_text
    monkeypatch.setenv(HOST_VERSION, "5.12.3")
    assert "in 3D Slicer 5.12.3 [" in made().methods_text and "Fedorov" in made().methods_text


def test_the_paragraph_lies_beside_the_result_and_stands_in_the_report_and_can_be_read_out_of_it(tmp_path):
    result = replace(made(), findings=(Finding("x", Severity.WARNING, "A < B & C", "why"),))
    folder = write_result(result, tmp_path / "out").folder
    written = (folder / "sub-77_methods.txt").read_text("utf-8")
    assert written == result.methods_text
    page = report_html(result)
    assert methods_in(page) == written
    assert ">Copy methods</button>" in page and "<script" not in page
    kept = json.loads((folder / "sub-77_readouts.json").read_text("utf-8"))["methods"]
    assert Methods.from_plain(kept).text == written
    assert "sub-77_methods.txt" in json.loads((folder / "sub-77_files.json").read_text("utf-8"))["files"]
    assert "*_methods.txt" in (folder / ".bidsignore").read_text("utf-8").split()


def test_a_study_says_what_all_scans_share_and_counts_the_rest_without_figures_of_one():
    one = Methods((Statement("A [@kim2018]."), Statement("B."), Statement("Moved 3 mm.", of_scan=True)))
    other = Methods((Statement("A [@kim2018]."), Statement("C [@he2010].")))
    told = common_methods([one, other]).text
    assert told.split("\n")[0] == "A [1]. In 1 of 2 scans: B. In 1 of 2 scans: C [2]."
    assert "Moved" not in told


def test_the_study_reads_what_lies_beside_its_finished_scans(tmp_path):
    folder = write_result(made(), tmp_path / "one").folder
    done = SimpleNamespace(name="sub-77", folder=f"{folder.name}/")
    old = SimpleNamespace(name="sub-78", folder="gone/")
    study = SimpleNamespace(out=tmp_path, records=[done, old], finished={"scan": ["sub-77", "sub-78"]})
    assert study_methods(study).startswith("Arterial spin labelling (ASL) MRI was acquired")
    assert study_methods(SimpleNamespace(out=tmp_path, records=[old], finished={"scan": ["sub-78"]})) == ""


def test_zeros_of_m0_volumes_are_no_delays():
    assert numbers((0.0, 1.8, 1.8)) == "1.8"
    assert numbers((0.0,)) == "0"
    assert numbers((1.0, 0.25, 0.5)) == "0.25, 0.5 and 1"
