// @ts-check
/** Server-sent events (WHATWG HTML §9.2) of an answer that `fetch` reads: an EventSource cannot carry a proof. */

import { DeviceFault, timed } from "./timed.js";

/** @typedef {{ name: string, data: string }} ServerEvent */

const LONGEST = 65_536;

/**
 * The events of a stream until it ends.
 *
 * @param {Response} response
 * @param {number} quietMs a stream that says nothing for so long, not even a comment, is dead
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 * @throws {DeviceFault} live_unreadable: this browser or answer gives no stream; live_silent
 */
export async function* serverEvents(response, quietMs) {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream || !response.body) {
    throw new DeviceFault("live_unreadable");
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await timed(reader.read(), quietMs, "live_silent");
      if (done) {
        return;
      }
      const blocks = (rest + decoder.decode(value, { stream: true })).replace(/\r\n?/g, "\n").split("\n\n");
      rest = blocks.pop() ?? "";
      if (rest.length > LONGEST) {
        throw new DeviceFault("live_unreadable");
      }
      for (const block of blocks) {
        const event = parse(block);
        if (event !== null) {
          yield event;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // whoever stops reading hangs up
  }
}

/** @param {string} block @returns {ServerEvent | null} null for comments and settings alone */
function parse(block) {
  let name = "message";
  /** @type {string[]} */
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "event") {
      name = value;
    } else if (field === "data") {
      data.push(value);
    }
  }
  return data.length > 0 ? { name, data: data.join("\n") } : null;
}
