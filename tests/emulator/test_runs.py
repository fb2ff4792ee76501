"""Runs through the real SDK and by hand: polling, overrides, tools, limits, lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep

from tests.emulator.conftest import NEW, OLD, Emu, error_of, wait
from tests.emulator.talking import WEATHER, ask, ended, parsed, run_on, said, thread_with

DATED = pytest.mark.parametrize("surface", [OLD, NEW])
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning")


@DATED
def test_quickstart_conversation(emu: Emu, surface: str) -> None:
    client = emu.openai(surface)
    assistant = client.beta.assistants.create(model="gpt-4o", name="Maths tutor", instructions="Be brief.")
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content="How are you?")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10)
    assert run.status == "completed"
    answer, question = client.beta.threads.messages.list(thread_id=thread.id).data
    assert answer.content[0].text.value == "[asstops emulator] Maths tutor was asked: How are you?"
    assert (answer.role, answer.run_id, answer.assistant_id) == ("assistant", run.id, assistant.id)
    assert question.content[0].text.value == "How are you?"


@DATED
def test_every_object_has_the_documented_form(emu: Emu, surface: str) -> None:
    """The documents' fields and no others; the SDK's models have no field left over that they should know."""
    store = emu.store(file_ids=[emu.upload("hours.md", b"We open at nine.")["id"]])["id"]
    assistant = emu.assistant(
        tools=[{"type": "file_search"}, {"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": [store]}},
    )["id"]
    thread = thread_with(emu, "When do you open? What is 6*7?", surface=surface)
    run = run_on(emu, thread, assistant, surface=surface, metadata={"a": "b"})
    assert (run["status"], run["metadata"]) == ("completed", {"a": "b"})
    assert run["usage"]["total_tokens"] == run["usage"]["prompt_tokens"] + run["usage"]["completion_tokens"] > 0
    if surface == NEW:
        parsed(Run, run)
    else:
        assert "parallel_tool_calls" not in run
    path = f"/threads/{thread}/runs"
    assert ask(emu, surface, "GET", path)["data"] == [run]
    steps = ask(emu, surface, "GET", f"{path}/{run['id']}/steps", params={"order": "asc"})["data"]
    for step in steps:
        assert ask(emu, surface, "GET", f"{path}/{run['id']}/steps/{step['id']}") == step
        parsed(RunStep, step)
    kinds = [[call["type"] for call in step["step_details"].get("tool_calls", [])] for step in steps]
    assert kinds == [["code_interpreter"], ["file_search"], []]
    listed = ask(emu, surface, "GET", f"/threads/{thread}/messages", params={"run_id": run["id"]})["data"]
    assert [message["id"] for message in listed] == [steps[2]["step_details"]["message_creation"]["message_id"]]
    parsed(Message, listed[0], besides=("quote",) if surface == OLD else ())
    changed = ask(emu, surface, "POST", f"{path}/{run['id']}", {"metadata": {"c": "d"}})
    assert changed == {**run, "metadata": {"c": "d"}}
    assert ask(emu, surface, "GET", f"{path}/{run['id']}") == changed


def test_overrides(emu: Emu) -> None:
    assistant = emu.assistant(
        name="A", instructions="First.", temperature=0.1, metadata={"a": "b"}, tools=[{"type": "code_interpreter"}]
    )["id"]
    plain = run_on(emu, thread_with(emu), assistant)
    assert (plain["model"], plain["instructions"], plain["temperature"], plain["top_p"]) == (
        "gpt-4o",
        "First.",
        0.1,
        1.0,
    )
    assert (plain["tools"], plain["metadata"]) == ([{"type": "code_interpreter"}], {})
    assert (plain["tool_choice"], plain["response_format"]) == ("auto", "auto")
    assert plain["truncation_strategy"] == {"type": "auto", "last_messages": None}
    over = {
        "model": "gpt-4o-mini",
        "instructions": "Second.",
        "additional_instructions": "Third.",
        "tools": [WEATHER],
        "temperature": 0.9,
        "top_p": 0.5,
        "max_prompt_tokens": 256,
        "max_completion_tokens": 300,
        "truncation_strategy": {"type": "last_messages", "last_messages": 2},
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
        "additional_messages": [{"role": "user", "content": "The last word"}],
    }
    thread = thread_with(emu)
    run = run_on(emu, thread, assistant, **over)
    hidden = {"additional_instructions", "additional_messages", "instructions"}
    assert {name: run[name] for name in over if name not in hidden} == {
        name: value for name, value in over.items() if name not in hidden
    }
    assert run["instructions"] == "Second.\nThird."
    assert json.loads(said(emu, thread))["answer"] == "[asstops emulator] A was asked: The last word"


def test_json_schema(emu: Emu) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "n": {"type": "integer", "minimum": 3}},
        "required": ["name", "n"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    thread = thread_with(emu)
    run_on(emu, thread, emu.assistant(response_format=form)["id"])
    assert json.loads(said(emu, thread)) == {"name": "[asstops emulator]", "n": 3}


# Functions -----------------------------------------------------------------------------------------------


@DATED
def test_function_calls(emu: Emu, surface: str) -> None:
    assistant = emu.assistant(name="W", tools=[WEATHER])["id"]
    client, thread = emu.openai(surface), thread_with(emu, "Please get weather for Oslo", surface=surface)
    run = run_on(emu, thread, assistant, surface=surface)
    assert run["status"] == "requires_action"
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("get_weather", {"city": "city"})
    path = f"/threads/{thread}/runs/{run['id']}"
    (step,) = ask(emu, surface, "GET", f"{path}/steps")["data"]
    assert (step["status"], step["step_details"]["tool_calls"][0]["function"]["output"]) == ("in_progress", None)
    outputs = [{"tool_call_id": call["id"], "output": "12 degrees"}]
    done = client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=thread, run_id=run["id"], tool_outputs=outputs, poll_interval_ms=10
    )
    assert (done.status, done.required_action) == ("completed", None)
    assert said(emu, thread, surface).endswith("The function get_weather returned: 12 degrees")
    steps = ask(emu, surface, "GET", f"{path}/steps", params={"order": "asc"})["data"]
    assert [item["status"] for item in steps] == ["completed", "completed"]
    assert steps[0]["step_details"]["tool_calls"][0]["function"]["output"] == "12 degrees"
    answer = emu.data("POST", f"{path}/submit_tool_outputs", {"tool_outputs": outputs}, surface=surface)
    assert error_of(answer, 400)["message"] == 'Runs in status "completed" do not accept tool outputs.'


def two_tools() -> list[dict[str, Any]]:
    other = {"name": "get_time", "description": "", "parameters": {"type": "object", "properties": {}}}
    return [WEATHER, {"type": "function", "function": other}]


def test_parallel_calls_come_together_or_one_by_one(emu: Emu) -> None:
    assistant = emu.assistant(tools=two_tools())["id"]
    for parallel, rounds in ((True, [2]), (False, [1, 1])):
        run = run_on(emu, thread_with(emu, "get_weather and get_time"), assistant, parallel_tool_calls=parallel)
        seen = []
        while run["status"] == "requires_action":
            calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
            seen.append(len(calls))
            outputs = [{"tool_call_id": call["id"], "output": "x"} for call in calls]
            path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
            run = ended(emu, ask(emu, NEW, "POST", path, {"tool_outputs": outputs}))
        assert (seen, run["status"]) == (rounds, "completed")


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{"tool_call_id": "call_x", "output": "x"}],
        [{"output": "x"}],
        "twice",
    ],
)
def test_outputs_must_match_the_calls(emu: Emu, outputs: Any) -> None:
    run = run_on(emu, thread_with(emu, "get_weather"), emu.assistant(tools=[WEATHER])["id"])
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    if outputs == "twice":
        outputs = [{"tool_call_id": call["id"], "output": "x"}] * 2
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    message = error_of(emu.data("POST", f"{path}/submit_tool_outputs", {"tool_outputs": outputs}), 400)["message"]
    assert message.startswith(f"Expected tool outputs for call_ids ['{call['id']}'], got [")
    assert emu.data("GET", path).json()["status"] == "requires_action"


@pytest.mark.parametrize(
    ("choice", "text", "called"),
    [
        ("auto", "hello", []),
        ("none", "get_weather", []),
        ({"type": "function", "function": {"name": "get_time"}}, "get_weather", ["get_time"]),
        ("auto", "Get-Weather?", ["get_weather"]),
        ("auto", "forget_weather_now", []),
    ],
)
def test_tool_choice(emu: Emu, choice: Any, text: str, called: list[str]) -> None:
    run = run_on(emu, thread_with(emu, text), emu.assistant(tools=two_tools())["id"], tool_choice=choice)
    calls = (run["required_action"] or {"submit_tool_outputs": {"tool_calls": []}})["submit_tool_outputs"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == called


@pytest.mark.parametrize("value", ["refused", "accepted"])
def test_required_choice(emulator: Any, value: str) -> None:
    with emulator(behaviour={"run_tool_choice_required": value}) as emu:
        assistant, thread = emu.assistant(tools=[WEATHER])["id"], thread_with(emu)
        body = {"assistant_id": assistant, "tool_choice": "required"}
        answer = emu.data("POST", f"/threads/{thread}/runs", body)
        if value == "refused":
            assert error_of(answer, 400)["param"] == "tool_choice"
        else:
            assert wait(lambda: emu.data("GET", f"/threads/{thread}/runs/{answer.json()['id']}").json(),
                        lambda run: run["status"] == "requires_action")  # fmt: skip


@pytest.mark.parametrize("value", ["thread.run.step", "assistant.run.step"])
def test_name_of_a_step(emulator: Any, value: str) -> None:
    with emulator(behaviour={"run_step_object": value}) as emu:
        thread = thread_with(emu)
        run = run_on(emu, thread, emu.assistant()["id"])
        assert ask(emu, NEW, "GET", f"/threads/{thread}/runs/{run['id']}/steps")["data"][0]["object"] == value


# Tools of the service ------------------------------------------------------------------------------------


@DATED
def test_file_search_cites(emu: Emu, surface: str) -> None:
    hours, rules = emu.upload("hours.md", b"# Hours\nWe open at nine.")["id"], emu.upload("r.txt", b"Be kind.")["id"]
    store = emu.store(file_ids=[hours, rules])["id"]
    assistant = emu.assistant(
        tools=[{"type": "file_search"}], tool_resources={"file_search": {"vector_store_ids": [store]}}
    )["id"]
    thread = thread_with(emu, "When do you open?", surface=surface)
    run = run_on(emu, thread, assistant, surface=surface)
    text = ask(emu, surface, "GET", f"/threads/{thread}/messages")["data"][0]["content"][0]["text"]
    (note,) = text["annotations"]
    assert note["file_citation"]["file_id"] == hours
    assert text["value"][note["start_index"] : note["end_index"]] == note["text"]
    assert note["end_index"] == len(text["value"])
    assert "We open at nine." in text["value"]
    assert note["file_citation"].get("quote") == ("We open at nine." if surface == OLD else None)
    path = f"/threads/{thread}/runs/{run['id']}/steps"
    first = ask(emu, surface, "GET", path, params={"order": "asc"})["data"][0]
    found = first["step_details"]["tool_calls"][0]["file_search"]
    if surface == OLD:
        assert found == {}
        return
    assert found == {"results": [{"file_id": hours, "file_name": "hours.md", "score": 1.0}]}
    include = {"include[]": "step_details.tool_calls[*].file_search.results[*].content"}
    asked = ask(emu, surface, "GET", f"{path}/{first['id']}", params=include)
    content = asked["step_details"]["tool_calls"][0]["file_search"]["results"][0]["content"]
    assert content == [{"type": "text", "text": "We open at nine."}]
    assert error_of(emu.data("GET", path, params={"include[]": "x"}), 400)["param"] == "include"


def test_run_waits_for_ingestion(emulator: Any) -> None:
    """A file that was attached a moment ago is found all the same."""
    with emulator(ingestion_s=0.4) as emu:
        file = emu.upload("hours.md", b"We open at nine.")["id"]
        attached = [{"file_id": file, "tools": [{"type": "file_search"}]}]
        thread = thread_with(emu, "When do you open?", attachments=attached)
        run_on(emu, thread, emu.assistant(tools=[{"type": "file_search"}])["id"])
        assert "We open at nine." in said(emu, thread)


def test_search_without_a_hit_says_so(emu: Emu) -> None:
    store = emu.store(file_ids=[emu.upload("r.txt", b"Be kind.")["id"]])["id"]
    resources = {"file_search": {"vector_store_ids": [store]}}
    thread = thread_with(emu, "Bananas?")
    run_on(emu, thread, emu.assistant(tools=[{"type": "file_search"}], tool_resources=resources)["id"])
    assert said(emu, thread).endswith("No attached file has words of the question.")


def test_run_on_a_deleted_store_goes_on_and_on_an_expired_one_fails(emu: Emu) -> None:
    store = emu.store(file_ids=[emu.upload()["id"]], expires_after={"anchor": "last_active_at", "days": 1})["id"]
    resources = {"file_search": {"vector_store_ids": [store]}}
    assistant = emu.assistant(tools=[{"type": "file_search"}], tool_resources=resources)["id"]
    emu.admin("POST", "/clock", {"advance_s": 86_401})
    run = run_on(emu, thread_with(emu), assistant)
    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
    assert store in run["last_error"]["message"]
    emu.data("DELETE", f"/vector_stores/{store}")
    assert run_on(emu, thread_with(emu), assistant)["status"] == "completed"


def test_code_interpreter_calculates(emu: Emu) -> None:
    thread = thread_with(emu, "Please calculate (1 + 2) * 4.")
    run = run_on(emu, thread, emu.assistant(tools=[{"type": "code_interpreter"}])["id"])
    steps = ask(emu, NEW, "GET", f"/threads/{thread}/runs/{run['id']}/steps", params={"order": "asc"})["data"]
    code = steps[0]["step_details"]["tool_calls"][0]["code_interpreter"]
    assert code == {"input": "print((1 + 2) * 4)", "outputs": [{"type": "logs", "logs": "12\n"}]}
    assert "printed 12." in said(emu, thread)


# Limits --------------------------------------------------------------------------------------------------


@DATED
def test_max_completion_tokens(emu: Emu, surface: str) -> None:
    thread = thread_with(emu, "x" * 5000, surface=surface)
    run = run_on(emu, thread, emu.assistant()["id"], surface=surface, max_completion_tokens=256)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert run["usage"]["completion_tokens"] == 256
    message = ask(emu, surface, "GET", f"/threads/{thread}/messages")["data"][0]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})
    assert len(message["content"][0]["text"]["value"]) == 1024
    assert (message["completed_at"], run["completed_at"]) == (None, None)


def test_max_prompt_tokens(emu: Emu) -> None:
    thread = thread_with(emu, "y" * 4000)
    run = run_on(emu, thread, emu.assistant()["id"], max_prompt_tokens=256)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    ask(emu, NEW, "POST", f"/threads/{thread}/messages", {"role": "user", "content": "short"})
    run = run_on(emu, thread, emu.assistant()["id"], max_prompt_tokens=256)
    assert (run["status"], run["usage"]["prompt_tokens"]) == ("completed", 2)  # the long message was dropped


def test_last_messages(emu: Emu) -> None:
    thread = thread_with(emu, "z" * 400)
    ask(emu, NEW, "POST", f"/threads/{thread}/messages", {"role": "user", "content": "four"})
    counts = []
    for strategy in ({"type": "auto"}, {"type": "last_messages", "last_messages": 1}):
        other = ask(emu, NEW, "POST", "/threads", {"messages": [
            {"role": "user", "content": "z" * 400}, {"role": "user", "content": "four"}]})["id"]  # fmt: skip
        run = run_on(emu, other, emu.assistant()["id"], truncation_strategy=strategy)
        counts.append(run["usage"]["prompt_tokens"])
    assert counts == [101, 1]


# Lists and accounts --------------------------------------------------------------------------------------


def test_runs_of_a_thread_are_its_own(emu: Emu) -> None:
    assistant, thread, other = emu.assistant()["id"], thread_with(emu), thread_with(emu)
    mine = [run_on(emu, thread, assistant)["id"] for _ in range(3)]
    theirs = run_on(emu, other, assistant)["id"]
    client = emu.openai()
    assert [run.id for run in client.beta.threads.runs.list(thread, limit=1)] == mine[::-1]
    assert error_of(emu.data("GET", f"/threads/{thread}/runs/{theirs}"), 404)["message"].startswith("No run found")
    error_of(emu.data("GET", f"/threads/{thread}/runs/{mine[0]}/steps/step_x"), 404)


def test_other_accounts_have_other_threads(emu: Emu) -> None:
    emu.account()
    thread = thread_with(emu)
    key = emu.arm(
        "POST",
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/"
        "Microsoft.CognitiveServices/accounts/contoso/listKeys",
    ).json()["key1"]
    answer = emu.data("GET", f"/threads/{thread}", account="contoso", headers={"api-key": key})
    assert error_of(answer, 404)["message"] == f"No thread found with id '{thread}'."


# Refusals ------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"assistant_id": 1}, "assistant_id", "invalid_type"),
    ({"max_prompt_tokens": 255}, "max_prompt_tokens", "integer_below_min_value"),
    ({"max_completion_tokens": 255}, "max_completion_tokens", "integer_below_min_value"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value"),
    ({"truncation_strategy": {}}, "truncation_strategy.type", "missing_required_parameter"),
    ({"truncation_strategy": {"type": "first"}}, "truncation_strategy.type", "invalid_value"),
    (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "truncation_strategy.last_messages",
        "integer_below_min_value",
    ),
    ({"tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.function", "missing_required_parameter"),
    ({"tool_choice": {"type": "file_search"}}, "tool_choice", "invalid_value"),
    ({"tools": [WEATHER] * 21}, "tools", "array_above_max_length"),
    ({"tools": [{"type": "retrieval"}]}, "tools[0].type", "invalid_value"),
    ({"response_format": "json"}, "response_format", "invalid_value"),
    ({"model": "nowhere"}, "model", "model_not_found"),
    ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"reasoning_effort": "low"}, "reasoning_effort", "unknown_parameter"),
    ({"additional_messages": [{"role": "tool", "content": "x"}]}, "additional_messages[0].role", "invalid_value"),
]


@pytest.mark.parametrize(("body", "param", "code"), REFUSED)
@DATED
def test_refused(emu: Emu, surface: str, body: dict[str, Any], param: str, code: str) -> None:
    thread = thread_with(emu)
    answer = emu.data(
        "POST", f"/threads/{thread}/runs", {"assistant_id": emu.assistant()["id"], **body}, surface=surface
    )
    error = error_of(answer, 400)
    assert (error["param"], error["code"]) == (param, code)
    assert emu.data("GET", f"/threads/{thread}/runs").json()["data"] == []


@pytest.mark.parametrize("name", ["parallel_tool_calls"])
def test_older_version_lacks(emu: Emu, name: str) -> None:
    body = {"assistant_id": emu.assistant()["id"], name: True}
    path = f"/threads/{thread_with(emu)}/runs"
    assert error_of(emu.data("POST", path, body, surface=OLD), 400)["code"] == "unknown_parameter"
    assert emu.data("POST", path, body, surface=NEW).status_code == 200


def test_unknown_ids(emu: Emu) -> None:
    thread, assistant = thread_with(emu), emu.assistant()["id"]
    for path, body, message in (
        (f"/threads/{thread}/runs", {"assistant_id": "asst_x"}, "No assistant found with id 'asst_x'."),
        ("/threads/thread_x/runs", {"assistant_id": assistant}, "No thread found with id 'thread_x'."),
        (f"/threads/{thread}/runs/run_x/cancel", None, "No run found with id 'run_x'."),
        (f"/threads/{thread}/runs/run_x/submit_tool_outputs", {"tool_outputs": []}, "No run found with id 'run_x'."),
    ):
        assert error_of(emu.data("POST", path, body), 404)["message"] == message


def test_a_refused_thread_and_run_leaves_no_thread(emu: Emu) -> None:
    body = {"assistant_id": "asst_x", "thread": {"messages": [{"role": "user", "content": "x"}]}}
    error_of(emu.data("POST", "/threads/runs", body), 404)
    assert emu.admin("GET", "/dump")["threads"] == []
