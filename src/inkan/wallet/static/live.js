// @ts-check
/**
 * The live channel of an open wallet: the platform says that something waits or is announced, never what. The page
 * hears `inkan-waiting` and `inkan-news` and asks for the rest itself. A lost stream is opened again after growing
 * pauses; where streams do not come through, the wallet asks and the platform holds the answer back.
 */

import { serverEvents } from "./live_stream.js";

/** @typedef {Pick<import("./phone.js").Phone, "bound" | "stream" | "waiting">} Caller */

const PATH = "/phone/v1/approvals/events";
/** @type {Readonly<Record<string, string>>} what the platform says, and what the page hears */
const HEARD = { waiting: "inkan-waiting", news: "inkan-news" };
const QUIET_MS = 40_000; // the platform's heartbeat comes every 15 s
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000];
const SHORT_MS = 5_000; // a stream that ends sooner and said nothing counts as a failed one
const PATIENCE = 2; // more failed streams than that may be the fault of something in between
const POLL_S = 25;
const POLLS = 10; // then a stream is tried again
/** Refusals after which there is nothing to hear: the phone is bound no more. */
const OVER = new Set([401, 403]);
/** Codes of faults and statuses of refusals that say: no stream now, ask instead. */
const NO_STREAM = new Set(["live_unreadable", 404, 406, 429]);

export class Live {
  /** @type {AbortController | null} */
  #running = null;

  /**
   * @param {Caller} phone
   * @param {{ tell?: (name: string) => void, pause?: (ms: number) => Promise<void>, isSeen?: () => boolean }} [how]
   */
  constructor(phone, { tell = dispatch, pause = rest, isSeen = visible } = {}) {
    this.phone = phone;
    this.tell = tell;
    this.pause = pause;
    this.isSeen = isSeen;
  }

  /** Listen while the page is seen and the phone is bound; calling it again does no harm. */
  turn() {
    if (!this.isSeen() || this.phone.bound === null) {
      this.end();
    } else if (this.#running === null) {
      const running = (this.#running = new AbortController());
      void this.#run(running.signal).finally(() => {
        if (this.#running === running) {
          this.#running = null;
        }
      });
    }
  }

  end() {
    this.#running?.abort();
    this.#running = null;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const count = await this.#follow(signal);
        failures = count === 0 && performance.now() - began < SHORT_MS ? failures + 1 : 0;
      } catch (error) {
        const { status, code } = /** @type {{ status?: number, code?: string }} */ (error ?? {});
        if (signal.aborted || OVER.has(status ?? 0)) {
          return;
        }
        failures += 1;
        if (failures > PATIENCE || NO_STREAM.has(/** @type {any} */ (status ?? code))) {
          await this.#ask(signal);
        }
      }
      if (!signal.aborted) {
        await this.pause((PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0) * (0.75 + Math.random() / 2));
      }
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<number>} how many events there were */
  async #follow(signal) {
    const response = await this.phone.stream(PATH, { headers: { accept: "text/event-stream" }, signal });
    let count = 0;
    for await (const { name } of serverEvents(response, QUIET_MS)) {
      if (signal.aborted) {
        break;
      }
      count += 1;
      const heard = HEARD[name];
      if (heard !== undefined) {
        this.tell(heard);
      }
    }
    return count;
  }

  /** The last resort: ask, the platform answers when something waits or the time is over. @param {AbortSignal} signal */
  async #ask(signal) {
    let known = "";
    for (let times = 0; times < POLLS && !signal.aborted; times += 1) {
      let waiting;
      try {
        waiting = await this.phone.waiting({ waitS: POLL_S, signal });
      } catch {
        return;
      }
      const now = waiting.map((each) => each.approval).join(" ");
      if (now !== known) {
        known = now;
        this.tell("inkan-waiting");
      }
      if (now !== "") {
        await this.pause(PAUSES_MS[2] ?? 0); // while something waits the answer comes at once
      }
    }
  }
}

/** @param {string} name */
function dispatch(name) {
  dispatchEvent(new Event(name));
}

/** @param {number} ms @returns {Promise<void>} */
function rest(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function visible() {
  return document.visibilityState === "visible";
}
