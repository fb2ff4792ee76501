"""The repository that the pipelines work in: a spec of one agent, with an overlay for production."""

SPEC = """\
stack: contoso-sales
resource:
  name: contoso-sales
  resource_group: rg
  location: swedencentral
  project: {name: sales}
deployments:
  gpt-4o: {model: {name: gpt-4o, version: "2024-11-20"}, sku: {name: GlobalStandard, capacity: 1}}
assistants:
  analyst:
    model: gpt-4o
    instructions: {file: prompts/analyst.md}
    temperature: 1
"""
OVERLAY = "assistants: {analyst: {temperature: 0.2}}\n"
PROMPT = "You answer questions about sales.\n"
FILES = {"asstops.yaml": SPEC, "asstops.prod.yaml": OVERLAY, "prompts/analyst.md": PROMPT}
