// @ts-check
/**
 * The Phone API as a phone calls it: JSON bodies, a DPoP proof by the channel key on every request.
 *
 * Two clocks: proofs bear true time, which each answer's `Date` corrects where this machine's clock is wrong; the times
 * inside one instance are the platform's `now`, which matters where an instance has travelled forward.
 */

import { objectOf, problemOf, readJSON } from "./answers.js";
import { proof } from "./dpop.js";
import { CallRefused, PlatformTimeout, PlatformUnreachable } from "./errors.js";

/** @typedef {import("./phone_types.js").ChannelKey} ChannelKey */
/** @typedef {import("./answers.js").Answer} Answer */

/**
 * @typedef {object} Reach
 * @property {string} platform origin
 * @property {ChannelKey} channel
 * @property {import("./phone_types.js").Lang} lang of refusals
 * @property {number} aheadS
 * @property {typeof fetch} [fetch]
 * @property {() => number} [clock]
 * @property {(ms: number) => Promise<void>} [pause]
 */

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path
 * @property {string} [body]
 * @property {number} [waitS] how long the platform may hold the answer back
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 */

const TIMEOUT_S = 15;
const PROOF_REFUSED = "dpop_proof_refused";
// The field Date has whole seconds, and a proof may be a few seconds early: smaller differences are noise.
const SKEW_MS = 3000;
// Before each further try, spread by half in both directions; a longer wait of the platform's own is not kept.
const PAUSES_S = [0.2, 1];
const LONGEST_PAUSE_S = 30;
const SPREAD_S = 0.5;

export class PhoneAPI {
  #reach;
  #fetch;
  #clock;
  #pause;
  #skewMs = 0;

  /** @param {Reach} reach */
  constructor(reach) {
    this.#reach = reach;
    this.#fetch = reach.fetch ?? globalThis.fetch.bind(globalThis);
    this.#clock = reach.clock ?? (() => Date.now());
    this.#pause = reach.pause ?? pause;
    this.lang = reach.lang;
    this.aheadS = reach.aheadS;
  }

  /** @returns {Date} the platform's time, as far as its answers have told it */
  now() {
    return new Date(this.#clock() + this.aheadS * 1000);
  }

  /**
   * @param {string} path with its query
   * @param {{ waitS?: number, signal?: AbortSignal | undefined }} [how]
   * @returns {Promise<Answer>}
   * @throws {CallRefused}
   * @throws {PlatformUnreachable} also after repeating
   * @throws {AnswerMalformed}
   */
  async get(path, { waitS = 0, signal } = {}) {
    const query = waitS > 0 ? `${path.includes("?") ? "&" : "?"}wait=${waitS}` : "";
    const call = { method: "GET", path: path + query, waitS, ...(signal ? { signal } : {}) };
    return objectOf(await this.#repeated(call));
  }

  /**
   * @param {string} path
   * @param {object | string} body members, or the very text
   * @param {{ again?: boolean }} [how] `again`: the platform recognises the same bytes, so a lost answer may be asked
   *   for again
   * @returns {Promise<Answer>} {} for an answer without a body
   */
  async post(path, body, { again = false } = {}) {
    const call = { method: "POST", path, body: typeof body === "string" ? body : JSON.stringify(body) };
    return objectOf((await (again ? this.#repeated(call) : this.#call(call))) ?? {});
  }

  /** The same again changes nothing, so a lost answer is asked for again. @param {string} path @param {object} body */
  async put(path, body) {
    await this.#repeated({ method: "PUT", path, body: JSON.stringify(body) });
  }

  /** @param {string} path */
  async delete(path) {
    await this.#repeated({ method: "DELETE", path });
  }

  /**
   * @param {string} path
   * @param {{ headers?: Record<string, string>, signal?: AbortSignal }} how
   * @returns {Promise<Response>} of status 2xx, its body unread
   */
  async stream(path, how) {
    const response = await this.#proved({ method: "GET", path, ...how }, (call) => this.#send(call));
    return response;
  }

  /**
   * | what came | the request may arrive twice |
   * |---|---|
   * | no answer, or status 5xx | again |
   * | status 429 that says when | again: nothing was done |
   * | anything else | no: the answer would be the same |
   *
   * @param {Call} call
   * @returns {Promise<unknown>}
   */
  async #repeated(call) {
    for (const pauseS of PAUSES_S) {
      try {
        return await this.#call(call);
      } catch (error) {
        const waitS = pauseAfter(error, pauseS);
        if (waitS === null) {
          throw error;
        }
        await this.#pause(waitS * 1000);
      }
    }
    return this.#call(call);
  }

  /** @param {Call} call @returns {Promise<unknown>} the JSON of the answer, or null for none */
  async #call(call) {
    return this.#proved(call, async (each) => {
      const limit = timer(((each.waitS ?? 0) + TIMEOUT_S) * 1000, each.signal);
      try {
        return await Promise.race([this.#exchange({ ...each, signal: limit.signal }), limit.over]);
      } finally {
        limit.clear();
      }
    });
  }

  /** @param {Call} call */
  async #exchange(call) {
    const response = await this.#send(call);
    if (response.status === 204) {
      return null;
    }
    const answer = readJSON(await reading(response, call.signal));
    if (typeof answer === "object" && answer !== null && "now" in answer) {
      this.#learnTime(answer.now);
    }
    return answer;
  }

  /**
   * Send, and once more with the right time when the proof was refused and this machine's clock is to blame: a refused
   * proof has done nothing.
   *
   * @template T
   * @param {Call} call
   * @param {(call: Call) => Promise<T>} send
   * @returns {Promise<T>}
   */
  async #proved(call, send) {
    const skewMs = this.#skewMs;
    try {
      return await send(call);
    } catch (error) {
      const isLate = error instanceof CallRefused && error.code === PROOF_REFUSED;
      if (!isLate || this.#skewMs === skewMs) {
        throw error;
      }
      return send(call);
    }
  }

  /** @param {Call} call @returns {Promise<Response>} */
  async #send({ method, path, body, headers = {}, signal }) {
    const url = this.#reach.platform + path;
    const atS = (this.#clock() + this.#skewMs) / 1000;
    const dpop = await proof(this.#reach.channel, { method, url, atS });
    /** @type {Record<string, string>} */
    const typed = body === undefined ? {} : { "content-type": "application/json" };
    /** @type {RequestInit} */
    const request = {
      method,
      headers: { ...headers, ...typed, dpop, "accept-language": this.lang },
      mode: "cors",
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      body: body ?? null,
      signal: signal ?? null,
    };
    const response = await reached(this.#fetch(url, request), signal);
    this.#learnSkew(response.headers.get("date"));
    if (!response.ok) {
      throw new CallRefused(problemOf(response, await reading(response, signal)));
    }
    return response;
  }

  /** @param {unknown} told */
  #learnTime(told) {
    const at = Date.parse(String(told));
    if (!Number.isNaN(at)) {
      this.aheadS = Math.round((at - this.#clock()) / 1000);
    }
  }

  /** @param {string | null} told */
  #learnSkew(told) {
    const difference = told === null ? Number.NaN : Date.parse(told) - this.#clock();
    if (Number.isNaN(difference)) {
      return;
    }
    this.#skewMs = Math.abs(difference) > SKEW_MS ? difference : 0;
  }
}

/**
 * @param {unknown} error
 * @param {number} pauseS
 * @returns {number | null} how long to wait, or null when the next try is not worth it
 */
function pauseAfter(error, pauseS) {
  if (error instanceof PlatformUnreachable) {
    return pauseS * (0.5 + Math.random());
  }
  if (!(error instanceof CallRefused) || (error.status < 500 && error.status !== 429)) {
    return null;
  }
  if (error.retryAfterS !== null) {
    return error.retryAfterS > LONGEST_PAUSE_S ? null : error.retryAfterS + SPREAD_S * Math.random();
  }
  return error.status === 429 ? null : pauseS * (0.5 + Math.random());
}

/**
 * A promise that gives up after a while, or when the caller does: every awaited promise of a browser may never settle.
 *
 * @param {number} ms
 * @param {AbortSignal | undefined} outer
 */
function timer(ms, outer) {
  const controller = new AbortController();
  /** @type {(reason: unknown) => void} */
  let reject = () => {};
  /** @type {Promise<never>} */
  const over = new Promise((_, fail) => {
    reject = fail;
  });
  over.catch(() => {});
  const handle = setTimeout(() => {
    reject(new PlatformTimeout());
    controller.abort();
  }, ms);
  const leave = () => {
    reject(outer?.reason);
    controller.abort(outer?.reason);
  };
  outer?.addEventListener("abort", leave, { once: true });
  if (outer?.aborted) {
    leave();
  }
  const clear = () => {
    clearTimeout(handle);
    outer?.removeEventListener("abort", leave);
  };
  return { signal: controller.signal, over, clear };
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
async function reached(promise, signal) {
  try {
    return await promise;
  } catch (error) {
    throw signal?.aborted ? error : new PlatformUnreachable(String(error));
  }
}

/** @param {Response} response @param {AbortSignal | undefined} signal */
async function reading(response, signal) {
  return reached(response.text(), signal);
}

/** @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
