"""What is doubtful about scans as a set: twice the same, several sites, one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ..adapting.groups import FEWEST_SCANS
from ..errors import InputError
from .look import Seen

_ALIKE = 0.05  # relative, of voxels, delays and field strengths that count as the same


def check_count(count: int) -> None:
    """Refuse fewer scans than can teach and judge.

    Raises:
        InputError: there are fewer than `FEWEST_SCANS`.
    """
    if count < FEWEST_SCANS:
        given = f"{count} scan{'' if count == 1 else 's'}"
        raise InputError(
            f"A model is adapted to at least {FEWEST_SCANS} scans, of which one judges what the others taught, and "
            f"{given} {'is' if count == 1 else 'are'} given; give more, or adapt to one scan alone by 'denoise "
            "--adapt'."
        )


def refuse_copies(scans: Sequence[Seen]) -> None:
    """Refuse one scan under two names.

    Raises:
        InputError: the voxels of two are the same.
    """
    first: dict[str, str] = {}
    for scan in scans:
        if scan.digest in first:
            both = f"{first[scan.digest]} and {scan.name}"
            raise InputError(f"{both} are the same scan; a scan that teaches cannot judge: leave one of them out.")
        first[scan.digest] = scan.name


def refuse_labellings(scans: Sequence[Seen]) -> None:
    """Refuse scans that are labelled in several ways: what each is like is another thing to learn.

    Raises:
        InputError: two state different ways.
    """
    kinds = Counter(scan.labeling for scan in scans if scan.labeling)
    if len(kinds) > 1:
        told = ", ".join(f"{kind}: {count}" for kind, count in kinds.items())
        raise InputError(f"These scans are labelled in several ways ({told}); give those of one way at a time.")


def warnings_of(scans: Sequence[Seen]) -> tuple[str, ...]:
    """What to know of the scans as a set, a sentence each: in what they differ, whose they are, what lacks."""
    found = [*_sites(scans), *_people(scans)]
    without = [scan.name for scan in scans if not scan.t1]
    if without:
        found.append(f"No T1 guides {', '.join(without)}: what a T1 is asked for cannot be asked there.")
    found += [f"The T1 of {scan.name} is of another session." for scan in scans if scan.other_session]
    return tuple(found)


def _sites(scans: Sequence[Seen]) -> list[str]:
    differs = [
        *_several("readout", scans, lambda scan: scan.readout),
        *_several("voxels", scans, lambda scan: scan.voxels, same=_same_voxels),
        *_several("post-labelling delay", scans, lambda scan: _number(scan.delay, "s"), same=_same_delay),
        *_several("field strength", scans, lambda scan: _number(scan.field_strength, "T"), same=_same_field),
    ]
    if not differs:
        return []
    return [
        f"These scans are of several sites or protocols ({'; '.join(differs)}): a model of all of them suits none in "
        "particular, and is better adapted to the scans of one protocol alone."
    ]


def _several(
    what: str,
    scans: Sequence[Seen],
    said: Callable[[Seen], str],
    *,
    same: Callable[[Seen, Seen], bool] | None = None,
) -> list[str]:
    """What there are several of, with how many scans each has."""
    kinds: list[Seen] = []
    counts: Counter[str] = Counter()
    for scan in scans:
        kind = next((k for k in kinds if (same(k, scan) if same else said(k) == said(scan))), None)
        if kind is None:
            kinds.append(kind := scan)
        counts[said(kind) or "not stated"] += 1
    return [f"{what} {', '.join(f'{name}: {n}' for name, n in counts.items())}"] if len(kinds) > 1 else []


def _people(scans: Sequence[Seen]) -> list[str]:
    people = {scan.person for scan in scans}
    if len(people) == 1 and "" not in people:
        return [
            "All scans are of one person: the network has seen one person only, and is to be used on others with care."
        ]
    last = scans[-1]
    taught = [scan.name for scan in scans[:-1] if scan.person and scan.person == last.person]
    if taught:
        return [
            f"{last.name}, which judges, is of the person of {', '.join(taught)}, which teach; give a scan of somebody "
            "else as the last one for a stricter judgement."
        ]
    return []


def _same_voxels(one: Seen, other: Seen) -> bool:
    return all(_near(a, b) for a, b in zip(one.spacing, other.spacing, strict=True))


def _same_delay(one: Seen, other: Seen) -> bool:
    return _near(one.delay, other.delay)


def _same_field(one: Seen, other: Seen) -> bool:
    return _near(one.field_strength, other.field_strength)


def _near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _ALIKE * max(abs(a), abs(b))


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}"
