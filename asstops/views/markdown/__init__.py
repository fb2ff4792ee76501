"""Plans, drift and reports as Markdown for pull requests and step summaries. Pure.

Whatever a user wrote stands in code (a code span, a fence, or an escaped `<code>`), where neither Markdown nor HTML nor
a mention in it means anything. Only GitHub's own flavour is used beyond CommonMark, and everything reads well without.
"""

from asstops.views.markdown.documents import COMMENT_LIMIT, marker, render_drift, render_plan, render_report

__all__ = ["COMMENT_LIMIT", "marker", "render_drift", "render_plan", "render_report"]
