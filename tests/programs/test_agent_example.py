"""The example program for agents runs unchanged, against what asstops made."""

from __future__ import annotations

from asstops.testing import provision
from tests.programs.conftest import EXAMPLES, Place


def test_chat_with_an_agent_goes_on_with_its_conversation(place: Place) -> None:
    """The file "agent.py": streamed answers, and the conversation found again by its id."""
    found = provision(place.server, EXAMPLES.parent / "specs" / "math.yaml")
    variables = {"FOUNDRY_PROJECT_ENDPOINT": found.project_endpoint, "FOUNDRY_AGENT_NAME": found.assistant("tutor")}
    env = {**place.without_key(), **variables}
    out = place.python("agent.py", env=env, stdin="One\nWhat is 12 * (3 + 4)?\n")
    assert out.startswith("[asstops emulator] tutor was asked: One\n")
    assert "printed 84." in out
    conversation = place.stderr.split()[-1]
    assert conversation.startswith("conv_")
    out = place.python("agent.py", conversation, env=env, stdin="Three\n")
    assert "tutor was asked: Three\n" in out
    items = [entry for entry in place.paths() if entry.endswith("/conversations")]
    assert len(items) == 1, "the second run began a conversation of its own"
