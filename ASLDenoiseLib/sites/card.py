"""The card of an adapted model: what it saw, what was asked of it, and what it is for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..adapting.adaptation import Adaptation, Attempt
from ..denoising.bundle import domain_rows
from .saw import SawScan
from .verdict_text import learned, verdict_markdown


def card_text(metadata: Mapping[str, Any], adaptation: Adaptation, saw: Sequence[SawScan]) -> str:
    """The card as Markdown.

    Args:
        metadata: of its bundle (`bundle.site_metadata`), with ``warnings`` on the scans.
        adaptation: how it was learned, and the verdict.
        saw: its scans, the last of which judged.
    """
    name, start = metadata["name"], metadata["adapted_from"]
    model = f"`{start['name']}` (version {start['version'] or 'unknown'}, SHA256 `{start['sha256']}`)"
    lines = [
        f"# {name}",
        f"{model}, adapted to {len(saw)} scans of one site by learning from their noise. Research use only; not for "
        "diagnosis. It holds for scans of the site and protocol below: for any other use the model it came from.",
        "## What it saw",
        _scans_table(saw),
        f"Random disjoint groups of each scan's pairs taught and stopped it: {learned(adaptation)}. The last scan, "
        f"{saw[-1].name}, was held out: it neither taught nor stopped, and judged. No truth was known, and no image "
        "left this computer.",
        *_told(adaptation),
        *([_bullets(metadata.get("warnings", ()))] if metadata.get("warnings") else []),
        "## What was asked of it",
        f"Before is `{start['name']}`, after is `{name}`, both as a run uses them. Standard errors are of the change.",
        verdict_markdown(adaptation.verdict),
        "## Domain",
        domain_rows(metadata["domain"]),
        _site(metadata["site"]),
        "Input outside this range gives a finding; compare the denoised map with the raw one with care. Lesions are "
        "kept as the figures say and no better: denoising lowers the contrast of small ones.",
        "## Use",
        f"```\npython -m ASLDenoiseLib denoise SERIES --model {name} --out DIR\n```",
        "This folder is the whole model: copy it into the folder of models of another computer to have it there, and "
        "delete it to be rid of it. The weights hold no image, but they were learned from the scans above: share them "
        "as those may be shared.",
        f"Licence {metadata.get('licence') or 'as the model before'}. Weights SHA256 `{metadata['sha256']}`. "
        f"ASLDenoise {metadata['version']}, seed {metadata['training']['seed']}, on {metadata['training']['device']}.",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _scans_table(saw: Sequence[SawScan]) -> str:
    heads = ("scan", "subject", "pairs used", "labelling", "delay", "readout", "voxels", "T1", "part")
    rows = [heads, ("---",) * len(heads)]
    for each in saw:
        part = "judges" if each is saw[-1] else "teaches"
        pairs = str(each.usable) if each.usable == each.pairs else f"{each.usable} of {each.pairs}"
        delay = "not stated" if each.delay is None else f"{each.delay:g} s"
        stated = each.labeling or "not stated", delay, each.readout or "not stated", each.voxels
        rows.append((each.name, each.subject or "not stated", pairs, *stated, "yes" if each.t1 else "no", part))
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)


def _told(adaptation: Adaptation) -> list[str]:
    """How the learning dealt out the pairs of the scans that taught, in their order, and what each way of it gave."""
    saw = adaptation.saw
    words = {"pairs_that_taught": "taught", "pairs_that_stopped": "said when to stop", "pairs_that_judged": "judged"}
    told = [
        f"Pairs that {words[key]}: {', '.join(map(str, counts))}"
        for key, counts in saw.items()
        if key in words and isinstance(counts, Sequence)
    ]
    told += [_tried(each) for each in adaptation.tuned.tried]
    share = saw.get("share_of_learning")
    if isinstance(share, float) and share:
        told.append(f"Share of what was learned that lesions allow: {100 * share:.0f} %")
    return [_bullets(told)] if told else []


def _tried(attempt: Attempt) -> str:
    """What one way of learning gave over what was kept before it."""
    error = f" ± {attempt.error:.2f}" if math.isfinite(attempt.error) else ""
    fell = f"{attempt.gain:+.2f}{error} dB" if math.isfinite(attempt.gain) else "what cannot be told in dB"
    what = {"gains": "One gain a channel", "all weights": "All weights after it"}[attempt.way]
    became = "kept" if attempt.kept else "not kept, which takes more than the standard error"
    return f"{what}, {attempt.steps} steps: better on the pairs that said when to stop by {fell}; {became}"


def _site(site: Mapping[str, Sequence[str]]) -> str:
    words = {"labeling": "Labelling", "readout": "Readout"}
    return " ".join(f"{words[name]}: {', '.join(kinds)}." for name, kinds in site.items() if name in words)


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
