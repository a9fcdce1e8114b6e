"""The tables of simulated sites on the page of adapting."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ASLDenoiseLib.preparing.series_fit import SeriesFit
from ASLDenoiseLib.verdict import Verdict

from .adapting_heads import NO_T1, OTHER, OWN
from .adapting_words import (
    before_after,
    minutes_of,
    told_gain,
    verdict_figures,
    verdict_of,
    why,
    with_error,
    word_of,
)
from .tables import number, text_table

_WAYS = (
    "What each way of learning gave over what was kept before it (gains: over the model as it was; all weights: over "
    "the gains), in dB of squared error: on the pairs that watch, by which it is kept where the error falls by more "
    "than its standard error; and on halves of the two scans that the adaptation never saw, told by the other half, "
    "and true. Then how far lesions allow it to go, the true gain of that over the model as it was, and the verdict "
    "on it with how many figures refuse it, whether this way was chosen or not."
)
_HEADS = (
    "The two unseen scans, each with its own T1, with none, and with the T1 of the other's head, laid on the brain's "
    "middle: gain over the raw mean; how far CBF with the other's T1 lies from that with its own (root of the mean "
    "square in the brain; mean of grey matter, mean size of the change); and the verdict's own figure, which knows no "
    "truth: by how much the scan held out is worse with another head's T1 than without guides (negative: better). "
    "After is asked to be no more than before, to 0.2 dB."
)
_FITS = (
    "The T1s of the same two scans, segmented and registered as a run does; no network has a part in it. By how many "
    "standard errors over places the T1 explains the series better than its own mirror image does, and the light that "
    "every run shows of it: below 4 it is red, and the run says that the T1 is of another head."
)


def way_blocks(parts: Mapping[str, Mapping]) -> list[str]:
    """The sections on gains and all weights."""
    return [
        *("## Gains alone, or all weights after them", _WAYS, way_block(parts)),
        *("## What the rule gives", "Means over the sites where gains were kept.", rule_block(parts)),
    ]


def head_blocks(parts: Mapping[str, Mapping], sites: Mapping[str, Mapping]) -> list[str]:
    """The section on what another head's T1 does; the verdict's own figure is that of the sites."""
    return ["## A T1 of another head", _HEADS, head_block(parts, sites)]


def fit_blocks(parts: Mapping[str, Mapping]) -> list[str]:
    """The section on a run's own check of a T1."""
    return ["## Whether the run finds another head's T1 out", _FITS, fit_block(parts)]


def site_blocks(parts: Mapping[str, Mapping]) -> list[str]:
    """The section on simulated sites."""
    body, gains, said = [], [], []
    for name, part in parts.items():
        if "unseen" not in part:
            said.append([name, "refused", "-", "-", why(part)])
            continue
        for when, row in part["unseen"].items():
            body.append([f"{name}, {when}", *(number(n, value) for n, value in row.items())])
        verdict = verdict_of(part)
        own = {f.name: f for f in verdict.figures}
        figures = [own.get(n) for n in ("pairs_gain", "scan_gain")]
        cells = [before_after(f) for f in figures]
        gains.append([name, *cells, told_gain(part["gains"]), f"{part['gains']['true (dB)']:+.2f}"])
        way = f"{part['tuned']['way']}, {part['tuned']['steps']} steps"
        said.append([name, word_of(part), way, minutes_of(part), why(part)])
    names = next((list(part["unseen"]["before"]) for part in parts.values() if "unseen" in part), [])
    return [
        "## Verdicts on simulated sites",
        text_table(("site", "verdict", "what was learned", "CPU minutes", "what it fell short in"), said),
        "## Two scans that the adaptation never saw, means",
        text_table(["site, before or after", *names], body),
        "## The gain as unseen pairs tell it, and as it is",
        "In dB of squared error. The verdict's own figures stand first, before and after, with the standard error of "
        "the difference: unseen pairs of the scans that taught, and the scan held out. Then halves of the two scans "
        "that it never saw, judged by the other half without a truth, and by the truth: were the judgement "
        "biased, these two would differ by more than their standard error over places.",
        text_table(("site", "unseen pairs", "scan held out", "two unseen scans, told", "the same, true"), gains),
    ]


def way_block(parts: Mapping[str, Mapping]) -> str:
    """What each way of learning gave, kept or not."""
    body = []
    for name, part in parts.items():
        for row in part["ways"]:
            chosen = "kept" if row["kept"] else "not kept"
            verdict = Verdict.from_plain(row["verdict"])
            body.append(
                [
                    f"{name}, {row['way']}",
                    f"{row['steps']}",
                    with_error(*row["watched"]),
                    told_gain(row["on_top"]),
                    f"{row['on_top']['true (dB)']:+.2f}",
                    chosen,
                    f"{100 * row['share']:.0f}",
                    f"{row['true']:+.2f}",
                    "accepted" if verdict.earned else f"refused by {len(verdict.unmet)}",
                ]
            )
    head = (
        *("site, way", "steps", "pairs that watch (dB)", "two unseen scans, told (dB)", "the same, true (dB)"),
        *("chosen", "share that lesions allow (%)", "true gain of that share (dB)", "verdict on it"),
    )
    return text_table(head, body)


def rule_block(parts: Mapping[str, Mapping]) -> str:
    """What adaptations hand on by each rule, means over the sites: true gain, and how many are accepted."""
    rules = {
        "gains alone": lambda rows: rows[0],
        "all weights wherever they were tried": lambda rows: rows[-1],
        "all weights only where they still gain": lambda rows: [row for row in rows if row["kept"]][-1],
    }
    ways = [part["ways"] for part in parts.values() if any(row["kept"] for row in part["ways"])]
    body = []
    for rule, pick in rules.items():
        handed = [pick(rows) for rows in ways]
        accepted = [row for row in handed if Verdict.from_plain(row["verdict"]).earned]
        true = np.mean([row["true"] for row in handed]) if handed else math.nan
        body.append([rule, f"{true:+.3f}", f"{len(accepted)} of {len(handed)}"])
    return text_table(("rule", "true gain of what lesions allow (dB)", "accepted"), body)


def head_block(parts: Mapping[str, Mapping], sites: Mapping[str, Mapping]) -> str:
    """What another head's T1 does, before and after."""
    body, names = [], (OWN, NO_T1, OTHER)
    for name, part in parts.items():
        judged = next((f for f in verdict_figures(sites.get(name, {})) if f.name == "another_head"), None)
        for when, row in part["heads"].items():
            cost = getattr(judged, when, math.nan)
            body.append(
                [
                    f"{name}, {when}",
                    *(f"{row[f'{what} (dB)']:.2f}" for what in names),
                    f"{row['moved (ml/100g/min)']:.2f}",
                    f"{row['GM mean (%)']:.2f}",
                    f"{cost:.2f}" if math.isfinite(cost) else "-",
                ]
            )
    head = (
        *("site, before or after", *(f"gain, {what} (dB)" for what in names)),
        *("another's moves CBF by (RMS, ml/100g/min)", "GM mean by (%)", "the verdict's own figure (dB)"),
    )
    return text_table(head, body)


def fit_block(parts: Mapping[str, Mapping]) -> str:
    """Whether a run finds the exchange out: by how many standard errors each T1 belongs, and what is said."""
    body = []
    for name, part in parts.items():
        for scan, found in part["fits"].items():
            fits = [SeriesFit.from_plain(found[what]) for what in (OWN, OTHER)]
            body.append([f"{name}, {scan}", *(f"{fit.certainty:.1f}, {fit.light.value}" for fit in fits)])
    return text_table(("site, scan", OWN, OTHER), body)
