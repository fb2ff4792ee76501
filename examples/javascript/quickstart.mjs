// One conversation with an assistant, signed in with a key.
//
// Needs AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION; the deployment is gpt-4o unless
// AZURE_OPENAI_DEPLOYMENT_NAME says otherwise.

import { AzureOpenAI } from "openai";

const client = new AzureOpenAI({
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiKey: process.env.AZURE_OPENAI_API_KEY,
  apiVersion: process.env.OPENAI_API_VERSION,
});

// On Azure, `model` is the name of a deployment.
const assistant = await client.beta.assistants.create({
  name: "Maths tutor",
  model: process.env.AZURE_OPENAI_DEPLOYMENT_NAME ?? "gpt-4o",
  tools: [{ type: "code_interpreter" }],
});
try {
  const thread = await client.beta.threads.create();
  await client.beta.threads.messages.create(thread.id, { role: "user", content: "What is 12 * (3 + 4)?" });
  const run = await client.beta.threads.runs.createAndPoll(
    thread.id,
    { assistant_id: assistant.id },
    { pollIntervalMs: 500 },
  );
  if (run.status !== "completed") {
    throw new Error(`the run ended as ${run.status}: ${run.last_error?.message ?? ""}`);
  }
  for await (const message of client.beta.threads.messages.list(thread.id, { order: "asc" })) {
    for (const part of message.content) {
      if (part.type === "text") console.log(`${message.role}: ${part.text.value}`);
    }
  }
} finally {
  await client.beta.assistants.delete(assistant.id);
}
