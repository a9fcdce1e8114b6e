"""What pip would do is asked of the real pip, offline, of made-up packages: what Slicer has must stay."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ASLDenoiseLib import installing
from ASLDenoiseLib.installing import held_versions, refusal, why_refused, write_constraints

HERE = {"numpy": "1.26.4", "SimpleITK": "2.2.0rc2.dev368"}


def wheel(folder, name: str, version: str, *needs: str) -> None:
    """A wheel of a package that holds nothing and needs these."""
    place = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{place}-py3-none-any.whl", "w") as file:
        file.writestr(f"{place}.dist-info/METADATA", metadata)
        file.writestr(f"{place}.dist-info/WHEEL", kind)
        file.writestr(f"{place}.dist-info/RECORD", "")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python of its own with pip, a made-up numpy and SimpleITK, and nothing else: its command and environment."""
    import pip

    folder = tmp_path_factory.mktemp("python")
    venv.create(folder / "venv", with_pip=False)
    shutil.copytree(Path(pip.__file__).parent, folder / "path" / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    command = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR") if name in os.environ}
    environment = {**kept, "PYTHONPATH": str(folder / "path"), "PIP_CONFIG_FILE": os.devnull}
    ask = [str(command), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, env=environment, capture_output=True, text=True, check=True).stdout.strip())
    for name, version in HERE.items():
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text("")
        (info / "INSTALLER").write_text("pip\n")
    return SimpleNamespace(command=(str(command),), environment=environment, site=site)


@pytest.fixture
def shelf(tmp_path, python):
    """A folder of wheels that pip finds alone, and what it says of them."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, version in (*HERE.items(), ("numpy", "2.1.0")):
        wheel(wheels, name, version)

    class Shelf:
        """What a test needs of it."""

        constraints = write_constraints(tmp_path / "constraints.txt", HERE)
        folder = wheels

        def refused(self, *requirements, constraints=None, **options):
            offline = ("--no-index", "--find-links", str(wheels))
            given = {"python": python.command, "environment": python.environment, "options": offline, **options}
            return why_refused(requirements, constraints or self.constraints, **given)

        def there(self):
            return sorted(path.name for path in python.site.iterdir())

    return Shelf()


@pytest.mark.installs
def test_a_monai_that_demands_numpy_2_is_refused_in_one_sentence_and_nothing_is_installed(shelf):
    before = shelf.there()
    wheel(shelf.folder, "monai", "9.0", "numpy>=2.0")
    assert shelf.refused("monai>=1.4") == "monai 9.0 demands numpy>=2.0, and numpy 1.26.4 must stay"
    assert shelf.there() == before


@pytest.mark.installs
def test_a_package_deep_below_that_demands_another_simpleitk_is_named(shelf):
    wheel(shelf.folder, "antspyx", "0.5.4", "reader")
    wheel(shelf.folder, "reader", "3.0", "SimpleITK>=2.5")
    wheel(shelf.folder, "SimpleITK", "2.5.0")
    said = shelf.refused("antspyx")
    assert "reader 3.0 demands SimpleITK>=2.5, and" in said and "2.2.0rc2.dev368 must stay" in said


@pytest.mark.installs
def test_an_older_version_that_fits_is_taken_instead(shelf):
    wheel(shelf.folder, "monai", "9.0", "numpy>=2.0")
    wheel(shelf.folder, "monai", "1.4.0", "numpy>=1.24,<3")
    assert shelf.refused("monai>=1.4") == ""


@pytest.mark.installs
def test_without_constraints_the_same_package_would_move_numpy_and_the_report_says_so(shelf, tmp_path, monkeypatch):
    wheel(shelf.folder, "monai", "9.0", "numpy>=2.0")
    monkeypatch.setattr(installing, "held_versions", lambda: {"numpy": "1.26.4"})
    none = write_constraints(tmp_path / "none.txt", {})
    assert shelf.refused("monai", constraints=none) == "they would replace what must stay, by numpy 2.1.0"


@pytest.mark.installs
def test_what_pip_cannot_tell_is_no_refusal(shelf):
    assert shelf.refused("nosuchpackage") == "", "no such package, or no network: the installation itself says so"
    assert shelf.refused("monai", python=("/no/such/python",)) == ""


def test_pip_is_not_waited_for_without_end_and_the_window_lives_meanwhile(tmp_path):
    calls = []
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    given = {"python": slow, "meanwhile": lambda: calls.append(1), "seconds": 0.3}
    assert why_refused(["monai"], write_constraints(tmp_path / "c.txt", {}), **given) == ""
    assert len(calls) > 2


def test_what_stays_are_the_versions_that_are_installed(tmp_path):
    import numpy as np

    held = held_versions(("numpy", "nosuchpackage"))
    assert held == {"numpy": np.__version__}
    assert write_constraints(tmp_path / "c.txt", held).read_text("utf-8") == f"numpy=={np.__version__}\n"


def test_pip_s_words_about_something_else_are_no_refusal():
    assert refusal("ERROR: Could not find a version that satisfies the requirement monai (from versions: none)") == ""


@pytest.mark.installs
def test_pip_is_held_by_its_environment_too_as_the_pytorch_extension_takes_no_constraints(shelf, python, tmp_path):
    wheel(shelf.folder, "torch", "2.6.0", "numpy>=2")
    line = [*python.command, "-m", "pip", "install", "--dry-run", "--no-index", "--find-links", str(shelf.folder)]
    environment = {**python.environment, "PIP_CONSTRAINT": str(shelf.constraints)}
    done = subprocess.run([*line, "torch"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert refusal(done.stdout + done.stderr) == "torch 2.6.0 demands numpy>=2, and numpy 1.26.4 must stay"
