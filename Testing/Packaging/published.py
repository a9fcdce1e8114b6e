"""The repository that is published: a commit a release, each without the weights that are published apart.

It is another repository than the one it is made from, which is read and never written to. Files come as git holds them,
not through a work tree, so that they are the same to the byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ASLDenoiseLib.denoising.apart import APART
from ASLDenoiseLib.moving import remove_folder, rename_folder, replace_file
from ASLDenoiseLib.software import NAME

from .comparison_models import NoWeights, weights_of, write_archive
from .git import git, lines

BRANCH = "main"  # the one that the Extensions Index clones


class Refused(Exception):
    """Why nothing was published, in a sentence with what to do."""


@dataclass(frozen=True)
class Release:
    """What was published: the version, its commit in the published repository, and the archive beside it."""

    version: str
    commit: str
    archive: Path


def publish(source: Path, target: Path, *, author: Mapping[str, str] | None = None) -> Release:
    """Publish the last commit of the checkout `source` into the repository `target`, which is made if there is none.

    The archive of models lies beside `target`. A run that is killed leaves the repository as it was, or there is none.

    Args:
        source: a clean checkout.
        target: an earlier published repository, or a path where there is nothing.
        author: git's variables of author and committer, where not the user's own.

    Raises:
        Refused: the checkout is not clean or lacks weights, `target` is something else, or the version is not new.
        subprocess.CalledProcessError: git fails.
    """
    source, target = source.resolve(), target.absolute()
    if lines(source, "status", "--porcelain"):
        raise Refused(f"{source} has changes that are not committed; commit or stash them")
    if target.resolve().is_relative_to(source):
        raise Refused(f"{target} lies in the checkout; choose a folder outside of it")
    version, earlier = version_of(source), released(target) if os.path.lexists(target) else {}
    newest = max(earlier, key=_numbers, default="")
    if newest and _numbers(version) <= _numbers(newest):
        raise Refused(f"{target} has version {newest} already, and this is {version}; raise the version")
    staging = target.parent / f".{target.name}.partial"
    remove_folder(staging)
    staging.mkdir(parents=True)
    try:
        archive = write_archive(source, staging, version)
        repository = target if earlier else _new(staging / "repository")
        commit = _commit(source, repository, staging / "index", version, earlier.get(newest), author)
        beside = target.parent / archive.name
        replace_file(archive, beside)
        _release(repository, commit, version)
        if repository != target:
            rename_folder(repository, target)
    except NoWeights as error:
        raise Refused(str(error)) from error
    finally:
        remove_folder(staging)
    return Release(version, commit, beside)


def version_of(source: Path) -> str:
    """The version that the last commit of a checkout states."""
    stated = git(source, "show", "HEAD:ASLDenoiseLib/__init__.py").decode("utf-8")
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', stated, re.MULTILINE)
    if found is None:
        raise Refused("the last commit states no version such as 1.0.0 in ASLDenoiseLib/__init__.py; commit one")
    return found[1]


def released(target: Path) -> dict[str, str]:
    """The commits of an earlier published repository, by version.

    Raises:
        Refused: it is none, since not every commit is a release, or it was changed since.
    """
    other = Refused(f"{target} is there and is no published repository; choose a path where there is nothing")
    if not (target / ".git").is_dir() or lines(target, "symbolic-ref", "HEAD") != [f"refs/heads/{BRANCH}"]:
        raise other
    form = "--format=%(refname:strip=2) %(objectname) %(*objectname)"  # of an annotated tag the commit is the third
    named = [line.split() for line in lines(target, "for-each-ref", form, "refs/tags/v*")]
    tags = {words[-1]: words[0] for words in named}
    commits = lines(target, "rev-list", "--all", "--not", "--remotes", "--tags") + lines(target, "rev-list", "HEAD")
    if not commits or not all(commit in tags and _numbers(tags[commit][1:]) for commit in commits):
        raise other
    if lines(target, "status", "--porcelain"):
        raise Refused(f"{target} has changes of its own; `git -C {target} reset --hard` takes them back")
    return {tags[commit][1:]: commit for commit in commits}


def _numbers(version: str) -> tuple[int, ...]:
    """To compare versions by; empty for what is none."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+\.\d+\.\d+", version) else ()


def _new(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
    return folder


def _commit(
    source: Path, target: Path, index: Path, version: str, parent: str | None, author: Mapping[str, str] | None
) -> str:
    """Put the files and a commit of them into `target`, to which nothing refers yet."""
    left_out = {weights_of(name) for name in APART}
    tree = git(source, "ls-tree", "-r", "-z", "HEAD").split(b"\0")
    kept = [line for line in tree if line and line.partition(b"\t")[2].decode("utf-8") not in left_out]
    blobs = b"".join(line.split()[2] + b"\n" for line in kept)
    packed = git(source, "pack-objects", "--quiet", "--stdout", given=blobs)
    git(target, "index-pack", "--stdin", given=packed)
    own_index = {"GIT_INDEX_FILE": str(index)}
    git(target, "update-index", "-z", "--index-info", given=b"".join(line + b"\0" for line in kept), more=own_index)
    (made,) = git(target, "write-tree", more=own_index).decode().split()
    (of,) = lines(source, "rev-parse", "HEAD")
    parents = ("-p", parent) if parent else ()
    message = ("-m", f"{NAME} {version}", "-m", f"Made from commit {of}.")
    return git(target, "commit-tree", made, *parents, *message, more=author).decode().strip()


def _release(target: Path, commit: str, version: str) -> None:
    """Let tag and branch name the commit, and the work tree show it."""
    # the tag first: an untagged commit of the branch would be none of a release, a tag beside it does no harm
    refs = f"update refs/tags/v{version} {commit}\nupdate refs/heads/{BRANCH} {commit}\n"
    git(target, "update-ref", "--stdin", given=refs.encode())
    git(target, "reset", "--quiet", "--hard")
    git(target, "reflog", "expire", "--expire=now", "--all")
    git(target, "gc", "--quiet", "--prune=now")
