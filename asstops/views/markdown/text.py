"""Text of users in Markdown: always in code, so that nothing in it is markup, a link or a mention. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from asstops.views.text import cut, safe

_BACKTICKS = re.compile("`+")
# A word that means nothing to Markdown, to HTML, or to what GitHub and GitLab look for in text: no www., no @, no #1.
_WORD = re.compile(r"\(?(?:[A-Za-z]+(?:'[a-z]+)?(?:-[A-Za-z]{2,})*|[0-9]{1,6}(?:,[0-9]{3})*)\)?[,;:.!?]?")
_TOKEN = re.compile(r"""'[^'\s][^']{0,200}'(?!\w)|"[^"]{1,200}"|\S+""")


def code(text: str) -> str:
    """A code span that holds the text, whatever is in it."""
    text = safe(text)
    if not text.strip(" "):
        text = f'"{text}"'
    ticks = "`" * (_longest_run(text) + 1)
    # One space on each side is taken off again, so that a text may begin or end with a backtick or a space.
    room = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{room}{text}{room}{ticks}"


def html_code(text: str, width: int = 160) -> str:
    """The same inside of HTML, in at most `width` columns."""
    return f"<code>{html.escape(cut(safe(text), width))}</code>"


def fence(lines: Sequence[str], language: str = "") -> str:
    """A fenced block of lines that are `safe` already; its fence is longer than any run of backticks inside."""
    longest = max((_longest_run(line) for line in lines), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([f"{ticks}{language}", *lines, ticks])


def prose(text: str, most: int = 600) -> str:
    """A sentence with names in it: words as they are, everything else in code."""
    text = safe(text[: most + 1])
    text = text if len(text) <= most else f"{text[:most]}…"
    parts: list[str] = []
    odd: list[str] = []
    for token in _TOKEN.findall(text):
        if _WORD.fullmatch(token):
            parts += [code(" ".join(odd)), token] if odd else [token]
            odd = []
            continue
        bare = token[1:-1] if len(token) > 2 and token[0] == token[-1] and token[0] in "'\"" else token
        odd.append(bare.rstrip(",;") or bare)
        if bare[-1] in ",;" and bare.rstrip(",;"):
            parts.append(f"{code(' '.join(odd))}{bare[-1]}")
            odd = []
    return " ".join([*parts, code(" ".join(odd))] if odd else parts)


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
