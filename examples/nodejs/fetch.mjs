// A streamed chat by nothing but Node.js. OPENAI_API_KEY and OPENAI_BASE_URL say where to; see README.md.

import { patiently, Refusal } from "./patience.mjs";

const baseURL = process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8600/compatible-mode/v1";
const body = {
  model: "qwen-plus",
  messages: [{ role: "user", content: "Who are you?" }],
  max_tokens: 100,
  stream: true,
  stream_options: { include_usage: true },
};

async function begin() {
  const response = await fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(300_000),
  }).catch((error) => {
    throw new Refusal(`${error.message}: ${error.cause?.message}`);
  });
  if (response.ok) return response;
  const told = await response.text();
  throw new Refusal(told, { status: response.status, code: told, headers: response.headers });
}

// The pieces of a body end anywhere; events end with a blank line.
async function* events(response) {
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + piece).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      if (event.startsWith("data: ") && event !== "data: [DONE]") yield JSON.parse(event.slice("data: ".length));
    }
  }
}

for await (const chunk of events(await patiently(begin))) {
  if (chunk.error) throw new Error(chunk.error.message);
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
  if (chunk.usage) console.log(`\n${chunk.usage.prompt_tokens} + ${chunk.usage.completion_tokens} tokens`);
}
