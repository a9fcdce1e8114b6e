"""Atlases by name: label images that nilearn fetches, into its own data folder, when somebody asks for one.

nilearn keeps them in ``NILEARN_SHARED_DATA`` or ``NILEARN_DATA``, else in ``~/nilearn_data``; what lies there is not
fetched again. Its probabilistic atlases (msdl, DiFuMo, Smith) are no labels, and Destrieux's is of the surface.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from ..errors import InputError

_FSL, _COLIN = "MNI152NLin6Asym", "MNIColin27"  # templates, by the names of TemplateFlow and nilearn
_BACKGROUND = "background"


@dataclass(frozen=True)
class NamedAtlas:
    """An atlas of nilearn.

    Args:
        name: by which it is asked for.
        fetcher: of ``nilearn.datasets``; `options`: its arguments.
        template: that it was drawn on.
    """

    name: str
    fetcher: str
    template: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class FetchedAtlas:
    """An atlas as it lies on disk: label image, label to name, and the template it was drawn on."""

    labels: Path
    names: Mapping[str, str]
    template: str


def _table() -> dict[str, NamedAtlas]:
    fsl = {"cortical": "cort-maxprob-thr25-1mm", "subcortical": "sub-maxprob-thr25-1mm"}
    atlases = [
        NamedAtlas(
            f"harvard-oxford-{part}",
            "fetch_atlas_harvard_oxford",
            _FSL,
            {"atlas_name": name, "symmetric_split": part == "cortical"},  # the cortex of left and right apart
        )
        for part, name in fsl.items()
    ]
    atlases.append(NamedAtlas("juelich", "fetch_atlas_juelich", _FSL, {"atlas_name": "maxprob-thr25-1mm"}))
    for name, version in (("aal", "SPM12"), ("aal3", "3v2")):
        atlases.append(NamedAtlas(name, "fetch_atlas_aal", _COLIN, {"version": version}))
    for regions in range(100, 1001, 100):
        options = {"n_rois": regions, "yeo_networks": 7, "resolution_mm": 1}
        atlases.append(NamedAtlas(f"schaefer-{regions}", "fetch_atlas_schaefer_2018", _FSL, options))
    for networks in (7, 17):
        options = {"n_networks": networks, "thickness": "thick"}
        atlases.append(NamedAtlas(f"yeo-{networks}", "fetch_atlas_yeo_2011", _FSL, options))
    for scale in (7, 12, 20, 36, 64, 122, 197, 325, 444):
        options = {"resolution": scale, "version": "sym"}
        atlases.append(NamedAtlas(f"basc-{scale}", "fetch_atlas_basc_multiscale_2015", "MNI152sym", options))
    return {atlas.name: atlas for atlas in atlases}


NAMED_ATLASES = _table()


def names_of_atlases() -> str:
    """The names in a few words, for help and refusals."""
    return (
        "harvard-oxford-cortical, harvard-oxford-subcortical, juelich, aal, aal3, schaefer-100 to schaefer-1000, "
        "yeo-7, yeo-17, and basc-7 to basc-444"
    )


def fetch_atlas(name: str, *, datasets: Any = None) -> FetchedAtlas:
    """An atlas of `NAMED_ATLASES`, fetched unless nilearn's data folder holds it.

    Args:
        name: of the atlas.
        datasets: what offers nilearn's fetchers; None: ``nilearn.datasets``.

    Raises:
        InputError: there is none of that name; or it cannot be fetched: offline, a server that fails, a full disk.
    """
    asked = NAMED_ATLASES.get(name)
    if asked is None:
        raise InputError(f"There is no atlas '{name}'; give a label image, or one of {names_of_atlases()}.")
    if datasets is None:
        from nilearn import datasets
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on its look-up tables
            found = getattr(datasets, asked.fetcher)(**asked.options, verbose=0)
            return FetchedAtlas(_image_of(found), _names_of(asked, found), asked.template)
    except InputError:
        raise
    except (TypeError, AttributeError, KeyError) as error:
        raise InputError(f"This nilearn does not know the atlas '{name}' so ({error}); update nilearn.") from error
    except Exception as error:  # requests, urllib, tarfile, pandas, the disk: nilearn lets all of them through
        remedy = "try again online, or give its label image as a file"
        raise InputError(f"The atlas '{name}' could not be fetched ({_why(error)}); {remedy}.") from error


def _why(error: Exception) -> str:
    """In few words: which server was not reached, or what else the error says first."""
    url = getattr(getattr(error, "request", None), "url", None)
    if isinstance(error, OSError) and url and getattr(error, "response", None) is None:
        return f"there is no connection to {urlsplit(url).hostname}"
    return " ".join(str(error).split())[:160] or type(error).__name__


def _image_of(found: Mapping[str, Any]) -> Path:
    """The label image; of FSL's atlases nilearn also gives the file, as it was, beside the image that it turned."""
    given = found.get("filename", found["maps"])
    path = Path(given if isinstance(given, (str, Path)) else given.get_filename())
    if not path.is_file():
        raise InputError(f"nilearn has fetched no label image {path}; delete its folder, and try again.")
    return path


def _names_of(asked: NamedAtlas, found: Mapping[str, Any]) -> dict[str, str]:
    """Label to name, without the background."""
    read: Callable[[Mapping[str, Any]], dict[int, str]] = _fsl_names if asked.name == "juelich" else _told_names
    named = {number: _text(name) for number, name in read(found).items()}
    return {str(number): name for number, name in named.items() if number and name.lower() != _BACKGROUND}


def _told_names(found: Mapping[str, Any]) -> dict[int, str]:
    """By nilearn's look-up table; of its older versions by the list of labels, from the background on."""
    table = found.get("lut")
    if table is not None:
        return {int(n): name for n, name in zip(table["index"], table["name"], strict=True)}
    labels = [_text(label) for label in found.get("labels", ())]
    if "indices" in found:
        return {int(n): label for n, label in zip(found["indices"], labels, strict=False)}
    first = 0 if labels and labels[0].lower() == _BACKGROUND else 1
    return dict(enumerate(labels, start=first))


def _fsl_names(found: Mapping[str, Any]) -> dict[int, str]:
    """By FSL's own table: nilearn joins left and right, and counts the labels anew."""
    table = _image_of(found).parents[1] / "Juelich.xml"
    labels = ElementTree.parse(table).iter("label")
    return {int(label.get("index", "-1")) + 1: (label.text or "").strip() for label in labels}


def _text(name: object) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)
