// A streamed chat by the official `openai` client. OPENAI_API_KEY and OPENAI_BASE_URL say where to; see README.md.

import OpenAI from "openai";
import { patiently, Refusal } from "./patience.mjs";

// The client's own tries do not know an exhausted quota of every server; `patiently` does.
const client = new OpenAI({ timeout: 60_000, maxRetries: 0 });

async function begin() {
  try {
    return await client.chat.completions.create({
      model: "qwen-plus",
      messages: [{ role: "user", content: "Who are you?" }],
      max_tokens: 100,
      stream: true,
      stream_options: { include_usage: true },
    });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    throw new Refusal(error.message, { status: error.status, code: error.code ?? "", headers: error.headers });
  }
}

for await (const chunk of await patiently(begin)) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
  if (chunk.usage) console.log(`\n${chunk.usage.prompt_tokens} + ${chunk.usage.completion_tokens} tokens`);
}
