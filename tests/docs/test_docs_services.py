"""The page on services has every service and every field, and says of each field what is really sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from asstops.emulator import EmulatorServer, EmulatorSettings
from asstops.services import DEFAULT, NAMES, by_name
from asstops.spec.functions import ToolSpec
from asstops.spec.sections import TOOLS
from asstops.testing import provision
from tests.docs.pages import read
from tests.docs.reference import fields_of, sections

PAGE = read("docs/services.md")
INTRODUCTION = PAGE.partition("\n## ")[0]
ABSENT, SAME = "not there", "as there"
MODELS = {kind.section: kind.spec for kind in sections()} | {TOOLS: ToolSpec}
Rows = dict[str, dict[str, str]]


def _table(section: str) -> Rows:
    """The table under `### section`: field -> column -> cell."""
    text = PAGE.partition(f"\n### `{section}`\n")[2]
    text = re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [[cell.strip() for cell in line.strip("|").split(" |")] for line in text.splitlines() if line[:1] == "|"]
    assert lines, f"there is no table under ### `{section}`"
    head, _, *rows = lines
    fields = [row[0].strip("`") for row in rows]
    assert len(fields) == len(set(fields)), f"{section}: a field stands there twice"
    return {row[0].strip("`"): {name.strip("`"): cell for name, cell in zip(head, row, strict=False)} for row in rows}


TABLES = {section: _table(section) for section in MODELS}


def test_every_service_is_introduced() -> None:
    """A new folder of services/ wants a row, and the default is called so."""
    first = dict(re.findall(r"^\| `(\w+)`( \(the default\))? \|", INTRODUCTION, re.MULTILINE))
    assert set(first) == set(NAMES)
    assert first[DEFAULT]


@pytest.mark.parametrize("section", MODELS)
def test_every_field_has_a_row_and_every_service_a_column(section: str) -> None:
    """A field added to a model fails here until the page says what becomes of it."""
    assert set(TABLES[section]) == set(fields_of(MODELS[section]))
    for field, row in TABLES[section].items():
        assert set(NAMES) <= set(row), field
        assert all(row[name] for name in NAMES), f"{field} has an empty cell"


@pytest.mark.parametrize("service", NAMES)
def test_what_a_service_lacks_is_said_so(service: str) -> None:
    """`not there` stands exactly where the service refuses the field."""
    lacks = {kind.section: set(kind.lacks) for kind in by_name(service).kinds.values() if not kind.within}
    for section, rows in TABLES.items():
        missing = {
            field for field in rows if any(f"{field}.".startswith(f"{path}.") for path in lacks.get(section, ()))
        }
        assert {field for field, row in rows.items() if row[service] == ABSENT} == missing, section


def test_the_variables_of_output_are_listed() -> None:
    """Every variable that `output` prints, in the column of its service."""
    text = PAGE.partition("\n## What programs are given\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|")[1:] for line in text.splitlines() if line[:1] == "|"]
    head, _, *cells = rows
    for at, name in enumerate(cell.strip(" `") for cell in head):
        service = by_name(name)
        listed = set(re.findall(r"`(\w+)`", " ".join(row[at] for row in cells)))
        assert {*service.variables.values(), service.endpoint_variable} <= listed, name
    assert {cell.strip(" `") for cell in head} == set(NAMES)


# What is really sent ----------------------------------------------------------------------------------------

COMMON = """
stack: every-field
resource:
  {name: everyfield, resource_group: rg, location: swedencentral, sku: S0, tags: {a: b}, MORE_OF_RESOURCE}
deployments:
  gpt-4o:
    model: {name: gpt-4o, version: "2024-11-20"}
    sku: {name: GlobalStandard, capacity: 1}
    version_upgrade: NoAutoUpgrade
    rai_policy: Microsoft.DefaultV2
    tags: {a: b}
files: {note: {path: note.md}}
vector_stores:
  notes:
    files: [note]
    chunking: {max_chunk_size_tokens: 200, chunk_overlap_tokens: 50}
    expires_after_days: 3
    metadata: {a: b}
tools:
  look:
    description: Looks.
    parameters: {type: object, properties: {}, required: [], additionalProperties: false}
    strict: true
assistants:
  one:
    name: One
    model: gpt-4o
    description: The first.
    instructions: Be brief.
    temperature: 0.5
    top_p: 0.5
    response_format:
      type: json_schema
      json_schema: {name: answer, schema: {type: object}, description: An answer., strict: false}
    metadata: {a: b}
    MORE_OF_ASSISTANT
    tools:
      - code_interpreter: {files: [note], MORE_OF_CODE}
      - file_search: {vector_store: notes, max_num_results: 5, MORE_OF_SEARCH}
      - function: look
"""
MORE = {
    "agents": {
        "RESOURCE": "project: {name: one, display_name: P, description: The project., tags: {a: b}}",
        "ASSISTANT": "reasoning: {effort: low, summary: auto}",
        "CODE": "memory_limit: 4g",
        "SEARCH": "ranking_options: {ranker: auto, score_threshold: 0.5}",
        "TOOLS": """
      - mcp:
          {server_label: docs, server_url: https://example.com/mcp, server_description: Docs., allowed_tools: [a],
           require_approval: always, project_connection_id: c}
      - openapi:
          {name: one, description: One., spec: {openapi: 3.1.0, info: {title: A, version: "1"}, paths: {}},
           auth: {type: managed_identity, audience: https://example.com}, default_params: [a]}
      - openapi:
          {name: two, spec: {openapi: 3.1.0, info: {title: A, version: "1"}, paths: {}},
           auth: {type: project_connection, project_connection_id: c}}
      - web_search:
          {search_context_size: low, allowed_domains: [example.com],
           user_location: {country: SE, region: Stockholm, city: Stockholm, timezone: Europe/Stockholm}}
""",
    },
    "assistants": {"TOOLS": "service: assistants"},
}
NOT_SENT_HERE = {"properties.restore"}  # sent when a deleted account comes back
OPAQUE = (".parameters", ".schema", "openapi.spec")
"""JSON Schemas and documents of users: what is in them is no field of the service."""


def _spec(service: str) -> str:
    text, more = COMMON, MORE[service]
    for name in ("RESOURCE", "ASSISTANT", "CODE", "SEARCH"):
        text = text.replace(f"MORE_OF_{name}", more.get(name, ""))
    return text + more["TOOLS"].lstrip("\n")


def _paths(value: Any, at: str = "") -> Iterator[str]:
    """Every path in a JSON value: `definition`, `definition.tools[]`, `definition.tools[].type`."""
    if at:
        yield at
    if isinstance(value, dict) and not at.endswith(OPAQUE):
        for name, item in value.items():
            yield from _paths(item, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{at}[]")


@dataclass
class Sent:
    """Every path in the requests that make what a spec says: of all of them, and of the assistant's alone."""

    service: str
    all: set[str]
    assistant: set[str]


@pytest.fixture(scope="module", params=NAMES)
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What a spec comes to that says all that the service can take."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    (folder / "note.md").write_text("A note.\n", encoding="utf-8")
    (folder / "asstops.yaml").write_text(_spec(request.param), encoding="utf-8")
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0, arm_operation_s=0)) as server:
        provision(server, folder / "asstops.yaml")
        with urlopen(f"{server.url}/_emulator/requests") as answer:
            log = [entry for entry in json.load(answer)["requests"] if entry["method"] != "GET"]
    bodies = [(entry["path"], {**(entry.get("body") or {}), **(entry.get("multipart") or {})}) for entry in log]
    return Sent(
        request.param,
        {path for _, body in bodies for path in _paths(body)},
        {found for path, body in bodies if path.endswith(("/versions", "/assistants")) for found in _paths(body)},
    )


def _named(section: str, service: str) -> Iterator[str]:
    """The fields of requests that the page names for a service."""
    for row in TABLES[section].values():
        cell = row["agents"] if row[service].startswith(SAME) else row[service]
        for token in re.findall(r"`([a-z][A-Za-z_.\[\]]*)`", cell):
            inner = service == DEFAULT and token.startswith("tools[]")
            if token not in ("auto", "type", "false", "display_name"):
                yield f"definition.{token}" if inner else token


def test_fields_of_requests_are_named_as_they_are_sent(sent: Sent) -> None:
    named = {path for section in MODELS for path in _named(section, sent.service)} - NOT_SENT_HERE
    assert len(named) > 30
    assert sorted(named - sent.all) == []


def test_every_field_of_an_assistant_is_on_the_page(sent: Sent) -> None:
    """Nothing is sent that no row tells of, but for what is always the same."""
    named = {path for section in ("assistants", TOOLS) for path in _named(section, sent.service)}
    leaves = {
        path for path in sent.assistant if not any(other[: len(path) + 1] == f"{path}." for other in sent.assistant)
    }
    told = {path.removesuffix("[]") for path in leaves if f"{path}[]" not in sent.assistant}
    constant = re.compile(
        r"definition\.kind|(definition\.)?(tools\[\]|.*\.(container|user_location|format))\.type|metadata\..*"
    )
    assert sorted(path for path in told - named if not constant.fullmatch(path)) == []
