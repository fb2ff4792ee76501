"""Chat completions on a deployment, plain and streamed, on every surface.

Owns the routes, finding the deployment, and turning an answer into a reply. The dated surfaces name the
deployment in the path, v1 in the body.
"""

from __future__ import annotations

from asstops.emulator import answers, catalogue, chat_completion, chat_contract, data, ids, projects, sse
from asstops.emulator.data import DATED, V1
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route


def create(call: Call) -> Reply:
    deployment = call.params.get("deployment")
    model = model_of(call, deployment) if deployment is not None else None
    body = call.json()
    chat_contract.check(body, call.surface)
    if deployment is None or model is None:
        deployment = str(body["model"])
        model = model_of(call, deployment)
    question = chat_completion.question(body, deployment)
    answer = answers.respond(question, call.state.replies)
    if answer.status == "failed":
        raise _failure(answer)
    choices = [chat_completion.choice(body, answer) for _ in range(body.get("n") or 1)]
    counted = chat_completion.usage(body, call.surface, choices, answer.tokens)
    head: Json = {
        "id": ids.fresh("chatcmpl-", 29),
        "created": data.seconds(call.state.now()),
        "model": model,
        "system_fingerprint": "fp_emulator",
    }
    if not body.get("stream"):
        return Reply(chat_completion.whole(body, call.surface, head, choices, counted), delay_s=answer.seconds or 0)
    filters = call.state.on("stream_filter_results") == "sent"
    made = chat_completion.chunks(body, call.surface, head, choices, counted, filters=filters)
    parts = [*(sse.event(None, chunk) for chunk in made), sse.event(None, "[DONE]")]
    seconds = call.state.settings.run_s if answer.seconds is None else answer.seconds
    return Reply(stream=sse.play(parts, seconds), media_type=sse.MEDIA_TYPE, headers={"cache-control": "no-cache"})


def model_of(call: Call, deployment: str) -> str:
    """Return the model and version behind a deployment, refusing one that is not there or cannot chat."""
    row = call.state.store.one(
        "SELECT body FROM deployment WHERE account = ? AND name_key = ?",
        projects.home(call.state, call.account), deployment.lower(),
    )  # fmt: skip
    properties = load(row[0])["properties"] if row else {}
    if not row or properties["provisioningState"] in {"Creating", "Deleting"}:
        message = (
            "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
            "minutes, please wait a moment and try again."
        )
        body = {"error": {"code": "DeploymentNotFound", "message": message}}
        raise Refusal(404, message, code="DeploymentNotFound", body=None if call.surface == V1 else body)
    model = properties["model"]
    known = catalogue.MODELS.get(model["name"])
    if known is not None and not known.chat:
        raise Refusal(
            400,
            f"The chatCompletion operation does not work with the specified model, {model['name']}. Please choose "
            "different model and try again.",
            code="OperationNotSupported",
        )
    return f"{model['name']}-{model['version']}"


def _failure(answer: answers.Answer) -> Refusal:
    """A scripted failure: 429 or 500, as its code says."""
    error, wait = answer.error or {}, answer.seconds or 0
    message = error.get("message", "A scripted failure.")
    if error.get("code") == "rate_limit_exceeded":
        return Refusal(429, message, code="429", headers={"retry-after": "1"}, delay_s=wait)
    return Refusal(500, message, code="InternalServerError", kind="server_error", delay_s=wait)


ROUTES = [
    Route(
        "data", "POST", "/deployments/{deployment}/chat/completions", create, DATED,
        "deployments/chat/completions/action",
    ),
    Route("data", "POST", "/chat/completions", create, frozenset({V1}), "deployments/chat/completions/action"),
]  # fmt: skip
