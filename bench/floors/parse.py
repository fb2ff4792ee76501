"""The least that reading a spec takes: its bytes through libyaml, one Python object an event, nothing checked or kept.

parse.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import click  # noqa: F401  # what the command imports too
import pydantic  # noqa: F401
import yaml

for _ in yaml.parse(Path(sys.argv[1]).read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    pass
