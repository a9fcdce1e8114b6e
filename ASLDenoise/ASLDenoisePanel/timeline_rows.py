"""What the time line says of pairs and slices, and what the user decided about them. No Qt, no scene."""

from __future__ import annotations

from slicer.i18n import tr as _

_FEW = 8  # places that a line names


class Decisions:
    """What the user takes out of the mean of a run's pairs, and puts back into it.

    Args:
        found: bool (N, K), what the method leaves out.
        out, back: bool (N, K), what the user takes out and puts back.
    """

    def __init__(self, found, out, back):
        self.found, self.out, self.back = found, out, back

    @classmethod
    def read(cls, course, takenOut, putBack):
        """The decisions in words (`ASLDenoiseLib.preparing.places`), for a run (`scene.course.SceneCourse`).

        Raises:
            ASLDenoiseLib.errors.InputError: they cannot be read, or name what is not there.
        """
        out = course.places(takenOut, setting="take-out")
        return cls(course.found, out, course.places(putBack, setting="put-back"))

    def words(self, course):
        """As texts: taken out, put back."""
        from ASLDenoiseLib.preparing.places import words_of

        return words_of(self.out, course.numbers), words_of(self.back, course.numbers)

    def takeOut(self, at) -> None:
        """Leave a place out, by the user's will where the method keeps it."""
        self.back[at] = False
        self.out[at] = ~self.found[at] | self.out[at]

    def putBack(self, at) -> None:
        """Keep a place in, against the method where it leaves it out."""
        self.out[at] = False
        self.back[at] = self.found[at]

    @property
    def left(self):
        """Bool (N, K): what is not in the mean."""
        return self.out | (self.found & ~self.back)

    def allOut(self, at) -> bool:
        """Whether all of a place is out."""
        return bool(self.left[at].all())

    def anyOut(self, at) -> bool:
        """Whether any of a place is out."""
        return bool(self.left[at].any())

    def differ(self, course) -> bool:
        """Whether they are others than those of the run."""
        return bool((self.out != course.taken_out).any() or (self.back & self.found != course.put_back).any())


def statusOf(course, decisions, place) -> str:
    """A pair's place in the mean, in a few words; what the user decided is marked so."""
    left, out = decisions.left[place], decisions.out[place]
    back = decisions.back[place] & decisions.found[place]
    if not left.any():
        return _("yes, put back by you") if back.any() else _("yes")
    who = _("by you") if out.any() and not (left & ~out).any() else _("by the method")
    if out.any() and (left & ~out).any():
        who = _("by you and by the method")
    if left.all():
        return _("no: left out {who}").format(who=who)
    return _("without {count} of {slices} slices, {who}").format(count=int(left.sum()), slices=course.slices, who=who)


def sliceItems(course, decisions, place) -> list:
    """The slices of a pair as items of a list: text, value, tool tip; numbered from 1."""
    items = []
    for k in range(course.slices):
        at = (place, k)
        if decisions.out[at]:
            said = _("taken out by you")
        elif decisions.found[at]:
            said = _("put back by you") if decisions.back[at] else _("left out by the method")
        else:
            said = ""
        text = _("Slice {number}").format(number=k + 1)
        items.append((f"{text}: {said}" if said else text, str(k + 1), said))
    return items


def summaryOf(course) -> str:
    """The run's pairs in a line or two."""
    from ASLDenoiseLib.preparing.places import words_of

    parts = [_("{count} pairs in this run.").format(count=len(course.rows))]
    own = course.found & ~course.put_back & ~course.taken_out
    for flags, text in (
        (own, _("Left out by the method ({method}): {places}.")),
        (course.taken_out, _("Taken out by you: {places}.")),
        (course.put_back, _("Put back by you: {places}.")),
    ):
        if flags.any():
            places = _shortened(words_of(flags, course.numbers))
            parts.append(text.format(method=course.method, places=places))
    return " ".join(parts)


def _shortened(places) -> str:
    """The first of many places; all are in the table."""
    parts = places.split(",")
    return ", ".join([*parts[:_FEW], "..."] if len(parts) > _FEW + 1 else parts)
