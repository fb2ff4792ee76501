"""Chat completions: plain and streamed, tools, formats, limits, refusals, on every surface."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import NotFoundError
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.emulator import contract
from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of
from tests.emulator.talking import WEATHER, ask, events, parsed

EVERY = pytest.mark.parametrize("surface", [OLD, NEW, V1])
HELLO = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]}
AZURE = ("content_filter_results", "prompt_filter_results")  # in the documents, unknown to the SDK's models
HARMLESS = {harm: {"filtered": False, "severity": "safe"} for harm in ("hate", "self_harm", "sexual", "violence")}


def place(surface: str, deployment: str = "gpt-4o") -> str:
    return "/chat/completions" if surface == V1 else f"/deployments/{deployment}/chat/completions"


def complete(emu: Emu, surface: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a documented request and return its documented answer."""
    if surface == V1:
        body = {"model": "gpt-4o", **body}
    return dict(ask(emu, surface, "POST", place(surface), body))


def chunks(emu: Emu, surface: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    sent = {"model": "gpt-4o", **body, "stream": True} if surface == V1 else {**body, "stream": True}
    answer = emu.data("POST", place(surface), sent, surface=surface)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = [data for _, data in events(answer.text)]
    assert found.pop() == "[DONE]"
    for chunk in found:
        parsed(ChatCompletionChunk, chunk, besides=AZURE)
        if surface == NEW and contract.available():
            contract.check_answer(NEW, "POST", place(NEW), 200, plain(chunk))
    return found


def plain(chunk: dict[str, Any]) -> dict[str, Any]:
    """Leave out what Azure sends and its document does not have in chunks."""
    kept = {name: value for name, value in chunk.items() if name not in {*AZURE, "usage"}}
    kept["choices"] = [{n: v for n, v in choice.items() if n not in AZURE} for choice in chunk["choices"]]
    return kept


@EVERY
def test_plain(emu: Emu, surface: str) -> None:
    made = complete(emu, surface, HELLO)
    parsed(ChatCompletion, made, besides=AZURE)
    (choice,) = made["choices"]
    assert choice["message"]["content"] == "[asstops emulator] gpt-4o was asked: Hello"
    assert (choice["finish_reason"], choice["logprobs"], made["model"]) == ("stop", None, "gpt-4o-2024-11-20")
    assert made["prompt_filter_results"] == [{"prompt_index": 0, "content_filter_results": HARMLESS}]
    assert choice["content_filter_results"] == HARMLESS
    usage = made["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (5, 11, 16)
    assert ("prompt_tokens_details" in usage) == (surface != OLD)
    assert ("refusal" in choice["message"]) == (surface != OLD)


@EVERY
def test_streamed(emu: Emu, surface: str) -> None:
    client = emu.openai(surface)
    text = "".join(
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(model="gpt-4o", stream=True, **HELLO)
        if chunk.choices
    )
    assert text == "[asstops emulator] gpt-4o was asked: Hello"
    found = chunks(emu, surface, HELLO)
    assert (found[0]["choices"], found[0]["prompt_filter_results"][0]["prompt_index"]) == ([], 0)
    assert found[1]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in found[1:]] == [None] * (len(found) - 2) + ["stop"]
    assert len({chunk["id"] for chunk in found}) == 1


@pytest.mark.parametrize("value", ["sent", "left_out"])
def test_filter_results_in_streams(emulator: Any, value: str) -> None:
    with emulator(behaviour={"stream_filter_results": value}) as emu:
        found = chunks(emu, NEW, HELLO)
        assert ("prompt_filter_results" in found[0]) == (value == "sent")
        assert all(bool(chunk["choices"]) for chunk in found[1:])
        assert ("content_filter_results" in found[1]["choices"][0]) == (value == "sent")


@pytest.mark.parametrize("surface", [NEW, V1])
def test_usage_in_streams(emu: Emu, surface: str) -> None:
    found = chunks(emu, surface, {**HELLO, "stream_options": {"include_usage": True}})
    assert [chunk["usage"] for chunk in found[:-1]] == [None] * (len(found) - 1)
    assert (found[-1]["choices"], found[-1]["usage"]["total_tokens"]) == ([], 16)


@EVERY
def test_tools(emu: Emu, surface: str) -> None:
    asked = [{"role": "user", "content": "get_weather in Oslo"}]
    made = complete(emu, surface, {"messages": asked, "tools": [WEATHER]})
    (choice,) = made["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("get_weather", {"city": "city"})
    spoken = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "12 degrees"}
    done = complete(emu, surface, {"messages": [*asked, spoken, result], "tools": [WEATHER]})
    assert done["choices"][0]["message"]["content"].endswith("The function get_weather returned: 12 degrees")


@EVERY
def test_streamed_tools(emu: Emu, surface: str) -> None:
    other = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}
    body = {"messages": [{"role": "user", "content": "get_weather, get_time"}], "tools": [WEATHER, other]}
    arguments: dict[int, str] = {}
    names = {}
    for chunk in emu.openai(surface).chat.completions.create(model="gpt-4o", stream=True, **body):
        for call in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
            names.update({call.index: call.function.name} if call.function.name else {})
            arguments[call.index] = arguments.get(call.index, "") + call.function.arguments
    assert names == {0: "get_weather", 1: "get_time"}
    assert [json.loads(text) for text in arguments.values()] == [{"city": "city"}, {}]
    assert chunks(emu, surface, body)[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("auto", []),
        ("none", []),
        ("required", ["get_weather"]),
        ({"type": "function", "function": {"name": "get_weather"}}, ["get_weather"]),
    ],
)
def test_tool_choice(emu: Emu, choice: Any, called: list[str]) -> None:
    message = complete(emu, NEW, {**HELLO, "tools": [WEATHER], "tool_choice": choice})["choices"][0]["message"]
    assert [call["function"]["name"] for call in message.get("tool_calls", [])] == called


@EVERY
def test_older_functions(emu: Emu, surface: str) -> None:
    asked = [{"role": "user", "content": "get weather"}]
    made = complete(emu, surface, {"messages": asked, "functions": [WEATHER["function"]]})["choices"][0]
    assert (made["finish_reason"], made["message"]["function_call"]["name"]) == ("function_call", "get_weather")
    assert "tool_calls" not in made["message"]
    result = {"role": "function", "name": "get_weather", "content": "sun"}
    spoken = {"role": "assistant", "content": None, "function_call": made["message"]["function_call"]}
    body = {"messages": [*asked, spoken, result], "functions": [WEATHER["function"]]}
    answer = emu.data("POST", place(surface), {"model": "gpt-4o", **body}, surface=surface).json()
    assert answer["choices"][0]["message"]["content"].endswith("The function get_weather returned: sun")
    deltas = [c["choices"][0]["delta"] for c in chunks(emu, surface, {**body, "messages": asked}) if c["choices"]]
    assert [delta["function_call"]["name"] for delta in deltas if "name" in delta.get("function_call", {})] == [
        "get_weather"
    ]


def test_formats(emu: Emu) -> None:
    asked = [{"role": "user", "content": "Answer in JSON"}]
    made = complete(emu, NEW, {"messages": asked, "response_format": {"type": "json_object"}})
    assert "answer" in json.loads(made["choices"][0]["message"]["content"])
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    made = complete(emu, NEW, {**HELLO, "response_format": form})
    assert json.loads(made["choices"][0]["message"]["content"]) == {"n": 0}
    error = error_of(emu.data("POST", place(NEW), {**HELLO, "response_format": {"type": "json_object"}}), 400)
    assert "must contain the word 'json'" in error["message"]
    refused = emu.data("POST", place(OLD), {**HELLO, "response_format": form}, surface=OLD)
    assert error_of(refused, 400)["param"] == "response_format.type"


@EVERY
def test_several_choices(emu: Emu, surface: str) -> None:
    made = complete(emu, surface, {**HELLO, "n": 3})
    assert [choice["index"] for choice in made["choices"]] == [0, 1, 2]
    assert made["usage"]["completion_tokens"] == 33
    streamed = chunks(emu, surface, {**HELLO, "n": 2})
    assert [c["choices"][0]["index"] for c in streamed if c["choices"] and c["choices"][0]["finish_reason"]] == [0, 1]


@EVERY
def test_where_an_answer_ends(emu: Emu, surface: str) -> None:
    for stop in ("was", ["asked", "was"]):
        choice = complete(emu, surface, {**HELLO, "stop": stop})["choices"][0]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("[asstops emulator] gpt-4o ", "stop")
    choice = complete(emu, surface, {**HELLO, "max_tokens": 2})["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("[asstops", "length")
    if surface != OLD:
        made = complete(emu, surface, {**HELLO, "max_completion_tokens": 1})
        assert (made["choices"][0]["finish_reason"], made["usage"]["completion_tokens"]) == ("length", 1)


@EVERY
def test_logprobs(emu: Emu, surface: str) -> None:
    made = complete(emu, surface, {**HELLO, "logprobs": True, "top_logprobs": 1})
    parsed(ChatCompletion, made, besides=AZURE)
    found = made["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in found) == made["choices"][0]["message"]["content"]
    assert found[0]["top_logprobs"] == [{"token": "[asstops ", "logprob": 0.0, "bytes": list(b"[asstops ")}]


def test_the_question_is_the_last_of_the_user(emu: Emu) -> None:
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer"},
        {"role": "user", "content": [
            {"type": "text", "text": "second"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ]},
    ]  # fmt: skip
    made = complete(emu, NEW, {"messages": messages})
    assert made["choices"][0]["message"]["content"] == "[asstops emulator] gpt-4o was asked: second"


@EVERY
def test_unknown_deployment(emu: Emu, surface: str) -> None:
    answer = emu.data("POST", place(surface, "nowhere"), {**HELLO, "model": "nowhere"}, surface=surface)
    error = error_of(answer, 404)
    assert (error["code"], error["message"][:43]) == (
        "DeploymentNotFound",
        "The API deployment for this resource does n",
    )
    with pytest.raises(NotFoundError):
        emu.openai(surface).chat.completions.create(model="nowhere", **HELLO)


def test_a_new_deployment_can_chat_once_it_is_there(emu: Emu) -> None:
    emu.account()
    emu.deploy("mini", properties={"model": {"format": "OpenAI", "name": "gpt-4o-mini", "version": "2024-07-18"}})
    emu.deploy("words", properties={"model": {"format": "OpenAI", "name": "text-embedding-3-small", "version": "1"}})
    path = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers"
    key = emu.arm("POST", f"{path}/Microsoft.CognitiveServices/accounts/contoso/listKeys").json()["key1"]
    options: dict[str, Any] = {"account": "contoso", "headers": {"api-key": key}}
    assert emu.data("POST", place(NEW, "mini"), HELLO, **options).json()["model"] == "gpt-4o-mini-2024-07-18"
    assert emu.data("POST", place(NEW, "MINI"), HELLO, **options).status_code == 200
    assert error_of(emu.data("POST", place(NEW, "gpt-4o"), HELLO, **options), 404)["code"] == "DeploymentNotFound"
    refused = error_of(emu.data("POST", place(NEW, "words"), HELLO, **options), 400)
    assert refused["code"] == "OperationNotSupported"


_USER = {"role": "user", "content": "x"}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
REFUSED: list[tuple[dict[str, Any], str]] = [  # body, param
    ({}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{**_USER, "x": 1}]}, "messages[0].x"),
    ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "y"}]}, "messages[0].role"),
    ({"messages": [_USER, {"role": "assistant", "content": None, "tool_calls": [_CALL]}]}, "messages[1]"),
    (
        {
            "messages": [
                {"role": "assistant", "content": None, "tool_calls": [_CALL]},
                {"role": "tool", "content": "x", "tool_call_id": "call_2"},
            ]
        },
        "messages[1].tool_call_id",
    ),
    ({**HELLO, "temperature": 3}, "temperature"),
    ({**HELLO, "n": 0}, "n"),
    ({**HELLO, "n": 129}, "n"),
    ({**HELLO, "stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({**HELLO, "max_tokens": 0}, "max_tokens"),
    ({**HELLO, "presence_penalty": 2.5}, "presence_penalty"),
    ({**HELLO, "logit_bias": {"1": 101}}, "logit_bias.1"),
    ({**HELLO, "top_logprobs": 1}, "top_logprobs"),
    ({**HELLO, "tool_choice": "auto"}, "tool_choice"),
    ({**HELLO, "tools": [WEATHER], "tool_choice": "some"}, "tool_choice"),
    (
        {**HELLO, "tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "other"}}},
        "tool_choice",
    ),
    ({**HELLO, "tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
    ({**HELLO, "response_format": {"type": "xml"}}, "response_format.type"),
    ({**HELLO, "data_sources": [{"type": "azure_search"}]}, "data_sources"),
    ({**HELLO, "best_of": 2}, "best_of"),
]


@pytest.mark.parametrize(("body", "param"), REFUSED)
@EVERY
def test_refused(emu: Emu, surface: str, body: dict[str, Any], param: str) -> None:
    answer = emu.data("POST", place(surface), {"model": "gpt-4o", **body}, surface=surface)
    assert error_of(answer, 400)["param"] == param


@pytest.mark.parametrize(
    "field",
    [
        {"max_completion_tokens": 5},
        {"parallel_tool_calls": True, "tools": [WEATHER]},
        {"stream_options": {"include_usage": True}, "stream": True},
        {"metadata": {"a": "b"}},
        {"tool_choice": "required", "tools": [WEATHER]},
        {"messages": [{"role": "developer", "content": "x"}]},
        {"tools": [{"type": "function", "function": {**WEATHER["function"], "strict": True}}]},  # type: ignore[dict-item]
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
)
def test_what_the_older_version_lacks(emu: Emu, field: dict[str, Any]) -> None:
    assert emu.data("POST", place(NEW), {**HELLO, **field}).status_code == 200
    error_of(emu.data("POST", place(OLD), {**HELLO, **field}, surface=OLD), 400)


def test_fields_that_exclude_each_other(emu: Emu) -> None:
    for field, param in (
        ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"modalities": ["audio"]}, "modalities"),
    ):
        assert error_of(emu.data("POST", place(NEW), {**HELLO, **field}), 400)["param"] == param


def test_v1_names_the_deployment_in_the_body(emu: Emu) -> None:
    assert error_of(emu.data("POST", "/chat/completions", HELLO, surface=V1), 400)["param"] == "model"
    for surface, path in ((V1, place(NEW)), (NEW, "/chat/completions")):
        assert error_of(emu.data("POST", path, {"model": "gpt-4o", **HELLO}, surface=surface), 404)["code"] == "404"


def test_permission(emu: Emu, data_token: str) -> None:
    headers = {"authorization": f"Bearer {data_token}"}
    assert emu.data("POST", place(NEW), HELLO, headers=headers).status_code == 200
    emu.admin("POST", "/roles", {"data_write": False})
    error = error_of(emu.data("POST", place(NEW), HELLO, headers=headers), 403)
    assert "accounts/OpenAI/deployments/chat/completions/action" in error["message"]
