"""What the benchmarks' commands share: options, how a table was made, and where it goes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
sys.path.insert(0, str(ROOT))

_OPTIONS = {
    "anatomy": {"type": Path, "default": SHARED / "anatomy", "help": "the folder of label maps"},
    "data": {"type": Path, "default": SHARED, "help": "the folder of real data"},
    "models": {"help": "comma-separated; default: all that are installed"},
    "device": {"default": "cpu", "help": "where networks run"},
    "threads": {"type": int, "default": os.cpu_count(), "help": "of the CPU"},
}


def options(doc: str, *names: str, quick: str = "") -> argparse.ArgumentParser:
    """A parser with the shared options of these names, ``--out``, and ``--quick`` where it is said what that does."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name in names:
        parser.add_argument(f"--{name}", **_OPTIONS[name])
    kept = "default: beside the script" + ("; none with --quick" if quick else "")
    parser.add_argument("--out", type=Path, help=f"the table; {kept}")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    return parser


@dataclass(frozen=True, eq=False)
class Command:
    """A benchmark as it was called, and the clock since."""

    script: Path
    args: argparse.Namespace
    started: float = field(default_factory=time.perf_counter)

    @property
    def made_by(self) -> str:
        """The command without its paths, in backquotes."""
        flags = [f" --{name.replace('_', '-')}" for name, value in vars(self.args).items() if value is True]
        return f"`python Testing/Benchmarks/{self.script.name}{''.join(flags)}`"

    @property
    def seconds(self) -> float:
        """Since it was called."""
        return time.perf_counter() - self.started

    @property
    def made_in(self) -> str:
        """How long it took, and on what."""
        device = "" if self.args.device == "cpu" else f", networks on {self.args.device}"
        minutes = self.seconds / 60
        threads = f"{self.args.threads} CPU thread{'s' if self.args.threads != 1 else ''}"
        return f"{minutes:.0f} minutes, {threads}{device}"

    def publish(self, lines: Iterable[str], *, kept: bool = True) -> int:
        """Print the lines and write them to ``--out``, or, where `kept`, beside the script; returns exit status 0."""
        text = "\n".join(lines).rstrip() + "\n"
        out = self.args.out or (self.script.with_suffix(".md") if kept else None)
        if out:
            out.write_text(text)
        print(text, end="")
        return 0


def begin(script: str, parser: argparse.ArgumentParser) -> Command:
    """Read the command line, give torch its threads, and start the clock."""
    command = Command(Path(script), parser.parse_args())
    if hasattr(command.args, "threads"):
        import torch

        torch.set_num_threads(command.args.threads)
    return command


def is_missing(folder: Path, what: str) -> bool:
    """Whether `folder` is not there; then says that the benchmark is skipped, and what to give."""
    if not folder.is_dir():
        print(f"skipped: {folder} is not there; give {what}", file=sys.stderr)
    return not folder.is_dir()
