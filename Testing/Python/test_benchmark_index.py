"""The stand-in under the Extensions Index's checks: it answers from files alone, and says what it could not ask."""

from __future__ import annotations

import subprocess

import pytest

from Testing.Benchmarks.library.index_checks import (
    NotHere,
    StandIn,
    bytes_below,
    clone_of,
    description_checks,
    earlier_versions,
    packaging_check,
    reader,
    structure_check,
)

CHECKS = """
import json
jsonschema = None
class ExtensionCheckError(RuntimeError):
    pass
class ExtensionDependencyError(RuntimeError):
    pass
def parse_json(path):
    return json.loads(open(path, encoding="utf-8").read())
def newer_than_this_python():
    return a b
def _passes(name, metadata, **given):
    print("- :white_check_mark: Found: it")
def check_repository_size(name, metadata, cloned_repository_folder):
    raise ExtensionCheckError("too large")
def check_cmakelists_content(name, metadata, cloned_repository_folder):
    requests.get("https://example.org/x.png")
def check_dependencies(folder):
    pass
""" + "".join(
    f"check_{name} = _passes\n"
    for name in (
        *("json_schema", "json_file_format", "extension_name", "category", "git_repository_name"),
        *("scm_url_syntax", "license_file"),
    )
)
ANALYSIS = """
INFERENCE_MAX_CHARACTERS = 10
QUESTIONS = [["Is it there?", ["doc"]]]
def collect_analyzed_files(folder):
    return {"doc": {"a.md": "1234567", "b.md": "1234567"}, "source": {}}
"""


@pytest.fixture
def index(tmp_path):
    scripts = tmp_path / "index" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "check_description_files.py").write_text(CHECKS, "utf-8")
    (scripts / "check_repository_structure.py").write_text("def check_filenames():\n    return ['odd.txt']\n", "utf-8")
    (scripts / "extension_ai_analysis.py").write_text(ANALYSIS, "utf-8")
    (tmp_path / "index" / "ASLDenoise.json").write_text("{}", "utf-8")
    return tmp_path / "index"


def test_checks_pass_fail_or_say_what_they_would_need(index, tmp_path):
    outcomes = {each.check: each for each in description_checks(index, tmp_path, None)}
    assert outcomes["repository size"].verdict == "failed" and outcomes["repository size"].said == "too large"
    assert outcomes["license file"].verdict == "passed" and outcomes["license file"].said == "Found: it"
    assert outcomes["CMakeLists.txt content"].verdict == "not run here"
    assert outcomes["CMakeLists.txt content"].said == "needs: the network (https://example.org/x.png)"
    assert "jsonschema" in outcomes["JSON schema"].said
    assert outcomes["git repository topics"].verdict == "not run here"


def test_what_the_index_does_not_expect_is_a_failure_and_dependencies_keep_packaging_from_running(index):
    assert structure_check(index).verdict == "failed"
    assert "PyTorch" in packaging_check({"build_dependencies": ["PyTorch"]}).said


def test_the_reader_cuts_what_it_takes_in_where_it_is_too_long(index, tmp_path):
    assert reader(index, tmp_path) == [("doc", 2, 14, 2), ("source", 0, 0, 1)]


def test_the_stand_in_answers_from_the_clone_and_from_slicers_schemas_alone(tmp_path):
    (tmp_path / "x.png").write_bytes(b"png")
    requests = StandIn(tmp_path, None)
    assert requests.get("https://raw.githubusercontent.com/a/b/main/x.png").headers["Content-Type"] == "image/png"
    with pytest.raises(StandIn.RequestException):
        requests.get("https://raw.githubusercontent.com/a/b/main/gone.png")
    with pytest.raises(NotHere, match="schemas"):
        requests.get("https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/x.json")


def test_what_history_holds_beside_the_last_commit_is_counted(tmp_path):
    source, who = tmp_path / "source", ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    for n in range(2):
        (source / "big.pt").write_bytes(bytes((n + k * k) % 251 for k in range(5000)))
        (source / "kept.txt").write_text("kept\n", "utf-8")
        subprocess.run(["git", "-C", str(source), "add", "-A"], check=True)
        subprocess.run(["git", "-C", str(source), *who, "commit", "-q", "-m", str(n)], check=True)
    full = clone_of(source.as_uri(), tmp_path / "full")
    assert [row[:2] for row in earlier_versions(full)] == [("weights of models", 1)]
    newest = clone_of(source.as_uri(), tmp_path / "newest", "--depth=1")
    assert earlier_versions(newest) == [] and bytes_below(newest) < bytes_below(full)
