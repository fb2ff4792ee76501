// One conversation in TypeScript, by key or, where there is none, with Microsoft Entra ID.
//
//   npx tsx quickstart.ts "What is 2 ** 10?"

import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureOpenAI } from "openai";

const scope = "https://cognitiveservices.azure.com/.default";
const apiKey = process.env.AZURE_OPENAI_API_KEY;
const client = new AzureOpenAI({
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiVersion: process.env.OPENAI_API_VERSION,
  ...(apiKey ? { apiKey } : { azureADTokenProvider: getBearerTokenProvider(new DefaultAzureCredential(), scope) }),
});

async function ask(assistantId: string, question: string): Promise<string> {
  const thread = await client.beta.threads.create({ messages: [{ role: "user", content: question }] });
  const run = await client.beta.threads.runs.createAndPoll(
    thread.id,
    { assistant_id: assistantId },
    { pollIntervalMs: 500 },
  );
  if (run.status !== "completed") {
    throw new Error(`the run ended as ${run.status}: ${run.last_error?.message ?? ""}`);
  }
  const { data } = await client.beta.threads.messages.list(thread.id, { order: "desc", limit: 1 });
  return (data[0]?.content ?? []).map((part) => (part.type === "text" ? part.text.value : "")).join("");
}

const assistant = await client.beta.assistants.create({
  name: "Maths tutor",
  model: process.env.AZURE_OPENAI_DEPLOYMENT_NAME ?? "gpt-4o",
  tools: [{ type: "code_interpreter" }],
});
try {
  console.log(await ask(assistant.id, process.argv[2] ?? "What is 12 * (3 + 4)?"));
} finally {
  await client.beta.assistants.delete(assistant.id);
}
