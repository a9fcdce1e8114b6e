"""The methods paragraph in the report, with a button that copies it; and read back out of one."""

from __future__ import annotations

import re
from html import escape, unescape

from ..result import Result

_COPY = (
    "const r=document.createRange();r.selectNodeContents(document.getElementById('methods'));"
    "const s=getSelection();s.removeAllRanges();s.addRange(r);document.execCommand('copy')"
)
_PARAGRAPH = re.compile(r'<p class="methods" id="methods">(.*?)</p>', re.DOTALL)


def methods_html(result: Result) -> str:
    """The paragraph and its references as one piece of text."""
    text = "<br>".join(escape(line) for line in result.methods_text.rstrip("\n").split("\n"))
    button = f'<button type="button" onclick="{escape(_COPY)}">Copy methods</button>'
    return f'{button}<p class="methods" id="methods">{text}</p>'


def methods_in(html: str) -> str:
    """The text of the methods in a report; empty where it has none."""
    found = _PARAGRAPH.search(html)
    return unescape(found[1].replace("<br>", "\n")) + "\n" if found else ""
