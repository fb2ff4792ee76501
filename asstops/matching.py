"""Whether a text matches a regular expression, within a time.

Some expressions take for ever over some texts, and Python's `re` then heeds neither a time-out nor a signal. So the
search runs in a process of its own, which can be ended.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

_SEARCH = "import json, re, sys; given = json.load(sys.stdin); print(bool(re.search(given[0], given[1])))"


def matches(pattern: str, text: str, timeout_s: float) -> bool | None:
    """True or False; None where that was not known after `timeout_s` seconds."""
    command = [sys.executable, "-I", "-S", "-c", _SEARCH]
    try:
        done = subprocess.run(  # noqa: S603 - our own words; what others wrote goes in as data
            command, input=json.dumps([pattern, text]), capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError:  # no process can be made here
        return re.search(pattern, text) is not None
    return done.stdout.strip() == "True"
