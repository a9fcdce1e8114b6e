"""The extension built with real CMake against a stub of Slicer's build files, installed, and run from where it lies.

The stub (Testing/Packaging/SlicerStub) keeps the contract of Slicer's macros and refuses what they would lose in
silence; its launcher starts the harness in place of Slicer, with the checkout off the import path.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "Testing" / "Packaging" / "SlicerStub"
LAUNCHER = STUB / "launcher.py"
MODULES = PurePosixPath("lib/Slicer-5.12/qt-scripted-modules")
DESCRIPTION = PurePosixPath("share/Slicer-5.12/ASLDenoise.s4ext")
LARGEST = 100e6  # bytes, of a package and of a checkout: what the Extensions Index takes


def tool(name: str) -> str:
    """A program of this Python's environment, else of the system; skips where it is missing."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here; pip install -e '.[dev]' brings it")
    return found


def ran(*command: object, **options: object) -> str:
    """What a command says; fails with it where the command does."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def configure(source: Path, build: Path, prefix: Path) -> None:
    """As an extension's factory does. No compiler is called: there is nothing to compile, and none need be there."""
    none = shutil.which("true") or sys.executable
    compilers = [f"-DCMAKE_{lang}_COMPILER{end}" for lang in ("C", "CXX") for end in (f"={none}", "_FORCED=1")]
    options = (f"-DSlicer_DIR={STUB}", f"-DPython3_EXECUTABLE={sys.executable}", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    make = f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"
    ran(tool("cmake"), "-S", source, "-B", build, "-G", "Ninja", make, *options, *compilers)


def build_and_install(build: Path) -> None:
    ran(tool("cmake"), "--build", build)
    ran(tool("cmake"), "--install", build)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build folder and installation prefix of this checkout."""
    build, prefix = (tmp_path_factory.mktemp("extension") / name for name in ("build", "installed"))
    configure(ROOT, build, prefix)
    build_and_install(build)
    return build, prefix


def in_git(*folders: str) -> list[PurePosixPath]:
    """The files below some folders that git has, or would take."""
    if not (ROOT / ".git").exists():
        pytest.skip("what is to be installed is known from git, and this is no checkout")
    listed = ran("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *folders, cwd=ROOT)
    return [PurePosixPath(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def to_install() -> set[str]:
    """Where every file of the module, the library and the resources is to lie; CMake's own and hidden ones stay."""
    module = [path.relative_to("ASLDenoise") for path in in_git("ASLDenoise")]
    below = [*module, *in_git("ASLDenoiseLib", "Resources")]
    stay = {path for path in below if path.name == "CMakeLists.txt" or path.name.startswith(".")}
    return {str(MODULES / path) for path in below if path not in stay} | {str(DESCRIPTION)}


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def away() -> set[str]:
    """The models whose cards are here and whose weights are published apart."""
    from ASLDenoiseLib.denoising.catalogue import models_not_installed

    return {card.name for card in models_not_installed()}


def launch(prefix: Path, code: str, folder: Path) -> str:
    """Run code in the harness with the installed module loaded, from a folder that is not the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "QT_QPA_PLATFORM": "offscreen"}
    arguments = ("--testing", "--additional-module-paths", prefix / MODULES, "--python-code", code)
    return ran(sys.executable, LAUNCHER, *arguments, cwd=folder, env=environment)


# --- what is installed ----------------------------------------------------------------------------------------------


def test_the_installed_tree_is_the_module_the_library_and_the_resources_and_nothing_else(built):
    installed, wanted = files_below(built[1]), to_install()
    assert sorted(wanted - installed) == [], "not installed"
    assert sorted(installed - wanted) == [], "installed, but not in git, or not to be installed"


def test_installed_files_are_those_of_the_checkout_to_the_byte(built):
    for name in ("ASLDenoise.py", "ASLDenoisePanel/widget.py"):
        assert (built[1] / MODULES / name).read_bytes() == (ROOT / "ASLDenoise" / name).read_bytes()
    weights = Path("Resources/Models/guided-unet/models/model.pt")
    assert (built[1] / MODULES / weights).read_bytes() == (ROOT / weights).read_bytes()


def test_the_module_factory_sees_one_module(built):
    """Slicer takes every Python file of this folder for a module."""
    assert [path.name for path in (built[1] / MODULES).glob("*.py")] == ["ASLDenoise.py"]


@pytest.mark.installs
def test_the_package_holds_every_weight_and_is_under_100_mb(built, record_property):
    build, _ = built
    ran(tool("cpack"), "-G", "TGZ", cwd=build)
    (package,) = build.glob("*.tar.gz")
    with tarfile.open(package) as archive:
        names = {PurePosixPath(*PurePosixPath(m.name).parts[1:]).as_posix() for m in archive if m.isfile()}
    assert names == to_install()
    rooms = (ROOT / "Resources" / room for room in ("Models", "Experimental", "Tissue"))
    models = {path.name for room in rooms for path in room.iterdir() if path.is_dir()} - away()
    assert {path.split("/")[-3] for path in names if path.endswith("/models/model.pt")} == models
    record_property("package_mb", round(package.stat().st_size / 1e6, 1))
    assert package.stat().st_size < LARGEST


def test_a_checkout_is_under_100_mb():
    assert sum((ROOT / path).stat().st_size for path in in_git()) < LARGEST


@pytest.mark.installs
def test_a_new_file_is_installed_by_the_next_build(tmp_path):
    """Found again at every build, so that nobody has to list it or to run CMake anew."""
    source, build, prefix = (tmp_path / name for name in ("source", "build", "installed"))
    for path in [p for p in in_git("ASLDenoise", "ASLDenoiseLib", "Testing") if "Benchmarks" not in p.parts]:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path)
    for name in ("CMakeLists.txt", "LICENSE.txt", "README.md"):
        shutil.copy2(ROOT / name, source / name)
    configure(source, build, prefix)
    build_and_install(build)
    before = files_below(prefix)
    new = {"ASLDenoiseLib/networks/new.py", "ASLDenoiseLib/learning/recipes/new.json", "Resources/Models/new/model.pt"}
    for name in (*new, "Resources/.DS_Store", "ASLDenoiseLib/__pycache__/new.pyc"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    (source / "ASLDenoise" / "ASLDenoisePanel" / "new.py").touch()
    build_and_install(build)
    wanted = {str(MODULES / name) for name in (*new, "ASLDenoisePanel/new.py")}
    assert files_below(prefix) - before == wanted


# --- that it runs from there ----------------------------------------------------------------------------------------

FINDS = """
import json, sys
import ASLDenoiseLib, ASLDenoisePanel, slicer
from ASLDenoiseLib.denoising.catalogue import list_models
from ASLDenoiseLib.resources import sample_data
from ASLDenoisePanel.paths import resource
slicer.util.selectModule("ASLDenoise")
loaded = {name: m.__file__ for name, m in list(sys.modules.items()) if getattr(m, "__file__", None)}
print(json.dumps({
    "ours": [path for name, path in loaded.items() if name.startswith("ASLDenoise")],
    "loaded": list(loaded.values()),
    "models": [card.name for card in list_models()],
    "found": [str(p) for p in (sample_data().asl, sample_data().t1, resource("requirements.txt"))],
    "icon": not slicer.modules.asldenoise.icon.isNull(),
}))
"""


@pytest.mark.installs
def test_the_installed_module_opens_and_finds_models_and_sample_data_with_no_checkout(built, tmp_path):
    said = json.loads(launch(built[1], FINDS, tmp_path).splitlines()[-1])
    place = (built[1] / MODULES).resolve()
    assert len(said["ours"]) > 30 and all(Path(path).is_relative_to(place) for path in said["ours"])
    assert all(Path(path).is_relative_to(place) for path in said["found"]) and said["icon"]
    models = {path.name for path in (ROOT / "Resources" / "Models").iterdir() if path.is_dir()}
    assert set(said["models"]) == models - away()
    environment = Path(sys.prefix).resolve()  # may lie in the checkout, as .venv does
    ours = [path for path in map(Path, said["loaded"]) if path.is_relative_to(ROOT)]
    ours = [path for path in ours if not path.is_relative_to(environment) and "Harness" not in path.parts]
    assert ours == [LAUNCHER]


@pytest.mark.child
def test_the_installed_module_denoises_a_made_series_in_place_and_in_a_child(built, tmp_path):
    names = ("test_processShowsRawBesideDenoised", "test_applyRunsInAChildAndShowsTheResult")
    code = f"""
import unittest, ASLDenoise
suite = unittest.TestSuite(map(ASLDenoise.ASLDenoiseTest, {names!r}))
result = unittest.TextTestRunner().run(suite)
assert result.wasSuccessful() and not result.skipped
print("ran", result.testsRun)
"""
    assert launch(built[1], code, tmp_path).splitlines()[-1] == "ran 2"


# --- what ctest knows -----------------------------------------------------------------------------------------------


def test_ctest_lists_the_self_test_and_runs_it_on_the_built_module(built):
    build, _ = built
    listed = json.loads(ran(tool("ctest"), "--show-only=json-v1", cwd=build))
    commands = {test["name"]: test["command"] for test in listed["tests"]}
    assert set(commands) == {"py_ASLDenoise", "py_nomainwindow_qSlicerASLDenoiseModuleGenericTest"}
    command = commands["py_ASLDenoise"]
    assert "--testing" in command and str(build / MODULES) in command
    folders, module = re.search(r"runUnitTest\((\[.*\]), '(\w+)'\)", command[-1]).groups()
    assert module == "ASLDenoise" and str(ROOT / "ASLDenoise") in folders


def test_slicers_test_of_any_scripted_module_passes(built):
    said = ran(tool("ctest"), "-R", "GenericTest", "--output-on-failure", cwd=built[0])
    assert "100% tests passed" in said and "out of 1" in said


# --- what the Extensions Manager and the Extensions Index read ------------------------------------------------------


def described(prefix: Path) -> dict[str, str]:
    lines = (prefix / DESCRIPTION).read_text("utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def in_checkout(url: str) -> Path:
    """The file that an address of the published repository's main branch means."""
    head = entry()["scm_url"].removesuffix(".git").replace("//github.com/", "//raw.githubusercontent.com/")
    assert url.startswith(f"{head}/{entry()['scm_revision']}/"), url
    return ROOT / url.removeprefix(f"{head}/{entry()['scm_revision']}/")


def entry() -> dict:
    return json.loads((ROOT / "ASLDenoise.json").read_text("utf-8"))


def pixels(png: Path) -> tuple[int, int]:
    head = png.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", png
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def test_icon_and_screenshots_are_pictures_of_the_checkout(built):
    about = described(built[1])
    assert pixels(in_checkout(about["iconurl"])) == (128, 128)
    pictures = [in_checkout(url) for url in about["screenshoturls"].split(" ")]
    assert len(pictures) > 1 and all(min(pixels(picture)) > 200 for picture in pictures)


def test_the_index_finds_name_and_addresses_in_the_text_of_cmakelists():
    """Its check reads them with regular expressions: no variables, one string each."""
    text = (ROOT / "CMakeLists.txt").read_text("utf-8")
    assert re.findall(r"project\s*\(\s*([^\s)]+)", text, re.I)[0] == "ASLDenoise"
    for name in ("ICONURL", "SCREENSHOTURLS"):
        (urls,) = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\)', text)
        assert all(url.startswith("http") and "$" not in url for url in urls.split())


def test_description_and_index_entry_agree(built):
    about, index = described(built[1]), entry()
    assert about["depends"].split() == index["build_dependencies"] == ["PyTorch"]
    assert about["homepage"] == index["scm_url"].removesuffix(".git")
    assert "research use only" in about["description"]
    assert ";" not in about["description"], "CMake takes it for a list"


def test_the_index_entry_is_as_its_schema_wants_it():
    """Version 1.0.2: these names and no other; the repository's name holds 'Slicer'; a known category."""
    index = entry()
    texts = {"$schema", "category", "scm_url", "scm_revision", "build_subdirectory"}
    assert set(index) == texts | {"build_dependencies", "tier"}
    assert all(isinstance(index[name], str) for name in texts)
    assert index["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert index["category"] == "Neuroimaging" and index["tier"] in range(1, 6)
    assert index["scm_url"].startswith("https://") and "slicer" in index["scm_url"].rsplit("/", 1)[1].lower()
    assert (ROOT / "LICENSE.txt").is_file()


# --- that the stub can say no ---------------------------------------------------------------------------------------


def calls(*scripts: str) -> str:
    """A project that hands each of these to a call of CTK's macro."""
    call = (
        "ctkMacroCompilePythonScript(TARGET_NAME Lib SCRIPTS {} DESTINATION_DIR ${{CMAKE_BINARY_DIR}}/x INSTALL_DIR x)"
    )
    return "\n".join([HEAD, *(call.format(script) for script in scripts)])


HEAD = """cmake_minimum_required(VERSION 3.20)
project(Probe NONE)
find_package(Slicer REQUIRED)
include(${Slicer_USE_FILE})"""


@pytest.mark.parametrize(
    ("scripts", "said"),
    [
        (["../outside.py"], "path out of the module's folder"),
        (["${CMAKE_CURRENT_SOURCE_DIR}/a.py"], "absolute path"),
        (["folder"], "Slicer would install nothing"),
        (["missing.py"], "no such file"),
        (["a.py", "b.py"], "second call for Lib"),
    ],
)
def test_the_stub_refuses_what_slicer_would_lose_in_silence(tmp_path, scripts: Iterable[str], said: str):
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "CMakeLists.txt").write_text(calls(*scripts))
    command = [tool("cmake"), "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DSlicer_DIR={STUB}"]
    command += [f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", f"-DPython3_EXECUTABLE={sys.executable}"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and said in " ".join(done.stderr.split())
