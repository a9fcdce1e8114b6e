"""The command ``cohort``: a BIDS app, with the arguments that all BIDS apps have."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import KINDS, make_progress
from ..reading.fetched_atlases import names_of_atlases
from .options import atlases_of

if TYPE_CHECKING:
    from ..participants.clusters import Workers
    from ..participants.cohort import Cohort, CohortRequest
    from ..participants.console import Counting
    from ..participants.live_table import Display
    from ..participants.plan import Plan, Watch

_SHOWN = 20  # scans that failed; the table of scans has all


def add_cohort(parser: argparse.ArgumentParser) -> None:
    """BIDS OUT LEVEL, which scans, what is done with them, and where."""
    parser.add_argument("bids", metavar="BIDS", type=Path, help="the root of a BIDS data set")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the results, one BIDS derivative")
    text = "participant: run each scan; group: tables, figures and a page of all that are done"
    parser.add_argument("levels", metavar="LEVEL", nargs="+", choices=("participant", "group"), help=text)
    group = parser.add_argument_group("which scans (default: all)")
    text = "participants, with or without sub-"
    group.add_argument(
        *("--participant-label", "--participant_label"), nargs="+", default=[], metavar="LABEL", help=text
    )
    text = "sessions, with or without ses-"
    group.add_argument(*("--session-label", "--session_label"), nargs="+", default=[], metavar="LABEL", help=text)
    group = parser.add_argument_group("what is done with each")
    text = (
        "a *_request.json, of any result, whose series, T1 and folder are replaced by each scan's "
        "(default: denoise with the default model, MNI space, a Slicer scene)"
    )
    group.add_argument("--request", type=Path, metavar="FILE", help=text)
    text = f"read out every label of an image in MNI space; or of an atlas by its name: {names_of_atlases()}"
    group.add_argument("--atlas", metavar="LABELS|NAME", help=text)
    text = "the names of its labels: a BIDS _dseg.tsv or a colour table"
    group.add_argument("--atlas-names", type=Path, metavar="FILE", help=text)
    text = (
        "label maps of the T1s, for tissue and regions: FreeSurfer's SUBJECTS_DIR, what SynthSeg wrote, or BIDS "
        "derivatives (*_dseg.nii.gz)"
    )
    group.add_argument("--labels-from", type=Path, metavar="DIR", help=text)
    group = parser.add_argument_group("where")
    text = "scans side by side on this machine (default: as many as its cores and its free memory allow)"
    group.add_argument("--workers", type=int, metavar="N", help=text)
    text = "threads of each scan (default: %(default)s, with which a run repeats exactly)"
    group.add_argument("--threads", type=int, default=1, metavar="N", help=text)
    place = group.add_mutually_exclusive_group()
    place.add_argument("--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler that runs already")
    text = "a queue to run on: a YAML file with its type (slurm, pbs, ...), jobs, and the options of dask-jobqueue"
    place.add_argument("--cluster", type=Path, metavar="FILE", help=text)
    text = "say what is missing or doubtful in each scan and what would be run; write nothing (exit status as inspect)"
    parser.add_argument("--dry-run", action="store_true", help=text)
    parser.add_argument("--progress", choices=KINDS, default="auto", help="on stderr")


def run_cohort(args: argparse.Namespace) -> int:
    """Run a cohort, or say what would be run; 0: all is done, 1: some scans failed."""
    from ..participants.cohort import run_cohort
    from ..participants.live_table import make_display
    from ..participants.plan import Watch

    asked, workers, kind = cohort_of(args), workers_of(args), args.progress
    if args.dry_run:
        return _dry_run(asked, workers, kind)
    if "participant" in asked.levels:
        with make_display(kind) as display:
            of_scans = replace(asked, levels=("participant",))
            cohort = run_cohort(of_scans, workers=workers, watch=_watch(kind, display))
    if "group" in asked.levels:
        cohort = run_cohort(replace(asked, levels=("group",)), watch=Watch(group=make_progress(kind)))
    return _told(cohort, asked)


def _watch(kind: str, display: Display) -> Watch:
    """What is told on standard error; with ``json`` lines of JSON alone."""
    from ..participants.plan import Watch
    from ..participants.plan_text import plan_warnings

    def planned(plan: Plan) -> None:
        display.before = plan.done
        if kind not in ("none", "json"):
            print(*plan_warnings(plan), sep="\n", file=sys.stderr, flush=True)

    return Watch(_looking(kind), planned, display)


def _looking(kind: str) -> Counting:
    from ..participants.console import Counting

    return Counting(make_progress("none" if kind == "json" else kind), "looking at the scans")


def cohort_of(args: argparse.Namespace) -> CohortRequest:
    """What is asked for.

    Raises:
        InputError: the template or the atlas cannot be used.
    """
    from ..participants.cohort import CohortRequest
    from ..participants.template import Template, read_template

    template = Template() if args.request is None else read_template(args.request)
    atlases = (*template.outputs.atlases, *atlases_of(args, usual="mni"))
    outputs = replace(template.outputs, atlases=atlases, command=args.command_line)
    template = replace(template, outputs=outputs)
    chosen = tuple(args.levels), tuple(args.participant_label), tuple(args.session_label)
    return CohortRequest(args.bids, args.out, *chosen, template, args.labels_from)


def workers_of(args: argparse.Namespace) -> Workers:
    """Where it is to run; raises as `participants.clusters.Workers`."""
    from ..participants.clusters import Workers

    return Workers(args.workers, args.threads, args.scheduler, args.cluster)


def _dry_run(asked: CohortRequest, workers: Workers, progress: str) -> int:
    from ..findings import Severity
    from ..participants.cluster_file import read_cluster_file
    from ..participants.cohort import plan_cohort
    from ..participants.plan import Watch
    from ..participants.plan_text import plan_table

    cluster = workers.cluster_file
    script = "" if cluster is None else read_cluster_file(cluster, threads=workers.threads).job_script()
    here = replace(workers, scheduler="", cluster_file=None)
    plan = plan_cohort(asked, workers=here, watch=Watch(_looking(progress)))
    print(plan_table(plan))
    if script:
        print(f"\nEach job of the queue would be:\n\n{script}")
    return {Severity.UNUSABLE: 2, Severity.WARNING: 1}.get(plan.worst, 0)


def _told(cohort: Cohort, asked: CohortRequest) -> int:
    failed, count = cohort.failed, len(cohort.records)
    also = f", {len(failed)} failed" if failed else ""
    print(f"{count - len(failed)} of {count} scans are done{also}; their results are in {cohort.folder}.")
    for name, sentence in list(failed.items())[:_SHOWN]:
        print(f"  {name}: {sentence}")
    if len(failed) > _SHOWN:
        print(f"  ... and {len(failed) - _SHOWN} more, in the table of scans")
    if "group" in asked.levels:
        print(f"All of them on one page: {cohort.folder / 'group' / 'report.html'}")
    return 1 if failed else 0
