// Another try where it can help: after a pause with full jitter, and never for what a pause cannot change.

import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const AGAIN = new Set([408, 409, 429, 500, 502, 503, 504]);
const NEVER_AGAIN = /insufficient_quota|Arrearage|AllocationQuota|CommodityNotPurchased|BillOverdue/;

// What came instead of an answer; no status where nobody answered.
export class Refusal extends Error {
  constructor(message, { status, code = "", headers = new Headers() } = {}) {
    super(status ? `${message} (status ${status}, code ${code})` : message);
    Object.assign(this, { status, code, headers });
  }

  get mayPass() {
    if (this.headers.get("x-should-retry") === "false" || NEVER_AGAIN.test(this.code)) return false;
    return this.status === undefined || AGAIN.has(this.status);
  }

  pauseMs(number) {
    const told = this.headers.get("retry-after") ?? "";
    const least = /^\d+$/.test(told) ? Math.min(Number(told) * 1000, LONGEST_PAUSE_MS) : 0;
    return least + Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** number);
  }
}

// Asks until there is an answer or no hope; a stream that has begun is not asked for again.
export async function patiently(ask) {
  for (let number = 1; ; number++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refusal) || number === TRIES || !error.mayPass) throw error;
      await sleep(error.pauseMs(number));
    }
  }
}
