"""The log of requests on stderr, which --verbose and --debug ask for."""

from __future__ import annotations

import logging
import sys

from asstops.cli import concealed
from asstops.cli.options import Globals

_BODY = 20_000


class LogLine(logging.Formatter):
    """One line of the log, fit to be shown."""

    def format(self, record: logging.LogRecord) -> str:
        from asstops.views.text import told

        text = concealed.redactor().text(super().format(record))
        return told(text, _BODY) if record.levelno <= logging.DEBUG else told(text)


def log_requests(options: Globals) -> None:
    """Show what is sent, as far as the options ask for it."""
    logger = logging.getLogger("asstops")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)  # one process may run several commands
    if options.verbose or options.debug:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(LogLine("%(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if options.debug else logging.INFO)
