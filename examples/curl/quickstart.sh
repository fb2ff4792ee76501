#!/usr/bin/env bash
# One conversation with an assistant by plain requests. Needs curl and jq.
#
# AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION say where and how; the deployment is gpt-4o unless
# AZURE_OPENAI_DEPLOYMENT_NAME says otherwise.
set -euo pipefail

# Azure shows endpoints with a slash at the end; the path below begins with one.
base="${AZURE_OPENAI_ENDPOINT%/}/openai"

call() { # METHOD PATH [BODY]
  curl --silent --show-error --fail-with-body --request "$1" \
    --header "api-key: $AZURE_OPENAI_API_KEY" --header "Content-Type: application/json" \
    ${3:+--data "$3"} "$base$2?api-version=$OPENAI_API_VERSION"
}

assistant=$(call POST /assistants "$(jq -n --arg model "${AZURE_OPENAI_DEPLOYMENT_NAME:-gpt-4o}" \
  '{model: $model, name: "Maths tutor", tools: [{type: "code_interpreter"}]}')" | jq -r .id)
trap 'call DELETE "/assistants/$assistant" >/dev/null' EXIT

thread=$(call POST /threads '{}' | jq -r .id)
call POST "/threads/$thread/messages" '{"role": "user", "content": "What is 12 * (3 + 4)?"}' >/dev/null
run=$(call POST "/threads/$thread/runs" "{\"assistant_id\": \"$assistant\"}" | jq -r .id)

status=queued
until [[ $status =~ ^(completed|failed|incomplete|expired|cancelled|requires_action)$ ]]; do
  sleep 0.5
  status=$(call GET "/threads/$thread/runs/$run" | jq -r .status)
done
[[ $status == completed ]] || { echo "the run ended as $status" >&2; exit 1; }

call GET "/threads/$thread/messages" | jq -r '.data | reverse[] | "\(.role): \(.content[0].text.value)"'
