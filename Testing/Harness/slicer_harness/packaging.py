"""Stand-in for `slicer.packaging`: requirements are read and checked for real; installing is only recorded."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "load_requirements",
    "pip_check",
    "pip_ensure",
    "pip_install",
]


@dataclass
class Installer:
    """What would have been installed, and what an installation does instead.

    Attributes:
        asked: every request, oldest first.
        missing: names of packages that are treated as not installed.
        answer: what the user says to the question; False ends `pip_ensure` in the error that Slicer raises.
        install: called with the requirements in place of pip.
    """

    asked: list[list[str]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    answer: bool = True
    install: Callable[[list[str]], None] = lambda requirements: None

    def forget(self) -> None:
        """As new: nothing was asked, nothing is missing, the user agrees."""
        self.asked, self.missing, self.answer = [], set(), True
        self.install = lambda requirements: None


installer = Installer()


def _texts(requirements: Any) -> list[str]:
    many = requirements if isinstance(requirements, Iterable) and not isinstance(requirements, str) else [requirements]
    return [str(one) for one in many]


def _requirement(text: str) -> Any:
    from packaging.requirements import Requirement

    return Requirement(text)


def load_requirements(path: str | Path) -> list[Any]:
    """The requirements of a file, without comments and empty lines."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in Path(path).read_text("utf-8").splitlines())
    return [_requirement(line) for line in lines if line and not line.startswith("-")]


def pip_check(req: Any, _seen: Any = None) -> bool:
    """Whether the requirements are met here."""
    return all(_met(_requirement(text)) for text in _texts(req))


def _met(requirement: Any) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    if requirement.name in installer.missing:
        return False
    try:
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def pip_ensure(
    requirements: Any,
    constraints: Any = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask for and record the installation of what is missing."""
    import slicer

    missing = [text for text in _texts(requirements) if not pip_check(text)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    installer.asked.append(missing)
    if prompt_install and not installer.answer:
        raise RuntimeError("User declined package installation")
    installer.install(missing)
    return None


def pip_install(
    requirements: Any,
    constraints: Any = None,
    no_deps_requirements: Any = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    parent: Any = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> list[str] | None:
    """Record the installation."""
    texts = _texts(requirements)
    texts = texts[0].split() if isinstance(requirements, str) else texts
    installer.asked.append(texts)
    installer.install(texts)
    if completedCallback is not None:
        completedCallback(0)
    return None
