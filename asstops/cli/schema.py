"""`asstops schema`: the JSON Schema of the spec, for editors."""

from __future__ import annotations

import json

import click

from asstops.cli.options import output_options


@click.command("schema")
@output_options
def command() -> None:
    """Print the JSON Schema of the spec.

    Save it, and name it in the first line of a spec for completion in editors:
    # yaml-language-server: $schema=asstops.schema.json
    """
    from asstops.spec import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
