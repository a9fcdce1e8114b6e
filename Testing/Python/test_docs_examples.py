"""The examples of the documentation run as they stand, and print what the pages say."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, Example, examples

pytestmark = pytest.mark.usefixtures("worked_out")

SHORT = [page for page in PAGES if any(not example.kind for example in examples(page))]
LONG = [page for page in PAGES if any(example.kind == "slow" for example in examples(page))]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder to work in that has Resources, as the root of a checkout does."""
    (tmp_path / "Resources").symlink_to(ROOT / "Resources", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_examples_in_both_languages():
    languages = {example.language for page in PAGES for example in examples(page)}
    assert languages == {"python", "shell"}


@pytest.mark.parametrize("page", SHORT, ids=lambda page: page.stem)
def test_short_examples_print_what_the_page_says(page, checkout):
    run_all([example for example in examples(page) if not example.kind], {})


@pytest.mark.runs
@pytest.mark.parametrize("page", LONG, ids=lambda page: page.stem)
def test_all_examples_in_a_row_print_what_the_page_says(page, checkout):
    run_all([example for example in examples(page) if example.kind != "slicer"], {})


@pytest.mark.runs
def test_examples_for_slicers_console_run_in_the_scene_of_a_desktop(checkout, desktop, monkeypatch):
    """The page on Python loads the sample, as the panel does; the tutorial goes on with its nodes."""
    pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")
    import slicer

    monkeypatch.syspath_prepend(str(ROOT / "ASLDenoise"))
    forget_module()
    there = [e for name in ("python.md", "tutorial.md") for e in examples(ROOT / "Docs" / name) if e.kind == "slicer"]
    assert len(there) == 2
    try:
        run_all(there, {"getNode": slicer.util.getNode})
    finally:
        forget_module()


def forget_module() -> None:
    """Its parts bind the stand-ins of one desktop."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ASLDenoise", "ASLDenoisePanel")]:
        del sys.modules[name]


def run_all(chosen: list[Example], names: dict[str, object]) -> None:
    names["__name__"] = "__docs__"
    for example in chosen:
        said = run_python(example, names) if example.language == "python" else run_shell(example)
        missing = unsaid(example.prints, said)
        assert not missing, f"promised: {missing[0]}\nof:\n{example.text}\nwhich prints:\n{said}"


def run_python(example: Example, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(example.text, "example", "exec"), names)
    return out.getvalue()


def run_shell(example: Example) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example.text],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def unsaid(promised: tuple[str, ...], said: str) -> list[str]:
    """The promised lines that nothing printed begins with, in order; numbers may differ in their last digits."""
    lines, missing = iter([line.split() for line in said.splitlines()]), []
    for line in promised:
        if not any(alike(line.split(), words[: len(line.split())]) for words in lines):
            missing.append(line)
            break
    return missing


def alike(promised: list[str], printed: list[str]) -> bool:
    return len(promised) == len(printed) and all(map(same, promised, printed))


def same(promised: str, printed: str) -> bool:
    """Equal words, or numbers within two units of the last digit or two per cent."""
    if promised == printed:
        return True
    try:
        wanted, found = float(promised), float(printed)
    except ValueError:
        return False
    digits = len(promised.partition(".")[2])
    return "." in promised and abs(wanted - found) <= max(2.001 * 10.0**-digits, 0.02 * abs(wanted))


@pytest.mark.parametrize(
    ("promised", "said", "holds"),
    [
        ("SNR 9.60", "SNR 9.61 7.78", True),
        ("SNR 9.60", "SNR 9.90 7.78", False),
        ("SNR 9.60", "QEI 9.60", False),
        ("10 pairs", "11 pairs", False),
        ("first", "then\nfirst", True),
    ],
)
def test_a_promise_is_kept_by_the_same_words_and_nearly_the_same_numbers(promised, said, holds):
    assert (not unsaid((promised,), said)) is holds
