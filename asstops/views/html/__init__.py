"""A plan as one page of HTML that needs nothing else: no script, no request, no font.

`render_plan` builds a page of typed values (`page`, `cards`, `fields`) and fills the template with it. Every text in it
is `safe` before the template escapes it, so that nothing that users wrote is markup or hides.
"""

from asstops.views.html.render import render_plan

__all__ = ["render_plan"]
