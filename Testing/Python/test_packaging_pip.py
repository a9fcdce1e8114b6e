"""`pip install .` into a fresh environment: library, weights, sample data and the `asldenoise` command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.installs
ROOT = Path(__file__).resolve().parents[2]

SAYS = """
import json, ASLDenoiseLib as ad
from ASLDenoiseLib.denoising.catalogue import models_folder
from ASLDenoiseLib.learning.recipe import RECIPES
from ASLDenoiseLib.resources import sample_data
print(json.dumps({
    "package": ad.__file__,
    "weights": sorted(c.name for c in ad.models() if (models_folder() / c.name / "models" / "model.pt").is_file()),
    "recipes": sorted(path.name for path in RECIPES.glob("*.json")),
    "sample": [str(sample_data().asl), str(sample_data().t1)],
    "volumes": len(ad.read(sample_data().asl).array),
}))
"""


def ran(*command: object, **options: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The files of git alone: a build leaves its own beside them, and takes up what an earlier one left."""
    if not (ROOT / ".git").exists():
        pytest.skip("what belongs to a checkout is known from git, and this is none")
    folder = tmp_path_factory.mktemp("checkout")
    listed = ran("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in [name for name in listed.split("\0") if name and not name.startswith(("Testing/", "Docs/"))]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(checkout, tmp_path_factory):
    """A new environment with the wheel of the checkout; what it depends on comes from the one that runs the tests."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("environment")
    offline = ("--quiet", "--no-index", "--no-deps", "--disable-pip-version-check")
    pip = (sys.executable, "-m", "pip")
    ran(*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", wheels, checkout)
    ran(sys.executable, "-m", "venv", "--without-pip", folder)
    python = next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())
    (wheel,) = wheels.glob("asldenoise-*.whl")
    ran(*pip, "--python", python, "install", *offline, wheel)
    own = ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # a folder named so joins the path, but its own .pth files, an editable ASLDenoise among them, are not read
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder, python


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def test_the_installed_library_finds_weights_recipes_and_sample_data(environment, tmp_path):
    folder, python = environment
    said = json.loads(ran(python, "-c", SAYS, cwd=tmp_path, env=clean_environment()))
    assert all(Path(path).is_relative_to(folder) for path in (said["package"], *said["sample"]))
    models = ROOT / "Resources" / "Models"
    assert said["weights"] == sorted(path.parent.parent.name for path in models.glob("*/models/model.pt"))
    recipes = ROOT / "ASLDenoiseLib" / "learning" / "recipes"
    assert said["recipes"] == sorted(path.name for path in recipes.glob("*.json"))
    assert said["volumes"] == 20


def test_the_command_explains_itself_and_inspects_the_sample_series(environment, tmp_path):
    folder, python = environment
    command = python.with_name("asldenoise" + python.suffix)
    said = ran(command, "--help", cwd=tmp_path, env=clean_environment())
    assert "usage: asldenoise" in said and "denoise" in said and "superres" in said
    (sample,) = folder.rglob("sub-phantom_asl.nii.gz")
    done = subprocess.run([command, "inspect", sample], capture_output=True, text=True, env=clean_environment())
    assert done.returncode in (0, 1), done.stderr
    assert "sub-phantom" in done.stdout + done.stderr


def test_nothing_but_the_library_its_resources_and_the_command_is_installed(environment):
    _, python = environment
    own = Path(ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    there = {path.name for path in own.iterdir() if path.suffix not in (".pth", ".dist-info")}
    assert there == {"ASLDenoiseLib"}
    assert not (own / "ASLDenoiseLib" / "Resources" / "UI").exists()
