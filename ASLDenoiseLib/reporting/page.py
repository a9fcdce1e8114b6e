"""The frame of a page that needs nothing else, readable on a phone and on paper: of a report, and of a study's."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

RESEARCH_ONLY = (
    '<p class="banner" role="note"><strong>For research use only.</strong> Not a medical device; not for diagnosis '
    "or treatment. A processed map is an estimate: read it beside the raw one.</p>"
)
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #1c1c1c; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: .2rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; }
p.sub, small, figcaption { color: #555; } small { display: block; font-size: .8rem; font-weight: normal; }
.banner { background: #fff3cd; border: 1px solid #d9a400; padding: .6rem .8rem; margin: .8rem 0; }
ul.findings { list-style: none; padding: 0; }
ul.findings li { border-left: .35rem solid #888; padding: .3rem .7rem; margin: .5rem 0; background: #f6f6f6; }
ul.findings li.green { border-color: #2e8b57; } ul.findings li.red { border-color: #b00020; }
ul.findings li.amber, ul.findings li.warning { border-color: #d98200; }
ul.findings li.unusable { border-color: #b00020; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.n, td[data-label=Unit] { white-space: nowrap; }
thead th { border-bottom: 2px solid #888; }
th[scope=row] { font-weight: 600; width: 45%; }
table.wide { font-size: .8rem; } table.wide th[scope=row] { width: auto; white-space: nowrap; }
table.wide td { overflow-wrap: normal; }
tr.default td, tr.default th { background: #fff8e1; }
figure { margin: .5rem 0; } img { max-width: 100%; height: auto; display: block; }
.methods { white-space: pre-wrap; background: #f6f6f6; padding: .6rem .8rem; }
code, td { overflow-wrap: anywhere; } code { font-size: .85rem; }
.pan { overflow-x: auto; }
@media screen and (max-width: 40rem) {  /* a phone: a row's cells under its name, each with its column's name */
  thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; border-bottom: 1px solid #ddd; padding: .5rem 0; }
  th, td, td.n { border: 0; padding: 0; text-align: left; } th[scope=row] { flex: 1 0 100%; }
  td:empty { display: none; }
  td::before { content: attr(data-label); display: block; font-size: .75rem; color: #555; }
  tr.default { background: #fff8e1; } td.n, table.wide th[scope=row] { white-space: normal; }
  .pan img { max-width: none; width: 46rem; }
}
@media print {
  button { display: none; }
  body { max-width: none; padding: 0; font-size: 9.5pt; } th, td { padding: .2rem .5rem; }
  details::details-content { content-visibility: visible; display: block; }  /* what is folded is printed, too */
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } .pan { overflow: visible; }
  .banner, img, li, tr { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page of parts that are HTML; empty ones are left out. `title` is text.

    Self-contained: style is inline, there is no script and no link to anything outside.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def section(title: str, body: str) -> str:
    """HTML under a heading that is text; empty where there is none."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""
