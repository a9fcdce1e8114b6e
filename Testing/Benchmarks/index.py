"""The Extensions Index's own public checks on the published repository, where they can run here; writes index.md.

A clone of what `Testing.Packaging.publish` makes of the last commit stands in for the public repository. `--index`
names a checkout or git folder of Slicer/ExtensionsIndex, else it is cloned; `--slicer` one of Slicer/Slicer, whose
schemas are read.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from ASLDenoiseLib.denoising.apart import APART
from Testing.Packaging.git import git
from Testing.Packaging.published import Refused, publish

from .library.command import ROOT, begin, options
from .library.index_checks import (
    MIB,
    NAME,
    bytes_below,
    clone_of,
    description_checks,
    earlier_versions,
    packaging_check,
    questions,
    reader,
    structure_check,
)
from .library.tables import text_table

_INDEX = "https://github.com/Slicer/ExtensionsIndex.git"
_SCHEMAS = "Schemas"
_ROLES, _PARTS = ("AUTHOR", "COMMITTER"), {"NAME": "x", "EMAIL": "x@example.org"}
_ANYBODY = {
    f"GIT_{role}_{part}": told for role in _ROLES for part, told in _PARTS.items()
}  # of a commit that is thrown away


def main() -> None:
    """Run every check, and write the page."""
    parser = options(__doc__)
    parser.add_argument("--index", default=_INDEX, help="a checkout, git folder or address of Slicer/ExtensionsIndex")
    parser.add_argument("--slicer", type=Path, help="a checkout or git folder of Slicer/Slicer; none: no schema")
    command = begin(__file__, parser)
    with tempfile.TemporaryDirectory(prefix="ASLDenoise-index-") as folder:
        work = Path(folder)
        index = clone_of(command.args.index, work / "index")
        full = clone_of(ROOT.as_uri(), work / "full")
        newest = clone_of(ROOT.as_uri(), work / "newest", "--depth=1")
        try:
            release = publish(full, work / "release" / "published", author=_ANYBODY)
        except Refused as error:
            raise SystemExit(f"Nothing to check: {error}.") from error
        clone = clone_of((work / "release" / "published").as_uri(), work / "published")
        metadata = json.loads((clone / f"{NAME}.json").read_text("utf-8"))
        shutil.copy2(clone / f"{NAME}.json", index)
        schemas = None if command.args.slicer is None else _schemas(command.args.slicer, work / _SCHEMAS)
        outcomes = [*description_checks(index, clone, schemas), structure_check(index), packaging_check(metadata)]
        checked = [(each.check, _shown(each.verdict), each.said) for each in outcomes]
        read = [(kind, f"{count}", f"{size:,}", f"{parts}") for kind, count, size, parts in reader(index, clone)]
        earlier = [(what, f"{count}", f"{size / MIB:.1f}") for what, count, size in earlier_versions(full)]
        sizes = [_sizes("this repository, whole history", full), _sizes("its last commit alone", newest)]
        sizes.append(_sizes("the published repository, of one release", clone))
        archive = release.archive.stat().st_size / MIB
        commit = _git(index, "log", "-1", "--format=%h of %cs")
        command.publish(
            "The Extensions Index's own checks",
            f"Scripts of the index as of {commit}, run on a clone of the published repository "
            "([how it is made](../../Docs/developing.md#publishing)) in the place of the public one: pictures are "
            "asked of the clone, the schema of Slicer's own file.",
            "## Checks",
            text_table(("check", "verdict", "said"), checked),
            "## Size, MiB",
            "The index counts every file of the clone it makes, git's own among them: history counts, and every weight "
            "counts twice, once as a file and once packed.",
            text_table(("clone", "files", ".git", "together, limit 100"), sizes),
            f"A later release adds to the published repository what it changed. The weights of {len(APART)} models "
            f"({', '.join(APART)}) are not in it but in an archive beside it, of {archive:.1f} MiB.",
            "What this repository's history holds beside its last commit, as git has packed it, and the published one "
            "does not:",
            text_table(("what", "versions", "MiB"), earlier),
            "## What its reader takes in",
            "Every `.py` and `.md` file, and CMakeLists.txt, all as UTF-8; a model that needs an account is asked "
            "about them, which is not run here.",
            text_table(("kind", "files", "characters", "parts"), read),
            "It asks:\n\n" + "\n".join(f"{n}. {question}" for n, question in enumerate(questions(index), 1)),
        )


def _shown(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "failed" else verdict


def _sizes(what: str, clone: Path) -> tuple[str, str, str, str]:
    packed = bytes_below(clone / ".git")
    total = bytes_below(clone)
    return what, f"{(total - packed) / MIB:.1f}", f"{packed / MIB:.1f}", f"{total / MIB:.1f}"


def _schemas(slicer: Path, folder: Path) -> Path:
    """Slicer's schemas, of a checkout or out of a git folder."""
    if (slicer / _SCHEMAS).is_dir():
        return slicer / _SCHEMAS
    folder.mkdir()
    for path in _git(slicer, "ls-tree", "--name-only", "HEAD", f"{_SCHEMAS}/").splitlines():
        (folder / Path(path).name).write_text(_git(slicer, "show", f"HEAD:{path}"), encoding="utf-8", newline="\n")
    return folder


def _git(folder: Path, *words: str) -> str:
    return git(folder, *words).decode("utf-8").strip()


if __name__ == "__main__":
    main()
