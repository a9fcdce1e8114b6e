"""Whether another person's T1 is noticed: heads and their own or others' T1s, simulated and real; writes other_head.md.

Every head is drawn from a label map at its own size. Its T1 is fitted to the template as a run does, its scan masked by
`brain_mask`, the two are registered, and the T1 is then let stretch (`RigidRegistration.affine_gain`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.preparing.brain_mask import brain_mask, correct_bias
from ASLDenoiseLib.preparing.registration import RigidRegistration, register_rigid
from ASLDenoiseLib.preparing.template_fit import fit_template
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.resampling import average_onto, with_spacing

from .library.cases import anatomy_path
from .library.command import begin, options, say
from .library.head_draws import anatomical_scanning, draw_scanning
from .library.real_scans import NAMES, real_series, real_t1
from .library.tables import text_table
from .library.whole_heads import imaged, read_head

ANATOMIES = tuple(range(1, 18))
LIMITS = (0.6, 0.8, 1.0, 1.2, 1.5)
OTHERS = (1, 5)  # steps along the list to the other heads each scan is given


@dataclass(frozen=True, eq=False)
class Scanned:
    """A scan and its brain, and the T1 of the same head with its own."""

    label: str
    t1: Volume
    t1_brain: Volume
    scan: Volume
    brain: Volume


def t1_and_brain(t1: Volume) -> tuple[Volume, Volume]:
    """At 2 mm, as the template is fitted."""
    head = correct_bias(average_onto(t1, with_spacing(t1.geometry, (2.0,) * 3), outside=0.0))
    return head, fit_template(head).brain


def simulated(number: int, folder: Path) -> Scanned:
    """One head of natural size: its T1, and its scan of a kind that depends on its number."""
    head = read_head(anatomy_path(f"brain-{number:02d}", folder))
    kind, scanning = draw_scanning(700 + number)
    scan = imaged(head, replace(scanning, scale=(1.0, 1.0, 1.0)), seed=700 + number).image
    t1 = imaged(head, anatomical_scanning(), seed=number).image
    say("drew", number, kind)
    return Scanned(f"brain-{number:02d}, {kind}", *t1_and_brain(t1), scan, brain_mask(scan))


def figures(t1: Volume, t1_brain: Volume, scan: Volume, brain: Volume) -> RigidRegistration:
    """The T1 registered to the scan as a run does."""
    return register_rigid(t1, scan, moving_mask=t1_brain, fixed_mask=brain)


def caught(found: list[RigidRegistration], most: float) -> str:
    """How many exceed a limit, or were doubted for another reason."""
    return f"{sum(each.disagreement > most or each.warning != '' for each in found)} of {len(found)}"


def area_under(own: list[RigidRegistration], other: list[RigidRegistration]) -> float:
    """The chance that another head's disagreement is above one's own: the area under the ROC curve."""
    mine, theirs = ([each.disagreement for each in found if not each.warning] for found in (own, other))
    return float(np.mean([o > s for o in theirs for s in mine]))


def main() -> None:
    """Register each scan to its own T1 and to those of two others."""
    command = begin(__file__, options(__doc__, "anatomy", "data", "threads", quick="four heads, none real"))
    numbers = ANATOMIES[:4] if command.quick else ANATOMIES
    heads = [simulated(number, command.args.anatomy) for number in numbers]
    lines, own, other = [], [], []
    for n, head in enumerate(heads):
        mine = figures(head.t1, head.t1_brain, head.scan, head.brain)
        others = [heads[(n + step) % len(heads)] for step in OTHERS if step % len(heads)]
        theirs = [figures(each.t1, each.t1_brain, head.scan, head.brain) for each in others]
        own.append(mine)
        other += theirs
        lines.append([head.label, *(_said(each) for each in (mine, *theirs))])
        say(*lines[-1])
    if command.real:
        t1, t1_brain = t1_and_brain(real_t1(command.args.data))
        for n, name in enumerate(NAMES):
            scan = real_series(command.args.data, name).m0
            brain, head = brain_mask(scan), heads[n]
            mine = figures(t1, t1_brain, scan, brain)
            theirs = figures(head.t1, head.t1_brain, scan, brain)
            lines.append([f"real, {name}", _said(mine), _said(theirs), ""])
    command.publish(
        "Another head's T1",
        "Heads of 17 label maps at their own size, scans of many kinds (`library/head_draws.py`), registered to their "
        "own T1 and to those of two others: by how much the mutual information grows where the T1 may be stretched, by "
        "how much that stretches it, and the disagreement that `RigidRegistration` makes of both.",
        text_table(("scan", "own T1", "another's", "a third's"), lines),
        "Simulated pairs by limit (a run warns above 1); a registration that was doubted anyway counts as found. "
        f"Area under the ROC curve: {area_under(own, other):.2f}.",
        text_table(
            ("disagreement above", "own heads warned of", "other heads warned of"),
            [[f"{limit:g}", caught(own, limit), caught(other, limit)] for limit in LIMITS],
        ),
    )


def _said(found: RigidRegistration) -> str:
    return "doubted" if found.warning else f"{found.affine_gain:+.0%}, {found.stretch:.1%}: {found.disagreement:.2f}"


if __name__ == "__main__":
    main()
