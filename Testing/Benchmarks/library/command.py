"""What the benchmarks' commands share: options, how a table was made, and where it goes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

_Given, _Result = ParamSpec("_Given"), TypeVar("_Result")

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared" / "data"

_OPTIONS = {
    "anatomy": {"type": Path, "default": SHARED / "anatomy", "help": "the folder of label maps"},
    "data": {"type": Path, "default": SHARED, "help": "the folder of real data"},
    "strokes": {"type": Path, "default": SHARED / "lesions", "help": "the folder of stroke masks in MNI space"},
    "models": {"help": "comma-separated; default: all that are installed"},
    "dlasl": {"type": Path, "help": "the folder of DLASL's weights; default: the installed package pyasl-osipi's"},
    "device": {"default": "cpu", "help": "where networks run"},
    "threads": {"type": int, "default": os.cpu_count(), "help": "of the CPU"},
}


def options(doc: str, *names: str, quick: str = "") -> argparse.ArgumentParser:
    """A parser with the shared options of these names, ``--out``, and ``--quick`` where it is said what that does."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name in names:
        parser.add_argument(f"--{name}", **_OPTIONS[name])
    kept = "default: beside the command" + ("; none with --quick" if quick else "")
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
    def module(self) -> str:
        """What is run."""
        return f"Testing.Benchmarks.{self.script.stem}"

    @property
    def made_by(self) -> str:
        """The command without its paths, in backquotes."""
        flags = [f" --{name.replace('_', '-')}" for name, value in vars(self.args).items() if value is True]
        return f"`python -m {self.module}{''.join(flags)}`"

    @property
    def made_in(self) -> str:
        """How long it took, and on what."""
        threads, device = getattr(self.args, "threads", None), getattr(self.args, "device", "cpu")
        parts = [f"{(time.perf_counter() - self.started) / 60:.0f} minutes"]
        parts += [f"{threads} CPU thread{'s' if threads != 1 else ''}"] if threads else []
        parts += [f"networks on {device}"] if device != "cpu" else []
        return ", ".join(parts)

    @property
    def quick(self) -> bool:
        """Whether little is asked for."""
        return getattr(self.args, "quick", False)

    @property
    def real(self) -> Path | None:
        """The folder of data where its real series are, and not with ``--quick``."""
        return self.args.data if not self.quick and self.finds(self.args.data / "real", "data") else None

    def finds(self, folder: Path, option: str) -> bool:
        """Whether a folder is there; says what is skipped without it."""
        if not folder.is_dir():
            say(f"skipped: {folder} is not there; give {_OPTIONS[option]['help']} with --{option}")
        return folder.is_dir()

    def alone(self, *flags: object, **settings: str) -> dict:
        """What this command prints as JSON in its last line, called with `flags`, and environment `settings`, anew."""
        call = [sys.executable, "-m", self.module, *map(str, flags)]
        environment = os.environ | settings
        told = subprocess.run(call, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(told.splitlines()[-1])

    def publish(self, title: str, *blocks: str, kept: bool = True) -> None:
        """Print a page of paragraphs and tables, and write it to ``--out``, or, where `kept`, beside the command."""
        made = f"Made by {self.made_by} in {self.made_in}."
        text = "\n\n".join([f"# {title}", made, *blocks]).rstrip() + "\n"
        out = self.args.out or (self.script.with_suffix(".md") if kept and not self.quick else None)
        if out:
            out.write_text(text, encoding="utf-8", newline="\n")
        print(text, end="")


def begin(script: str, parser: argparse.ArgumentParser) -> Command:
    """Read the command line, give torch and ITK their threads, and start the clock.

    Ends the process where the folder is missing without which there is nothing to measure: label maps, else real data.
    """
    parser.prog = f"python -m Testing.Benchmarks.{Path(script).stem}"
    command = Command(Path(script), parser.parse_args())
    args = command.args
    if "threads" in args:
        os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(args.threads)
        import torch

        torch.set_num_threads(args.threads)
    needed = (args.anatomy, "anatomy") if "anatomy" in args else (args.data / "real", "data") if "data" in args else ()
    if needed and not command.finds(*needed):
        raise SystemExit(0)
    return command


def say(*words: object) -> None:
    """Tell how far it is, beside the table."""
    print(*words, file=sys.stderr, flush=True)


def timed(call: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs) -> tuple[_Result, float]:
    """What a call returns, and the seconds it took."""
    started = time.perf_counter()
    return call(*given, **named), time.perf_counter() - started
