"""The frame of a report: one HTML page that needs nothing from outside, and the few elements that it is put together from.

Every text that is not ours goes through `text`, and the page's policy forbids scripts and anything from the network, so that
names from strangers' files stay names.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from ganwright.core.text import printable
from ganwright.evaluation.report_pieces import Picture, Recording

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2329; --soft: #5b6671; --rule: #d9dee3; --wash: #f4f6f8;
  --ours: #0b62a8; --ours-wash: #9cc6ea; --real: #9a5b00; --real-wash: #f3dcb6; --warn: #8a1c1c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e4e8ec; --soft: #9aa6b2; --rule: #333c45;
  --wash: #1d2329; --ours: #74b6f0; --ours-wash: #23507a; --real: #f0b45c; --real-wash: #54401c; --warn: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 58rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); font-size: 1.2rem; }
p { margin: .5rem 0; }
.soft, figcaption, small { color: var(--soft); }
small { display: block; font-size: .82rem; font-weight: normal; line-height: 1.35; }
.verdict { margin: 1rem 0; padding: .7rem 1rem; background: var(--wash); border-left: .3rem solid var(--ours); }
.verdict p:first-child { font-size: 1.1rem; font-weight: 600; }
.trouble { color: var(--warn); }
figure { margin: 1rem 0; }
audio { width: 100%; max-width: 32rem; }
figure img { max-width: 100%; height: auto; background: #fff; border-radius: .2rem; }
figcaption { font-size: .9rem; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .4rem .5rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top;
  font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th:first-child, td:first-child { padding-left: 0; text-align: left; overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
.scores td, thead th { white-space: nowrap; }
.pair { background: var(--wash); }
svg { display: block; max-width: 100%; fill: var(--soft); font: 11px system-ui, "DejaVu Sans", sans-serif; }
svg.bar { width: 11rem; max-width: none; }
.scores td:last-child { padding-right: 0; }
svg.curve { width: 100%; margin: .8rem 0; }
svg .title { fill: var(--ink); font-size: 13px; font-weight: 600; }
svg .axis { stroke: var(--rule); }
svg .range { fill: var(--ours-wash); }
svg .dot { fill: var(--ours); }
svg .fair { fill: var(--paper); stroke: var(--ours); stroke-width: 2; }
svg .real { stroke: var(--real); stroke-width: 2; stroke-dasharray: 3 2; }
svg .real-range { fill: var(--real-wash); }
svg .line { fill: none; stroke: var(--ours); stroke-width: 2; }
svg .kept { fill: none; stroke: var(--real); stroke-width: 2.5; }
svg .mark { fill: var(--real); font-size: 12px; font-weight: 600; }
.legend span { display: inline-block; margin-right: 1rem; }
.legend b { color: var(--ours); }
.legend b.real { color: var(--real); }
.legend b.swatch { color: var(--real-wash); }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .4rem 1.6rem;
  align-items: start; }
.columns figure { margin: .5rem 0; min-width: 0; }
.columns figcaption { color: var(--ink); margin-bottom: .2rem; }
svg.spread { width: 100%; }
svg .data { fill: var(--real-wash); }
svg .ours { fill: var(--ours); }
details { margin: .6rem 0; }
summary { cursor: pointer; }
pre { margin: .5rem 0; padding: .7rem; overflow-x: auto; background: var(--wash); border-radius: .2rem; font-size: .85rem;
  overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); }
dd { margin: 0; }
@media (max-width: 52rem) {
  .scores thead { display: none; }
  .scores tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--rule); }
  .scores th, .scores td { display: block; padding: .1rem .4rem; border: 0; text-align: left; }
  .scores td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-after: avoid; } figure, tr, svg { break-inside: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
"""
MORE = 12
"""Rows of a long table that are open from the start."""


def page(title: str, body: Sequence[str]) -> str:
    """A whole HTML document of these elements."""
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="generator" content="Ganwright">'
        f"<title>{text(title)}</title><style>{STYLE}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body>\n</html>\n"


def text(words: object) -> str:
    """Anything as harmless text, in an element or an attribute."""
    return escape(printable(str(words)), quote=True)


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def section(title: str, parts: Sequence[str]) -> str:
    """A heading with elements below it; "" where there are none."""
    shown = [part for part in parts if part]
    return f"<section>\n<h2>{text(title)}</h2>\n" + "\n".join(shown) + "\n</section>" if shown else ""


def figure(picture: Picture | None, caption: str) -> str:
    """A picture within the page, with what it shows below; "" without one."""
    if picture is None:
        return ""
    source = "data:image/png;base64," + base64.b64encode(picture.content).decode("ascii")
    size = f'width="{picture.width}" height="{picture.height}"'
    return (
        f'<figure><img src="{source}" {size} alt="{text(caption)}"><figcaption>{text(caption)}'
        f' <span class="soft">({text(picture.name)})</span></figcaption></figure>'
    )


def player(recording: Recording | None, caption: str) -> str:
    """Something to listen to; "" without it."""
    if recording is None:
        return ""
    source = "data:audio/wav;base64," + base64.b64encode(recording.content).decode("ascii")
    told = f'{text(caption)} <span class="soft">({text(recording.name)})</span>'
    return f'<figure><audio controls preload="none" src="{source}"></audio><figcaption>{told}</figcaption></figure>'


def folded(summary: str, content: str) -> str:
    """Something long that opens when it is asked for."""
    return f"<details><summary>{text(summary)}</summary>{content}</details>"


def preformatted(words: str) -> str:
    """Lines as they are."""
    lines = [text(line.expandtabs(4)) for line in words.splitlines()]
    return "<pre>" + "\n".join(lines) + "</pre>" if words.strip() else ""


def definitions(facts: Mapping[str, str]) -> str:
    """Names with what they stand for; "" where there are none."""
    rows = [f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items() if value]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def plain_table(titles: Sequence[str], rows: Sequence[Sequence[str]], noun: str) -> str:
    """Rows of plain texts under titles; those after the first few are folded away, as "30 more <noun>"."""

    def part(some: Sequence[Sequence[str]]) -> str:
        head = "".join(f'<th scope="col">{text(title)}</th>' for title in titles)
        body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in some)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    rest = rows[MORE:]
    return part(rows[:MORE]) + (folded(f"{len(rest):,} more {noun}", part(rest)) if rest else "")
