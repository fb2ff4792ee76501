// The conversation of quickstart.mjs, signed in with Microsoft Entra ID, and streamed.
//
// Needs AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION, and a sign-in that DefaultAzureCredential finds.

import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureOpenAI } from "openai";

const client = new AzureOpenAI({
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiVersion: process.env.OPENAI_API_VERSION,
  azureADTokenProvider: getBearerTokenProvider(
    new DefaultAzureCredential(),
    "https://cognitiveservices.azure.com/.default",
  ),
});

const assistant = await client.beta.assistants.create({
  name: "Maths tutor",
  model: process.env.AZURE_OPENAI_DEPLOYMENT_NAME ?? "gpt-4o",
  tools: [{ type: "code_interpreter" }],
});
try {
  const thread = await client.beta.threads.create({
    messages: [{ role: "user", content: "What is 12 * (3 + 4)?" }],
  });
  const stream = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
  stream.on("textDelta", (delta) => process.stdout.write(delta.value ?? ""));
  const run = await stream.finalRun();
  process.stdout.write("\n");
  if (run.status !== "completed") {
    throw new Error(`the run ended as ${run.status}: ${run.last_error?.message ?? ""}`);
  }
} finally {
  await client.beta.assistants.delete(assistant.id);
}
