"""Responses: with an agent or a model, in a conversation or a chain, plain and streamed; held to the SDK's types."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import V1, Emu, error_of, wait
from tests.emulator.foundry import Foundry

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
SALES = b"January: 12 bicycles.\nMarch: 40 bicycles.\n"


@pytest.fixture
def project(emu: Emu) -> Foundry:
    return Foundry(emu)


def text_of(response: dict[str, Any]) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


def searching(project: Foundry) -> tuple[str, str]:
    """An agent over a store with one file; returns the ids of store and file."""
    file = project.upload("sales.md", SALES)
    store = project.good("POST", "/vector_stores", {"file_ids": [file]})["id"]
    wait(lambda: project.good("GET", f"/vector_stores/{store}")["status"], lambda status: status == "completed")
    project.version("clerk", {"tools": [{"type": "file_search", "vector_store_ids": [store]}]})
    return store, file


# Who answers ---------------------------------------------------------------------------------------------


def test_an_agent_answers(project: Foundry) -> None:
    project.version("clerk", {"instructions": "Be short.", "temperature": 0.2, "tools": [WEATHER]})
    answer = project.ask("Hello?")
    assert text_of(answer) == "[asstops emulator] clerk was asked: Hello?"
    assert (answer["model"], answer["instructions"], answer["temperature"]) == ("gpt-4o", "Be short.", 0.2)
    assert answer["tools"] == [{**WEATHER, "description": None}]
    assert answer["agent_reference"] == {"type": "agent_reference", "name": "clerk", "version": "1"}
    assert answer["usage"]["total_tokens"] == answer["usage"]["input_tokens"] + answer["usage"]["output_tokens"]
    assert project.ask("Hello?")["output"][0]["content"] == answer["output"][0]["content"]


def test_a_version_of_an_agent_answers(project: Foundry) -> None:
    for text in ("first", "second"):
        project.version("clerk", {"instructions": text})
    reference = {"type": "agent_reference", "name": "clerk", "version": "1"}
    assert project.ask("x", None, agent_reference=reference)["instructions"] == "first"
    assert project.ask("x")["instructions"] == "second"
    for wrong in ({**reference, "version": "9"}, {**reference, "name": "nobody"}):
        error_of(project.openai("POST", "/responses", {"input": "x", "agent_reference": wrong}), 404)


def test_a_model_answers(emu: Emu, project: Foundry) -> None:
    answer = project.ask("Hello?", None, model="gpt-4o", instructions="i", metadata={"a": "b"})
    assert text_of(answer) == "[asstops emulator] gpt-4o was asked: Hello?"
    assert "agent_reference" not in answer
    assert answer["metadata"] == {"a": "b"}
    account = emu.data("POST", "/responses", {"input": "Hello?", "model": "gpt-4o"}, surface=V1).json()
    assert text_of(account) == text_of(answer)
    error = error_of(project.openai("POST", "/responses", {"input": "x", "model": "none"}), 404)
    assert error["code"] == "DeploymentNotFound"


def test_an_account_has_no_agents(emu: Emu) -> None:
    body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}}
    error = error_of(emu.data("POST", "/responses", body, surface=V1), 400)
    assert (error["code"], error["param"]) == ("unknown_parameter", "agent_reference")


def test_what_the_agent_decides(emulator: Any) -> None:
    """The switch agent_overrides: a request that names an agent and a model is refused, or the model ignored."""
    for value, status in (("refused", 400), ("ignored", 200)):
        with emulator(behaviour={"agent_overrides": value}) as emu:
            project = Foundry(emu)
            project.version("clerk", {"instructions": "mine"})
            for extra in ({"model": "gpt-4o-mini"}, {"instructions": "yours"}, {"tools": [WEATHER]}, {"top_p": 0.1}):
                body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}, **extra}
                answer = project.openai("POST", "/responses", body)
                assert answer.status_code == status
                if status == 200:
                    assert (answer.json()["model"], answer.json()["instructions"]) == ("gpt-4o", "mine")
                else:
                    assert error_of(answer, 400)["message"] == "Not allowed when agent is specified."


def test_structured_inputs_fill_templates(project: Foundry) -> None:
    store, _ = searching(project)
    inputs = {"who": {"default_value": "you"}, "store": {"required": True}}
    tools = [{"type": "file_search", "vector_store_ids": ["{{store}}"]}]
    project.version("host", {"instructions": "Greet {{who}}.", "structured_inputs": inputs, "tools": tools})
    answer = project.ask("March?", "host", structured_inputs={"store": store})
    assert (answer["instructions"], answer["tools"][0]["vector_store_ids"]) == ("Greet you.", [store])
    assert "40 bicycles" in text_of(answer)
    reference = {"type": "agent_reference", "name": "host"}
    for wrong in ({}, {"store": store, "nobody": 1}):
        body = {"input": "x", "agent_reference": reference, "structured_inputs": wrong}
        error_of(project.openai("POST", "/responses", body), 400)


# What came before ----------------------------------------------------------------------------------------


def test_a_conversation_grows(project: Foundry) -> None:
    project.version("clerk")
    talk = project.good("POST", "/conversations", {})["id"]
    for text in ("one", "two"):
        answer = project.ask(text, conversation=talk if text == "one" else {"id": talk})
        assert answer["conversation"] == {"id": talk}
    items = project.good("GET", f"/conversations/{talk}/items", params={"order": "asc"})["data"]
    assert [item["role"] for item in items] == ["user", "assistant", "user", "assistant"]
    assert items[3] == answer["output"][0]
    assert text_of(project.ask("", conversation=talk)).endswith("was asked: two")
    body = {"input": "x", "model": "gpt-4o", "conversation": "conv_none"}
    error_of(project.openai("POST", "/responses", body), 404)


def test_an_agent_asked_with_nothing_new_answers_the_last_message(project: Foundry) -> None:
    project.version("clerk")
    talk = project.good("POST", "/conversations", {"items": [{"role": "user", "content": "earlier"}]})["id"]
    body = {"conversation": talk, "agent_reference": {"type": "agent_reference", "name": "clerk"}}
    assert text_of(project.good("POST", "/responses", body)).endswith("was asked: earlier")


def test_a_chain_of_responses(project: Foundry) -> None:
    project.version("clerk", {"tools": [WEATHER]})
    first = project.ask("call get_weather")
    call = first["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    second = project.ask([output], previous_response_id=first["id"])
    assert text_of(second).endswith("The function get_weather returned: sunny")
    third = project.ask("thanks", previous_response_id=second["id"])
    assert third["previous_response_id"] == second["id"]
    assert third["usage"]["input_tokens"] > second["usage"]["input_tokens"]
    body = {"input": "x", "model": "gpt-4o", "previous_response_id": "resp_none"}
    assert error_of(project.openai("POST", "/responses", body), 400)["code"] == "previous_response_not_found"


def test_functions(project: Foundry) -> None:
    project.version("clerk", {"tools": [WEATHER]})
    talk = project.good("POST", "/conversations", {})["id"]
    (call,) = project.ask("Please call get_weather", conversation=talk)["output"]
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "get_weather", '{"city": "city"}')
    refused = {"input": "and now?", "model": "gpt-4o", "conversation": talk}
    assert "No tool output found" in error_of(project.openai("POST", "/responses", refused), 400)["message"]
    unknown = {"type": "function_call_output", "call_id": "call_none", "output": "x"}
    body = {"input": [unknown], "model": "gpt-4o"}
    assert "No tool call found" in error_of(project.openai("POST", "/responses", body), 400)["message"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    assert "returned: sunny" in text_of(project.ask([output], conversation=talk))
    assert len(project.good("GET", f"/conversations/{talk}/items")["data"]) == 4


# Tools ---------------------------------------------------------------------------------------------------


def test_file_search_cites(project: Foundry) -> None:
    store, file = searching(project)
    answer = project.ask("How many bicycles in March?", include=["file_search_call.results"])
    search, message = answer["output"]
    assert [result["filename"] for result in search["results"]] == ["sales.md"]
    part = message["content"][0]
    assert part["text"].endswith("sales.md says: March: 40 bicycles.")
    assert part["annotations"] == [
        {"type": "file_citation", "file_id": file, "filename": "sales.md", "index": len(part["text"])}
    ]
    assert project.ask("March?")["output"][0]["results"] is None
    project.good("DELETE", f"/vector_stores/{store}")
    body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}}
    assert store in error_of(project.openai("POST", "/responses", body), 404)["message"]


def test_a_store_that_expired(emu: Emu, project: Foundry) -> None:
    expiry = {"anchor": "last_active_at", "days": 1}
    store = project.good("POST", "/vector_stores", {"expires_after": expiry})["id"]
    project.version("clerk", {"tools": [{"type": "file_search", "vector_store_ids": [store]}]})
    emu.admin("POST", "/clock", {"advance_s": 80_000})
    Foundry(emu).ask("x")  # which counts as use
    emu.admin("POST", "/clock", {"advance_s": 80_000})
    Foundry(emu).ask("x")
    emu.admin("POST", "/clock", {"advance_s": 90_000})
    body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}}
    assert error_of(Foundry(emu).openai("POST", "/responses", body), 400)["code"] == "vector_store_expired"


def test_citation_marks(emulator: Any) -> None:
    """The switch citation_marks: "removed" from the text, or "kept" in it; the index is where one belongs."""
    for value in ("removed", "kept"):
        with emulator(behaviour={"citation_marks": value}) as emu:
            project = Foundry(emu)
            searching(project)
            part = project.ask("bicycles in March?")["output"][1]["content"][0]
            (note,) = part["annotations"]
            assert part["text"][note["index"] :] == ("\u30100:0\u2020sales.md\u3011" if value == "kept" else "")


def test_code_interpreter(project: Foundry) -> None:
    project.version("clerk", {"tools": [{"type": "code_interpreter"}]})
    code, message = project.ask("What is 12 * 3?", include=["code_interpreter_call.outputs"])["output"]
    assert (code["code"], code["outputs"]) == ("print(12 * 3)", [{"type": "logs", "logs": "36\n"}])
    assert "printed 36" in message["content"][0]["text"]


def test_formats(project: Foundry) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "name": "x", "schema": schema}
    project.version("clerk", {"text": {"format": form}})
    assert text_of(project.ask("x")) == '{"n": 0}'
    assert text_of(project.ask("x", None, model="gpt-4o", text={"format": {"type": "json_object"}})).startswith("{")


def test_tool_choice(project: Foundry) -> None:
    other = {**WEATHER, "name": "other"}
    project.version("clerk", {"tools": [WEATHER, other], "tool_choice": {"type": "function", "name": "other"}})
    assert [item["name"] for item in project.ask("x")["output"]] == ["other"]
    project.version("clerk", {"tools": [WEATHER, other], "tool_choice": "none"})
    assert [item["type"] for item in project.ask("call get_weather")["output"]] == ["message"]
    ask = {"input": "get_weather and other", "model": "gpt-4o", "tools": [WEATHER, other]}
    assert len(project.good("POST", "/responses", ask)["output"]) == 2
    assert len(project.good("POST", "/responses", {**ask, "parallel_tool_calls": False})["output"]) == 1
    for wrong in ({"type": "function", "name": "none"}, {"type": "file_search"}):
        error_of(project.openai("POST", "/responses", {**ask, "tool_choice": wrong}), 400)


# How it ends ---------------------------------------------------------------------------------------------


def test_too_many_tokens(project: Foundry) -> None:
    project.version("clerk")
    answer = project.ask("word " * 100, max_output_tokens=16)
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert len(text_of(answer)) == 64
    assert answer["usage"]["output_tokens"] == 16
    body = {"input": "x", "model": "gpt-4o", "max_output_tokens": 15}
    error_of(project.openai("POST", "/responses", body), 400)


def test_scripted(emu: Emu, project: Foundry) -> None:
    project.version("clerk", {"tools": [WEATHER]})
    rules: list[dict[str, Any]] = [
        {"match": {"text": "fail"}, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "later"}},
        {"match": {"text": "part"}, "reply": "Half", "status": "incomplete"},
        {"match": {"text": "call"}, "tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]},
        {"match": {"assistant": "clerk"}, "reply": "I am {assistant}.", "tokens": {"prompt": 3, "completion": 4}},
    ]
    emu.admin("POST", "/replies", {"replies": rules})
    failed = project.ask("fail")
    assert (failed["status"], failed["error"]) == ("failed", {"code": "rate_limit_exceeded", "message": "later"})
    assert project.ask("part")["status"] == "incomplete"
    assert project.ask("call")["output"][0]["arguments"] == '{"city": "Oslo"}'
    answer = project.ask("hello")
    assert text_of(answer) == "I am clerk."
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (3, 4)
    assert [event["type"] for event in project.events("fail")][-1] == "response.failed"
    assert [event["type"] for event in project.events("part")][-1] == "response.incomplete"


def test_a_failure_adds_no_answer_to_a_conversation(emu: Emu, project: Foundry) -> None:
    project.version("clerk")
    emu.admin("POST", "/replies", {"match": {"text": "fail"}, "status": "failed"})
    talk = project.good("POST", "/conversations", {})["id"]
    assert project.ask("fail", conversation=talk)["output"] == []
    assert len(project.good("GET", f"/conversations/{talk}/items")["data"]) == 1


# Streams -------------------------------------------------------------------------------------------------


def test_stream(project: Foundry) -> None:
    searching(project)
    project.version("clerk", {"tools": [*project.agents("GET", "/agents/clerk").json()["versions"]["latest"]
                                        ["definition"]["tools"], {"type": "code_interpreter"}]})  # fmt: skip
    talk = project.good("POST", "/conversations", {})["id"]
    found = project.events("What is 12 * 3 in bicycles?", conversation=talk)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    kinds = [event["type"] for event in found]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    for kind in ("code_interpreter_call_code.done", "file_search_call.completed", "output_text.annotation.added"):
        assert f"response.{kind}" in kinds
    whole = found[-1]["response"]
    assert "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta") == text_of(whole)
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert done == whole["output"]
    assert project.good("GET", f"/responses/{whole['id']}") == whole
    assert len(project.good("GET", f"/conversations/{talk}/items")["data"]) == 4


def test_stream_of_a_function_call(project: Foundry) -> None:
    project.version("clerk", {"tools": [WEATHER]})
    found = project.events("get_weather")
    deltas = "".join(event["delta"] for event in found if event["type"] == "response.function_call_arguments.delta")
    assert deltas == found[-1]["response"]["output"][0]["arguments"] == '{"city": "city"}'


# What is kept --------------------------------------------------------------------------------------------


def test_kept_and_deleted(project: Foundry) -> None:
    project.version("clerk")
    made = project.ask("Hello?", metadata={"a": "b"})
    one = f"/responses/{made['id']}"
    assert project.good("GET", one) == made
    (item,) = project.good("GET", f"{one}/input_items")["data"]
    assert item["content"] == [{"type": "input_text", "text": "Hello?"}]
    assert error_of(project.openai("POST", f"{one}/cancel"), 400)["message"] == "Cannot cancel a synchronous response."
    error_of(project.openai("GET", one, params={"stream": "true"}), 400)
    assert project.good("DELETE", one)["deleted"] is True
    for method, path in (("GET", one), ("DELETE", one), ("GET", f"{one}/input_items"), ("POST", f"{one}/cancel")):
        error_of(project.openai(method, path), 404)


def test_not_kept(project: Foundry) -> None:
    project.version("clerk")
    made = project.ask("Hello?", store=False)
    error_of(project.openai("GET", f"/responses/{made['id']}"), 404)


def test_what_tools_found_is_kept_for_later(project: Foundry) -> None:
    searching(project)
    made = project.ask("March?")
    wanted = {"include": "file_search_call.results"}
    assert project.good("GET", f"/responses/{made['id']}", params=wanted)["output"][0]["results"]
    assert project.good("GET", f"/responses/{made['id']}")["output"][0]["results"] is None


def test_items_by_reference(project: Foundry) -> None:
    project.version("clerk", {"tools": [WEATHER]})
    (call,) = project.ask("get_weather")["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    answer = project.ask([{"role": "user", "content": "q"}, {"type": "item_reference", "id": call["id"]}, output])
    assert "returned: sunny" in text_of(answer)


def test_pages_of_input(project: Foundry) -> None:
    project.version("clerk")
    items = [{"role": "user", "content": str(n)} for n in range(3)]
    one = f"/responses/{project.ask(items)['id']}/input_items"
    first = project.good("GET", one, params={"limit": 2})
    assert ([item["content"][0]["text"] for item in first["data"]], first["has_more"]) == (["2", "1"], True)
    rest = project.good("GET", one, params={"limit": 2, "after": first["last_id"]})
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["0"], False)
    up = project.good("GET", one, params={"order": "asc", "before": first["data"][0]["id"]})
    assert [item["content"][0]["text"] for item in up["data"]] == ["0", "1"]
    error_of(project.openai("GET", one, params={"after": "none"}), 400)


# The contract --------------------------------------------------------------------------------------------

MODEL = {"model": "gpt-4o", "input": "x"}
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"temperature": 2}, {"temperature": 2.1}),
        ({"top_p": 0}, {"top_p": 1.1}),
        ({"top_logprobs": 20}, {"top_logprobs": 21}),
        ({"metadata": {"k": "v" * 512}}, {"metadata": {"k": "v" * 513}}),
        ({"tools": [CODE]}, {"tools": [{"type": "code_interpreter"}]}),
        ({"tools": [{"type": "function", "name": "f", "parameters": None, "strict": None}]},
         {"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {"text": {"verbosity": "no"}}),
        ({"reasoning": {"effort": None}}, {"reasoning": {"effort": "most"}}),
        ({"truncation": "auto"}, {"truncation": "some"}),
        ({"include": ["message.output_text.logprobs"]}, {"include": ["everything"]}),
        ({"conversation": None}, {"conversation": 1}),
        ({"instructions": None}, {"instructions": 1}),
        ({"safety_identifier": "x" * 64}, {"safety_identifier": "x" * 65}),
        ({"stream": False}, {"stream": "no"}),
        ({"background": False}, {"background": True}),
        ({}, {"stream_options": {"include_obfuscation": False}}),
        ({}, {"nmae": "x"}),
        ({}, {"agent": {"type": "agent_reference", "name": "clerk"}}),
        ({}, {"input": 1}),
        ({}, {"input": ""}),
        ({}, {"input": []}),
        ({}, {"input": [{"role": "user"}]}),
        ({}, {"tool_choice": {"type": "function", "name": "f"}}),
    ],
)  # fmt: skip
def test_both_sides(project: Foundry, good: dict[str, Any], bad: dict[str, Any]) -> None:
    project.good("POST", "/responses", {**MODEL, **good})
    error_of(project.openai("POST", "/responses", {**MODEL, **bad}), 400)


def test_fields_that_exclude_each_other(project: Foundry) -> None:
    talk = project.good("POST", "/conversations", {})["id"]
    first = project.good("POST", "/responses", MODEL)["id"]
    body = {**MODEL, "conversation": talk, "previous_response_id": first}
    assert error_of(project.openai("POST", "/responses", body), 400)["code"] == "mutually_exclusive_parameters"
    error_of(project.openai("POST", "/responses", {"input": "x"}), 400)


def test_the_old_name_of_an_agent_reference(project: Foundry) -> None:
    body = {"input": "x", "agent": {"type": "agent_reference", "name": "clerk"}}
    assert "Use 'agent_reference' instead" in error_of(project.openai("POST", "/responses", body), 400)["message"]
