"""From a fresh clone to a result, step by step, in a folder of its own with an empty home; writes fresh_clone.md.

What is cloned is the last commit of this checkout. Every step is the command that README and Docs give, run as a new
user would, with neither this environment nor anything in the home folder. What pip needs is downloaded each time.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .library.command import ROOT, begin, options, say, timed
from .library.tables import table, text_table

SAMPLE = "Resources/SampleData/sub-phantom"
IMPORTS = ("ASLDenoiseLib", "nibabel", "SimpleITK", "torch", "monai")
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Step:
    """One command of a user's, and what shows that it worked."""

    what: str
    command: str
    left: str
    seconds: float


class Fresh:
    """A clone, an empty home, and the commands run there; the first that fails ends all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clone, self.steps = folder, folder / "ASLDenoise", []
        home = folder / "home"
        home.mkdir()
        kept = {name: os.environ[name] for name in os.environ if name in _KEPT or name.startswith(("PIP_", "http"))}
        # without the folders of an environment that is active here
        path = [p for p in kept["PATH"].split(os.pathsep) if Path(p) != Path(sys.executable).parent]
        self.environment = kept | {"HOME": str(home), "PATH": os.pathsep.join(path), "PIP_NO_CACHE_DIR": "1"}

    def run(
        self, what: str, command: str, *, where: Path | None = None, left: Callable[[str], str] = lambda said: ""
    ) -> None:
        """Run, time and note a step."""
        say(f"... {what}")
        how = {"cwd": where or self.clone, "env": self.environment, "stdin": subprocess.DEVNULL}
        done, taken = timed(subprocess.run, ["bash", "-c", command], **how, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{what} failed ({command}):\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        self.steps.append(Step(what, command, left(done.stdout), taken))
        say(f"    {taken:.1f} s {self.steps[-1].left}")


def cloned(fresh: Fresh) -> None:
    """The commands that need nothing but the clone: set-up, demo, tests, lint."""
    fresh.run("clone", f"git clone --quiet '{ROOT}' ASLDenoise", where=fresh.folder, left=lambda _: _size(fresh.clone))
    fresh.run("demo, set-up included", "make demo", left=lambda _: _files(fresh.clone / "out" / "demo"))
    fresh.run("demo again", "make demo", left=lambda _: "the same files")
    fresh.run("BIDS validator", ".venv/bin/bids-validator-deno out/demo --ignoreWarnings", left=lambda _: "no error")
    fresh.run("tests", "make test", left=_tests)


def installed(fresh: Fresh) -> Path:
    """`pip install .` into an environment of its own, and a result from a folder that is not the clone; its Python."""
    user = fresh.folder / "user"
    user.mkdir()
    torch = re.search(r"^TORCH \?= (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M).group(1)
    fresh.run("environment", f"python3 -m venv venv && venv/bin/pip install --quiet {torch}", where=user)
    fresh.run("pip install .", "../user/venv/bin/pip install --quiet .", left=lambda _: "the asldenoise command")
    fresh.run("help", "venv/bin/asldenoise --help", where=user, left=lambda said: f"{len(said.splitlines())} lines")
    sample = f"../ASLDenoise/{SAMPLE}"
    series, t1 = f"{sample}/perf/sub-phantom_asl.nii.gz", f"{sample}/anat/sub-phantom_T1w.nii.gz"
    fresh.run("inspect", f"venv/bin/asldenoise inspect {series}", where=user, left=lambda said: said.splitlines()[-1])
    denoise = f"venv/bin/asldenoise denoise {series} --t1 {t1} --out results"
    fresh.run("denoise", denoise, where=user, left=lambda _: _files(user / "results"))
    return user / "venv" / "bin" / "python"


def packaged(fresh: Fresh) -> None:
    """The extension: configured against the stub of Slicer's build files, built, installed, packed, tested."""
    cmake, none = "../ASLDenoise/.venv/bin/cmake", shutil.which("true")
    compilers = " ".join(f"-DCMAKE_{c}_COMPILER={none} -DCMAKE_{c}_COMPILER_FORCED=1" for c in ("C", "CXX"))
    where = fresh.folder / "extension"
    where.mkdir()
    python = "-DPython3_EXECUTABLE=$PWD/../ASLDenoise/.venv/bin/python"
    ninja = "-G Ninja -DCMAKE_MAKE_PROGRAM=$PWD/../ASLDenoise/.venv/bin/ninja"
    stub = "-DSlicer_DIR=$PWD/../ASLDenoise/Testing/Packaging/SlicerStub"
    fresh.run(
        "cmake configure",
        f"{cmake} -S ../ASLDenoise -B . {stub} {ninja} {python} {compilers} -DCMAKE_INSTALL_PREFIX=$PWD/installed",
        where=where,
    )
    fresh.run("cmake build", f"{cmake} --build .", where=where)
    fresh.run("cmake install", f"{cmake} --install .", where=where, left=lambda _: _files(where / "installed"))
    cpack = "../ASLDenoise/.venv/bin/cpack -G TGZ"
    fresh.run("cpack", cpack, where=where, left=lambda _: _size(next(where.glob("*.tar.gz"))))
    ctest = "../ASLDenoise/.venv/bin/ctest --output-on-failure"
    fresh.run("ctest", ctest, where=where, left=lambda said: re.search(r"\d+% tests passed.*", said).group())


def import_times(fresh: Fresh, python: Path, *, times: int = 7) -> dict[str, dict[str, float]]:
    """Seconds that a new process takes to import a package, beyond one that imports nothing; medians."""

    def seconds(code: str) -> float:
        call = partial(subprocess.run, [python, "-c", code], env=fresh.environment, cwd=fresh.folder, check=True)
        return statistics.median(timed(call)[1] for _ in range(times))

    nothing = seconds("pass")
    beyond = {name: seconds(f"import {name}") - nothing for name in IMPORTS}
    base = beyond["nibabel"]
    return {f"import {name}": {"s": taken, "times nibabel's": taken / base} for name, taken in beyond.items()}


def _files(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"


def _size(path: Path) -> str:
    return _files(path) if path.is_dir() else f"{path.stat().st_size / 1e6:.1f} MB"


def _tests(said: str) -> str:
    return re.findall(r"=+ (.*(?:passed|failed).*) =+", said)[-1]


def _short(command: str) -> str:
    """A command without the places of this machine and the settings that stand in for a compiler."""
    command = command.replace(str(ROOT), "CHECKOUT").replace("../ASLDenoise/.venv/bin/", "")
    command = re.sub(r" -DCMAKE_C(XX)?_COMPILER\S*| -DCMAKE_MAKE_PROGRAM\S*| -DPython3_EXECUTABLE\S*", "", command)
    return re.sub(r"(\.\./user/)?\.?venv/bin/|\$PWD/|'", "", command)


def main() -> None:
    """Run all steps and write the table."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, help="an empty or new folder to work in and keep; default: a passing one")
    command = begin(__file__, parser)
    with tempfile.TemporaryDirectory() as passing:
        folder = (command.args.keep or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Fresh(folder)
        cloned(fresh)
        python = installed(fresh)
        packaged(fresh)
        imports = import_times(fresh, python)
    command.publish(
        "From a fresh clone to a result",
        "In a folder of its own with an empty home, on two CPU cores with nothing else at work, pip's cache empty; the "
        "commands are those of README and Docs.",
        text_table(
            ["step", "command", "s", "left"],
            [[s.what, f"`{_short(s.command)}`", f"{s.seconds:.1f}", s.left] for s in fresh.steps],
        ),
        "Importing in a new process, beyond what Python itself takes (medians of 7):",
        table(imports, first=""),
    )


if __name__ == "__main__":
    main()
