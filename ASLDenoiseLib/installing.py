"""What pip would do, asked before it does: no package of Slicer's own may move.

Slicer's modules were compiled for its numpy, SimpleITK and VTK, and torch is of the build that fits the graphics card.
So pip is given the versions that are there as constraints, and asked by a dry run whether what is wanted can be had so.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from .no_window import NO_WINDOW
from .torch_state import installed

HELD = ("numpy", "SimpleITK", "vtk", "torch", "torchvision")
_QUICK = ("--retries", "0", "--timeout", "10")  # an offline machine is not to wait for minutes
_NEEDS = re.compile(r"^\s*(?P<who>\S+(?: \S+)?) depends on (?P<what>.+?)\s*$", re.MULTILINE)
_HELD_LINE = re.compile(r"^\s*The user requested \(constraint\) (?P<what>\S+)\s*$", re.MULTILINE)


def held_versions(names: Iterable[str] = HELD) -> dict[str, str]:
    """The packages that must stay as they are, with the versions that are installed."""
    versions = {name: installed(name) for name in names}
    return {name: version for name, version in versions.items() if re.fullmatch(r"\d[\w.+!]*", version)}


def write_constraints(path: Path, versions: Mapping[str, str]) -> Path:
    """A constraints file for pip that holds these versions; returns its path."""
    lines = "".join(f"{name}=={version}\n" for name, version in versions.items())
    path.write_text(lines, encoding="utf-8", newline="\n")
    return path


def why_refused(
    requirements: Sequence[str],
    constraints: Path,
    *,
    python: Sequence[str],
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    meanwhile: Callable[[], None] = lambda: None,
    seconds: float = 90.0,
) -> str:
    """Why these requirements cannot be had beside what must stay; empty where they can, or where pip cannot tell.

    Installs nothing. That pip finds no network, say, is no reason: the installation itself will say so.

    Args:
        requirements: as pip takes them.
        constraints: what must stay (`write_constraints`).
        python: the command of the Python to install into.
        environment: of that command; None this process's.
        options: more of pip's options.
        meanwhile: called every 50 ms while pip looks.
        seconds: after which it is not waited for any more.
    """
    with tempfile.TemporaryDirectory(prefix="ASLDenoise-pip-", ignore_cleanup_errors=True) as folder:
        report, log = Path(folder, "report.json"), Path(folder, "log.txt")
        command = [*python, "-m", "pip", "install", "--dry-run", "--no-input", "--disable-pip-version-check"]
        command += [*_QUICK, *options, "-c", str(constraints), "--report", str(report), *requirements]
        with log.open("wb") as stream:
            try:
                pip = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    creationflags=NO_WINDOW,
                )
            except OSError:
                return ""
            status = _waited_for(pip, meanwhile, seconds)
        if status == 0:
            return _moved(report)
        return refusal(log.read_text("utf-8", "replace")) if status else ""


def _waited_for(pip: subprocess.Popen, meanwhile: Callable[[], None], seconds: float) -> int | None:
    """The exit status; None where it took too long, and was ended."""
    last = time.monotonic() + seconds
    while pip.poll() is None:
        if time.monotonic() > last:
            pip.kill()
            pip.wait()
            return None
        meanwhile()
        time.sleep(0.05)
    return pip.returncode


def _moved(report: Path) -> str:
    """What a dry run would move all the same."""
    try:
        planned = [item["metadata"] for item in json.loads(report.read_text("utf-8"))["install"]]
    except (OSError, ValueError, KeyError):
        return ""
    stays = {name.lower() for name in held_versions()}
    moved = [f"{item['name']} {item['version']}" for item in planned if item["name"].lower() in stays]
    return f"they would replace what must stay, by {', '.join(moved)}" if moved else ""


def refusal(log: str) -> str:
    """What pip's words of a conflict come to, in one clause; empty where they are about something else.

    >>> refusal("monai 9.0 depends on numpy>=2\\n The user requested (constraint) numpy==1.26.4\\nResolutionImpossible")
    'monai 9.0 demands numpy>=2, and numpy 1.26.4 must stay'
    """
    if "ResolutionImpossible" not in log and "conflicting dependencies" not in log:
        return ""
    held = {what.partition("==")[0].lower(): what for what in _HELD_LINE.findall(log)}
    for who, what in _NEEDS.findall(log):
        name = re.match(r"[\w.-]+", what)[0].lower()
        if name in held:
            return f"{who} demands {what}, and {held[name].replace('==', ' ')} must stay"
    return f"{', '.join(held.values()) or 'what Slicer has'} must stay, and they demand another"
