"""The repository that is published: a commit a release, without the models that lie in the archive beside it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ASLDenoiseLib.denoising.apart import APART, archive_name
from Testing.Packaging import publish as command
from Testing.Packaging import published
from Testing.Packaging.comparison_models import weights_of
from Testing.Packaging.git import git, lines
from Testing.Packaging.published import Refused, publish

ROOT = Path(__file__).resolve().parents[2]
WHO = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def author(monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def release(source: Path, version: str) -> None:
    write(source / "ASLDenoiseLib" / "__init__.py", f'__version__ = "{version}"\n')
    commit(source, f"Version {version}")


def commit(source: Path, message: str = "more") -> None:
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", message)


@pytest.fixture
def source(tmp_path) -> Path:
    """A checkout of two commits, with small weights in the place of large ones."""
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "work")
    write(folder / "LICENSE.txt", "Apache License\n")
    write(folder / "run.sh", "#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    for name in APART:
        weights = f"weights of {name}".encode()
        write(folder / weights_of(name), weights)
        bundle = folder / "Resources" / "Models" / name
        write(bundle / "docs" / "README.md", f"# {name}\n")
        write(bundle / "configs" / "metadata.json", json.dumps({"sha256": hashlib.sha256(weights).hexdigest()}))
    commit(folder, "first")
    release(folder, "1.0.0")
    return folder


def tree(folder: Path) -> dict[str, str]:
    """Mode and blob of each file of the last commit."""
    rows = (line.partition("\t") for line in lines(folder, "ls-tree", "-r", "HEAD"))
    return {path: about for about, _, path in rows}


def state(folder: Path) -> tuple[object, ...]:
    """All that a repository says of itself, and its files."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shown = {name: data for name, data in files.items() if not name.startswith(".git/")}
    return shown, lines(folder, "for-each-ref"), lines(folder, "status", "--porcelain")


def test_the_first_release_is_one_commit_of_the_same_files_without_the_weights(source, tmp_path):
    before, target = state(source), tmp_path / "out" / "published"
    made = publish(source, target)
    (only,) = lines(target, "rev-list", "--all")
    assert only == made.commit == lines(target, "rev-parse", "v1.0.0")[0] == lines(target, "rev-parse", "main")[0]
    kept = {path: about for path, about in tree(source).items() if path not in map(weights_of, APART)}
    assert tree(target) == kept and kept["run.sh"].startswith("100755")
    assert lines(target, "status", "--porcelain", "--ignored") == [] and (target / "LICENSE.txt").is_file()
    assert lines(target, "log", "-1", "--format=%s") == ["ASLDenoise 1.0.0"]
    assert state(source) == before, "the checkout is read, and never written to"
    assert sorted(path.name for path in target.parent.iterdir()) == sorted([target.name, archive_name("1.0.0")])


def test_no_weight_and_no_history_of_the_checkout_is_anywhere_in_the_published_repository(source, tmp_path):
    target = tmp_path / "published"
    publish(source, target)
    held = {line.split()[0] for line in lines(target, "cat-file", "--batch-all-objects", "--batch-check")}
    assert not held & set(lines(source, "rev-list", "--all"))
    blobs = {tree(source)[weights_of(name)].split()[2] for name in APART}
    assert len(blobs) == len(APART) and not held & blobs


def test_a_later_release_is_one_commit_more_and_the_settings_of_the_repository_stay(source, tmp_path):
    target = tmp_path / "published"
    first = publish(source, target).commit
    git(target, "remote", "add", "origin", "https://example.org/x.git")
    write(source / "new.txt", "new\n")
    (source / "run.sh").unlink()
    commit(source)
    commit_of_work = lines(source, "rev-parse", "HEAD")
    release(source, "1.1.0")
    second = publish(source, target).commit
    assert lines(target, "rev-list", "--all") == [second, first] and commit_of_work != [second]
    assert lines(target, "tag") == ["v1.0.0", "v1.1.0"] and lines(target, "remote") == ["origin"]
    assert (target / "new.txt").is_file() and not (target / "run.sh").exists()
    assert lines(target, "status", "--porcelain") == []


def test_a_clone_of_what_was_published_takes_the_next_release_too(source, tmp_path):
    """As fetched from the public address on another computer, where the tag may have been written anew."""
    first = publish(source, tmp_path / "published").commit
    git(tmp_path, "clone", "-q", (tmp_path / "published").as_uri(), "clone")
    git(tmp_path / "clone", "tag", "-f", "-m", "first", "v1.0.0", first)
    release(source, "2.0.0")
    second = publish(source, tmp_path / "clone").commit
    assert lines(tmp_path / "clone", "rev-list", "main") == [second, first]


def test_the_archive_unpacks_into_folders_of_bundles_with_licence_and_hashes(source, tmp_path):
    made = publish(source, tmp_path / "published")
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(tmp_path / "models")
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == sorted(APART)
    for name in APART:
        folder = tmp_path / "models" / name
        sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines())
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert set(sums) == files - {"SHA256SUMS"}
        assert {"LICENSE.txt", "README.txt", "docs/README.md", "configs/metadata.json", "models/model.pt"} <= files
        assert all(hashlib.sha256((folder / file).read_bytes()).hexdigest() == told for file, told in sums.items())
        assert made.archive.name in (folder / "README.txt").read_text("utf-8")
    again = publish(source, tmp_path / "other" / "published").archive
    assert again.read_bytes() == made.archive.read_bytes()


def dirty(source: Path, target: Path) -> None:
    write(source / "forgotten.py", "")


def of_others(source: Path, target: Path) -> None:
    write(target / "thesis.tex", "mine")


def a_checkout(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    git(target, "branch", "-q", "-m", "main")
    git(target, "tag", "v0.9.0")


def same_version(source: Path, target: Path) -> None:
    publish(source, target)


def older_version(source: Path, target: Path) -> None:
    release(source, "1.10.0")
    publish(source, target)
    release(source, "1.9.0")


def changed(source: Path, target: Path) -> None:
    publish(source, target)
    write(target / "LICENSE.txt", "mine")
    release(source, "1.1.0")


def committed_to(source: Path, target: Path) -> None:
    publish(source, target)
    write(target / "mine.txt", "mine")
    commit(target)
    release(source, "1.1.0")


def no_version(source: Path, target: Path) -> None:
    release(source, "soon")


def no_weights(source: Path, target: Path) -> None:
    (source / weights_of(APART[0])).unlink()
    commit(source)


def other_weights(source: Path, target: Path) -> None:
    write(source / weights_of(APART[-1]), "others")
    commit(source)


REFUSED = {
    dirty: "changes that are not committed",
    of_others: "no published repository",
    a_checkout: "no published repository",
    same_version: "has version 1.0.0 already",
    older_version: "has version 1.10.0 already, and this is 1.9.0",
    changed: "reset --hard",
    committed_to: "no published repository",
    no_version: "states no version",
    no_weights: f"lacks {weights_of(APART[0])}",
    other_weights: f"the SHA256 of {weights_of(APART[-1])}",
}


@pytest.mark.parametrize("how", REFUSED, ids=lambda how: how.__name__)
def test_what_would_not_be_a_release_is_refused_and_nothing_changes(how, source, tmp_path):
    target = tmp_path / "out" / "published"
    target.parent.mkdir()
    how(source, target)
    before = {path: path.read_bytes() for path in target.parent.rglob("*") if path.is_file() and path.name != "index"}
    with pytest.raises(Refused, match=REFUSED[how]):
        publish(source, target)
    after = {path: path.read_bytes() for path in target.parent.rglob("*") if path.is_file() and path.name != "index"}
    assert after == before


def test_a_repository_within_the_checkout_would_make_it_unclean(source):
    with pytest.raises(Refused, match="lies in the checkout"):
        publish(source, source / "published")


KILLED = """
import os, signal, sys
from pathlib import Path
from Testing.Packaging import published
kept = getattr(published, sys.argv[1])
def killed(*given):
    {before}os.kill(os.getpid(), signal.SIGKILL)
setattr(published, sys.argv[1], killed)
published.publish(Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
@pytest.mark.parametrize("earlier", [False, True], ids=["new", "later"])
@pytest.mark.parametrize(
    ("at", "before"),
    [("write_archive", ""), ("_commit", "kept(*given); "), ("replace_file", "kept(*given); "), ("_release", "")],
)
def test_a_run_that_is_killed_leaves_what_was_there_and_the_next_one_goes_through(
    source, tmp_path, earlier, at, before
):
    target = tmp_path / "published"
    if earlier:
        publish(source, target)
        release(source, "1.1.0")
    was = state(target) if earlier else None
    call = [sys.executable, "-c", KILLED.format(before=before), at, str(source), str(target)]
    done = subprocess.run(call, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (state(target) == was) if earlier else not target.exists()
    publish(source, target)
    assert len(lines(target, "rev-list", "--all")) == 1 + earlier
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_the_command_says_what_was_made_how_to_send_it_and_why_not(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "ROOT", source)
    assert command.main([str(tmp_path / "published")]) == 0
    said = capsys.readouterr().out
    sha256 = hashlib.sha256((tmp_path / archive_name("1.0.0")).read_bytes()).hexdigest()
    assert "version 1.0.0" in said and f"sha256 {sha256}" in said and "push https://" in said
    assert command.main([str(tmp_path / "published")]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("Not published: ") and "raise the version" in told.err


def test_a_tag_that_no_release_has_is_no_release(source, tmp_path):
    """As a run leaves it that is ended between the tag and the branch."""
    target = tmp_path / "published"
    first = publish(source, target).commit
    assert published.released(target) == {"1.0.0": first}
    release(source, "1.1.0")
    git(target, "tag", "v1.1.0", git(target, "commit-tree", "HEAD^{tree}", "-m", "x").decode().strip())
    assert published.released(target) == {"1.0.0": first}
    second = publish(source, target).commit
    assert published.released(target) == {"1.0.0": first, "1.1.0": second}
