"""Scans to adapt to, as far as names, sidecars and requests tell: no image is opened. Plain Python: no Qt, no scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from slicer.i18n import tr as _

_REQUEST = "_request.json"


@dataclass(frozen=True)
class LookedAt:
    """What is known of a scan without opening an image.

    Args:
        path: as it was added: a series, or the request of a result.
        name: for people.
        series: its image; the path itself where that is not known.
        pairs: how many would be learned from; None where only the images tell.
        t1: the file name of its T1; empty where there is none.
        against: why it cannot be learned from, in a sentence; empty where nothing is known against it.
        note: what else to know of it.
    """

    path: Path
    name: str
    series: Path
    pairs: int | None = None
    t1: str = ""
    against: str = ""
    note: str = ""


def scansIn(path) -> tuple[Path, ...]:
    """The scans that a file or folder stands for: itself, or its series, or else the requests of the results in it.

    Raises:
        ASLDenoiseLib.errors.InputError: it is none, or holds none.
    """
    from ASLDenoiseLib.sites.scans import find_site_scans

    return tuple(scan.given for scan in find_site_scans([Path(path)]))


def requestBeside(report) -> Path | None:
    """The request that was written with a report; None where there is none."""
    report = Path(report)
    beside = report.with_name(f"{report.name.removesuffix('_report.html')}{_REQUEST}")
    return beside if report.name.endswith("_report.html") and beside.is_file() else None


def lookAt(path) -> LookedAt:
    """What is known of a scan; whatever is wrong with it is `against` it, nothing is raised."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.sites.scans import called

    path = Path(path)
    name = called(path)
    try:
        return _ofRequest(path, name) if path.suffix == ".json" else _ofSeries(path, name)
    except InputError as error:
        return LookedAt(path, name, path, against=str(error))
    except OSError as error:
        text = _("It cannot be read ({error}); check the path.")
        return LookedAt(path, name, path, against=text.format(error=error.strerror or error))


def onceEach(scans: Iterable[LookedAt]) -> tuple[LookedAt, ...]:
    """The scans, each by a name of its own, with a word against each whose series is that of one before it."""
    from ASLDenoiseLib.sites.scans import names_of

    scans, found, first = tuple(scans), [], {}
    for scan, name in zip(scans, names_of([scan.path for scan in scans]), strict=True):
        scan, series = replace(scan, name=name), str(scan.series.absolute())
        if not scan.against and series in first:
            text = _("It is the series of {name} once more: remove one of them.")
            scan = replace(scan, against=text.format(name=first[series]))
        first.setdefault(series, name)
        found.append(scan)
    return tuple(found)


def _ofSeries(path, name) -> LookedAt:
    """A series with its sidecars, and the T1 that lies with it."""
    from ASLDenoiseLib.reading.bids_study import t1_of

    t1 = t1_of(path)
    scan = LookedAt(path, name, path, t1="" if t1 is None else t1[0].name)
    if t1 is not None and t1[1]:
        scan = replace(scan, note=_("The T1 is of another session."))
    return _judged(scan, *_beside(path))


def _ofRequest(path, name) -> LookedAt:
    """The request of a result: what it states goes before what the sidecars say."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.pipeline.request_json import plain_of_file

    plain = plain_of_file(path)
    series, head = _mapping(plain.get("series")), _mapping(plain.get("head"))
    image, t1 = _file(series.get("voxels") or series.get("path"), path.parent), _file(head.get("t1"), path.parent)
    if image is None:
        raise InputError(_("It names no series: add the *_request.json of a result."))
    scan = LookedAt(path, name, image, t1="" if t1 is None else t1.name)
    if t1 is not None and not t1.exists():
        return replace(scan, against=_missing(t1))
    words, delays = _beside(image)
    if "voxels" in series:
        words, told = series.get("context"), _mapping(_mapping(series.get("acquisition")).get("post_labeling_delay"))
        delays = told.get("value")
    elif series.get("context"):
        words = ()  # a pattern or a file, and its own volumes tell how often it repeats
    delays = _mapping(series.get("values")).get("post_labeling_delay", delays)
    scan = _judged(scan, words if isinstance(words, (list, tuple)) else (), delays)
    return _withChoice(scan, _mapping(plain.get("preparation")).get("pairs"))


def _beside(image) -> tuple[tuple[str, ...], object]:
    """What the files beside an image state: the words of its volumes, none where they say nothing, and delays (s)."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.files import require_file
    from ASLDenoiseLib.reading.bids import applicable_files, read_context, read_sidecar

    try:
        require_file(image, image.name, what="series")
    except InputError as error:
        raise InputError(_missing(image) if not image.exists() else str(error)) from error
    tables = applicable_files(image, "aslcontext", ".tsv")
    words = tuple(kind.value for kind in read_context(tables[-1])) if tables else ()
    return words, read_sidecar(image).get("PostLabelingDelay")


def _judged(scan, words, delays) -> LookedAt:
    """A scan with its pairs, and what the words of its volumes and its delays (s) say against it."""
    from ASLDenoiseLib.reading.images import CBF_SUFFIX, image_stem

    words = list(words)
    pairs = words.count("deltam") or min(words.count("control"), words.count("label"))
    if "cbf" in words or image_stem(scan.series).endswith(CBF_SUFFIX):
        return replace(scan, against=_("It is a CBF map, not pairs: add the series that it was made of."))
    if _several(delays, words):
        return replace(scan, against=_("It has several delays; only scans of one delay can be learned from."))
    if not words:
        return replace(scan, note=" ".join(filter(None, (scan.note, _("Its images tell how many pairs it has.")))))
    return _enough(replace(scan, pairs=pairs))


def _withChoice(scan, choice) -> LookedAt:
    """A scan of which a choice of pairs is taken."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.preparing.pairs import pair_numbers

    if not choice or scan.pairs is None:
        return scan
    try:
        ranges = pair_numbers(str(choice)) or ()
    except InputError as error:
        return replace(scan, against=scan.against or str(error))
    chosen = {number for each in ranges for number in each if number <= scan.pairs}
    return _enough(replace(scan, pairs=len(chosen)))


def _enough(scan) -> LookedAt:
    from ASLDenoiseLib.sites.look import FEWEST_PAIRS

    if scan.against or scan.pairs >= FEWEST_PAIRS:
        return scan
    text = _("It has {pairs} pairs, and {least} are needed: remove it.")
    return replace(scan, against=text.format(pairs=scan.pairs, least=FEWEST_PAIRS))


def _several(delays, words) -> bool:
    """Whether the delays (s) of what is not an M0 differ."""
    if not isinstance(delays, list):
        return False
    if len(delays) == len(words):
        delays = [delay for delay, word in zip(delays, words, strict=True) if word in ("control", "label", "deltam")]
    return len({delay for delay in delays if isinstance(delay, (int, float)) and delay > 0}) > 1


def _missing(path) -> str:
    return _("There is no file {path}: it was moved, or lies on another disk.").format(path=path)


def _mapping(value) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _file(value, folder) -> Path | None:
    name = value.get("file") if isinstance(value, Mapping) else value
    return folder / name if isinstance(name, str) and name else None
