"""What child and parent agree on: names of files, exit statuses, and the lines beside those of `progress.JsonLines`.

A child that gives no notice of its end has been ended. Standard library alone: the child reads this before all else.
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

    outcome: str
    sentence: str = ""
    details: str = ""
    remedies: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class StartNotice:
    """The process that does the work; behind a launcher it is not the one that was started."""

    pid: int


def notice_line(notice: StartNotice | EndNotice) -> str:
    """The first line of a child, or the last."""
    fields = {"started": notice.pid} if isinstance(notice, StartNotice) else {"ended": asdict(notice)}
    return json.dumps(fields) + "\n"


def parse_notice(line: str) -> StartNotice | EndNotice | None:
    """Read such a line back; None where it is another."""
    try:
        fields = json.loads(line)
        return StartNotice(int(fields["started"])) if "started" in fields else EndNotice(**fields["ended"])
    except (ValueError, TypeError, KeyError):
        return None
