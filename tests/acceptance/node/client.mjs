// Runs one task with the official client and prints what came of it as JSON; the order comes on standard input.

import { readFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { text } from "node:stream/consumers";
import OpenAI from "openai";

const { task, baseURL, apiKey, maxRetries = 0, ...given } = JSON.parse(await text(process.stdin));
const client = new OpenAI({ apiKey, baseURL, maxRetries });

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

// What a user sees of an error.
function seen(error) {
  const { status, code, type, requestID } = error;
  return { class: error.constructor.name, status, code, type, requestID, message: error.error?.message };
}

async function attempt(body) {
  try {
    const answer = await client.chat.completions.create(body);
    return body.stream ? await all(answer) : answer;
  } catch (error) {
    return seen(error);
  }
}

const tasks = {
  create: ({ body }) => client.chat.completions.create(body),
  chunks: async ({ body }) => all(await client.chat.completions.create({ ...body, stream: true })),
  accumulate: ({ body }) => client.chat.completions.stream(body).finalChatCompletion(),
  attempts: ({ bodies }) => Promise.all(bodies.map(attempt)),

  // The client's own loop: it calls the function that the model names and hands back what it returns.
  runTools: async ({ body, tool, result }) => {
    const received = [];
    const callable = (received_) => {
      received.push(received_);
      return result;
    };
    const tools = [{ type: "function", function: { ...tool, function: callable, parse: JSON.parse } }];
    const runner = client.chat.completions.runTools({ ...body, tools });
    return { received, answer: await runner.finalContent(), messages: runner.messages };
  },

  image: async ({ body, path }) => {
    const url = `data:image/png;base64,${(await readFile(path)).toString("base64")}`;
    const content = [{ type: "image_url", image_url: { url } }, { type: "text", text: "What is it?" }];
    return client.chat.completions.create({ ...body, messages: [{ role: "user", content }] });
  },

  models: async () => ({ all: await all(client.models.list()), one: await client.models.retrieve("qwen-plus") }),

  files: async ({ path }) => {
    const made = await client.files.create({ file: createReadStream(path), purpose: "batch" });
    const listed = await all(client.files.list());
    const found = await client.files.retrieve(made.id);
    const gone = await client.files.delete(made.id);
    const left = await all(client.files.list());
    return { made, listed, found, gone, left };
  },

  embeddings: ({ body }) => client.embeddings.create(body),
  completion: ({ body }) => client.completions.create(body),

  responses: async ({ body, next }) => {
    const first = await client.responses.create(body);
    const runner = client.responses.stream({ ...body, input: next, previous_response_id: first.id });
    const events = [];
    for await (const event of runner) events.push(event.type);
    const second = await runner.finalResponse();
    return { first, second, events, again: await client.responses.retrieve(second.id) };
  },
};

process.stdout.write(JSON.stringify(await tasks[task](given)));
