"""Tests of shop.py against the emulator; the fixtures come with asstops (pip install 'asstops[emulator]')."""

from pathlib import Path

import pytest
from openai import OpenAI
from shop import ask

SPEC = Path(__file__).with_name("asstops.yaml")


@pytest.fixture
def shop(azure_openai_apply):
    """The spec, applied to an emulator that holds nothing else."""
    return azure_openai_apply(SPEC)


@pytest.fixture
def client(shop):
    with OpenAI(**shop.client_kwargs) as client:
        yield client


def test_the_clerk_answers(client, shop):
    """The emulator's default answer names the agent and repeats the question."""
    assert "clerk was asked: When do you open?" in ask(client, shop.assistant("clerk"), "When do you open?")


def test_the_clerk_looks_up_the_stock(client, shop, azure_openai_admin):
    """A scripted reply makes the model call the function as a real one might."""
    scripted = {
        "match": {"text": "kettles"},
        "tool_calls": [{"name": "get_stock", "arguments": {"product": "kettle"}}],
        "reply": "We have {outputs}.",
    }
    azure_openai_admin("POST", "/replies", scripted)
    assert ask(client, shop.assistant("clerk"), "How many kettles are left?") == "We have 3."
