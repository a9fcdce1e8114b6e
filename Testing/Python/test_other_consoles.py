"""Consoles and files of other systems: letters that an encoding lacks, ends of lines, commands as they are typed."""

from __future__ import annotations

import ast
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reading_builders import write_series

from ASLDenoiseLib import __main__, console_text
from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.console_text import as_typed, is_reader_gone, settle_streams
from ASLDenoiseLib.shell import processing

ROOT = Path(__file__).resolve().parents[2]
TEXT = ("write_text", "read_text", "open")


def written(text: str, encoding: str) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    settle_streams([stream])
    stream.write(text)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_letters_that_a_console_lacks_are_written_in_others_and_those_it_has_stay():
    assert written("5 ± 1 → 2 mm², µ", "cp1252") == "5 ± 1 -> 2 mm², µ"
    assert written("5 ± 1 → 2 mm², √n", "ascii") == "5 +/- 1 -> 2 mm2, sqrt n"
    assert written("sub-日本_asl", "cp437") == "sub-\\u65e5\\u672c_asl"
    assert written("sub-日本 → ±", "utf-8") == "sub-日本 → ±"


def test_streams_that_cannot_be_settled_are_left_alone():
    class SlicersConsole:
        def write(self, text: str) -> None: ...

    settle_streams([None, SlicersConsole()])
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="ignore")
    settle_streams([stream])
    assert stream.errors == "ignore"


@pytest.mark.child
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_series_with_a_name_that_the_console_cannot_write_is_inspected_all_the_same(tmp_path, encoding):
    path = write_series(tmp_path, stem="sub-→日")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "ASLDenoiseLib", "inspect", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 1, 2) and b"Traceback" not in done.stderr
    assert b"sub-->\\u65e5" in done.stdout
    done = subprocess.run([*command[:-1], f"{path}x"], env=environment, capture_output=True, check=False)
    assert done.stderr.decode(encoding).startswith("There is no ") and b"->\\u65e5" in done.stderr


def test_a_command_is_quoted_as_its_shell_wants_it():
    words = ["python", "-m", "ASLDenoiseLib", "denoise", r"C:\My data\asl.nii.gz"]
    assert as_typed(words, windows=True) == r'python -m ASLDenoiseLib denoise "C:\My data\asl.nii.gz"'
    assert as_typed(words, windows=False) == r"python -m ASLDenoiseLib denoise 'C:\My data\asl.nii.gz'"


def test_a_reader_that_has_gone_is_told_from_a_disk_that_failed():
    of_windows = OSError(errno.EINVAL, "Invalid argument")
    assert is_reader_gone(of_windows, windows=True) and not is_reader_gone(of_windows, windows=False)
    assert is_reader_gone(BrokenPipeError(), windows=True) and is_reader_gone(BrokenPipeError(), windows=False)
    assert not is_reader_gone(OSError(errno.EINVAL, "Invalid argument", "C:\\x?"), windows=True)


def test_a_reader_that_has_gone_ends_a_command_without_a_word(monkeypatch, capsys):
    def gone(_: object) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(processing, "run_models", gone)
    monkeypatch.setattr(__main__, "is_reader_gone", lambda error: console_text.is_reader_gone(error, windows=True))
    assert main(["models"]) == 141
    assert capsys.readouterr() == ("", "")


def unsaid(path: Path) -> list[str]:
    """Where a text file is opened without its encoding, or written without its ends of lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Attribute, ast.Name)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        if name not in TEXT or ast.unparse(node.func) in ("os.open", "gzip.open", "Image.open"):
            continue
        said = {keyword.arg for keyword in node.keywords}
        if None in said:  # **how
            continue
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        mode = next((word for word in words if set(word) <= set("rwaxb+t") and name == "open"), "r")
        if "b" in mode or (name == "read_text" and isinstance(node.func, ast.Name)):
            continue
        if "encoding" not in said and "utf-8" not in words:
            found.append(f"{path.name}:{node.lineno} encoding")
        if (name == "write_text" or set(mode) & set("wax")) and "newline" not in said:
            found.append(f"{path.name}:{node.lineno} newline")
    return found


def test_every_text_file_has_the_same_bytes_on_every_system():
    """Without these words Windows would take its own 256 letters, and end lines with two characters."""
    sources = [p for folder in ("ASLDenoiseLib", "ASLDenoise") for p in sorted((ROOT / folder).rglob("*.py"))]
    assert [where for path in sources for where in unsaid(path)] == []


def test_tests_and_benchmarks_name_the_encoding_of_what_they_read():
    """The process's own may be ASCII: a library that reads or writes images may change it as it goes (GDCM does)."""
    sources = [p for folder in ("Testing", "Docs") for p in sorted((ROOT / folder).rglob("*.py"))]
    bare = [p.name for p in sources if ".read_text()" in p.read_text("utf-8")]
    assert bare == [Path(__file__).name]  # which holds it as a word


def test_the_rule_sees_a_file_without_its_encoding(tmp_path):
    lines = ["p.write_text(x)", "p.read_text()", "open(p)", "p.open('a', encoding='utf-8')", "p.open('rb')"]
    (tmp_path / "x.py").write_text("\n".join(lines), encoding="utf-8")
    assert unsaid(tmp_path / "x.py") == [
        "x.py:1 encoding",
        "x.py:1 newline",
        "x.py:2 encoding",
        "x.py:3 encoding",
        "x.py:4 newline",
    ]
