"""What child and parent have agreed on: names of files, exit statuses, and the lines that are not progress.

Progress is `progress.JsonLines`; two more lines tell who was started and how it ended. A child that says nothing of
its end has been ended. Standard library alone: the child reads this before anything else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

TASK = "task.payload"
RESULT = "result.payload"
STATUSES = {"done": 0, "crash": 1, "input": 2, "memory": 3, "disk": 4}


@dataclass(frozen=True)
class EndNotice:
    """How the child ended: a key of `STATUSES`, a line on why, the traceback, and remedies (`..remedies`)."""

    how: str
    words: str = ""
    details: str = ""
    remedies: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class StartNotice:
    """The process that does the work; behind a launcher it is not the one that was started."""

    pid: int


def started_line(pid: int) -> str:
    """The first line."""
    return json.dumps({"started": pid}) + "\n"


def ended_line(ended: EndNotice) -> str:
    """The last line."""
    return json.dumps({"ended": asdict(ended)}) + "\n"


def parse_notice(line: str) -> StartNotice | EndNotice | None:
    """Read such a line back; None where it is another."""
    try:
        fields = json.loads(line)
        return StartNotice(int(fields["started"])) if "started" in fields else EndNotice(**fields["ended"])
    except (ValueError, TypeError, KeyError):
        return None
