// @ts-check
/**
 * The card agent as pages see it: a program beside the browser that speaks to the card in the reader.
 *
 *   import { connect } from "web/card_agent.js";
 *   const agent = await connect({ kind: "use" });
 *   const { cms } = await agent.call("sign", { content, content_type, key: "signature" });
 *   const stop = agent.watch(({ event, reader }) => …);
 *   agent.close();
 *
 * The way to the agent is the extension. A page that declares `<meta name="inkan-card-agent" content="http://127.0.0.1:…">`
 * has a second way: the loopback agent, with the secret that it showed when it was started. Everything that goes
 * wrong is a `CardAgentRefused` with the code that the error catalogue knows. The PIN never passes this page.
 */

/** @typedef {"use" | "manage"} Kind */
/** @typedef {{ address: string, secret: string }} Loopback */
/** @typedef {{ event: "inserted" | "removed", reader: string }} CardEvent */
/** @typedef {{ id: number, answer?: any, refusal?: { code: string, facts: Record<string, any> } }} Answer */
/**
 * @typedef {object} Agent
 * @property {(command: string, members?: Record<string, unknown>) => Promise<any>} call
 * @property {(listener: (event: CardEvent) => void) => () => void} watch
 * @property {() => void} close
 */

const GREETING = "inkan-card-agent";
const PRESENT_MS = 1500;
const HELLO_MS = 15000;
const LOOK_MS = 300;
const SECRET_KEY = "inkan-card-agent";
const MISSING = "card_agent_missing";
const UNPAIRED = "card_agent_unpaired";

/** What an agent refused, or that there is none. */
export class CardAgentRefused extends Error {
  /**
   * @param {string} code
   * @param {Record<string, any>} [facts]
   */
  constructor(code, facts = {}) {
    super(code);
    this.code = code;
    this.facts = facts;
  }
}

/**
 * Find the agent: the extension first, then the loopback agent where the page or the caller names one. A loopback agent
 * whose secret is not known yet is asked only with `isAsked`, when somebody wants it now: what is not there is then
 * missing instead of unpaired, and the browser's console says that nobody answered.
 *
 * @param {{ kind: Kind, loopback?: Loopback, isAsked?: boolean }} wanted
 * @returns {Promise<Agent>}
 */
export async function connect({ kind, loopback, isAsked = false }) {
  if (loopback) {
    return overLoopback(loopback);
  }
  try {
    return await overExtension(kind);
  } catch (error) {
    const address = declared();
    if (!(error instanceof CardAgentRefused && error.code === MISSING) || !address) {
      throw error;
    }
    const secret = sessionStorage.getItem(SECRET_KEY) ?? "";
    if (!secret && !isAsked) {
      throw new CardAgentRefused(UNPAIRED);
    }
    return overLoopback({ address, secret });
  }
}

/**
 * Keep the secret that the person typed, for this tab and until it is closed.
 *
 * @param {string} secret
 */
export function pair(secret) {
  sessionStorage.setItem(SECRET_KEY, secret.trim());
}

/** @returns {string} where the loopback agent may be, empty when the page names none */
function declared() {
  const meta = document.querySelector('meta[name="inkan-card-agent"]');
  return meta instanceof HTMLMetaElement ? meta.content : "";
}

// --- by the extension --------------------------------------------------------------------------------------

/**
 * @param {Kind} kind
 * @returns {Promise<Agent>}
 */
async function overExtension(kind) {
  const { port1: port, port2: theirs } = new MessageChannel();
  const line = new Line(port);
  port.start();
  // Only a content script of the extension listens for this greeting; the port is then its alone.
  window.postMessage({ [GREETING]: kind }, location.origin, [theirs]);
  try {
    await line.present(PRESENT_MS);
    await line.call("hello", {}, HELLO_MS);
  } catch (error) {
    line.close();
    throw error;
  }
  return { call: (command, members) => line.call(command, members), watch: (told) => line.watch(told), close: () => line.close() };
}

/** One port to the extension: answers find their calls by number, events go to whoever watches. */
class Line {
  /** @param {MessagePort} port */
  constructor(port) {
    this.port = port;
    this.last = 0;
    this.isOver = false;
    /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    /** @type {Set<(event: CardEvent) => void>} */
    this.watchers = new Set();
    /** @type {() => void} */
    this.arrived = () => {};
    this.isPresent = new Promise((resolve) => {
      this.arrived = () => resolve(true);
    });
    port.addEventListener("message", ({ data }) => this.hear(data));
  }

  /**
   * @param {number} patience in milliseconds
   * @returns {Promise<void>}
   */
  async present(patience) {
    const timer = new Promise((_, reject) => {
      setTimeout(() => reject(new CardAgentRefused(MISSING)), patience);
    });
    await Promise.race([this.isPresent, timer]);
  }

  /** @param {any} message */
  hear(message) {
    if (message?.present) {
      this.arrived();
    } else if (message?.gone) {
      this.end(message.gone);
    } else if (message?.event) {
      this.tell(message);
    } else {
      this.settle(message);
    }
  }

  /** @param {Answer} message */
  settle({ id, answer, refusal }) {
    if (id === 0 && refusal) {
      // It could not be read whose it is: it concerns all.
      this.end(refusal.code);
      return;
    }
    const call = this.waiting.get(id);
    this.waiting.delete(id);
    if (refusal) {
      call?.reject(new CardAgentRefused(refusal.code, refusal.facts));
    } else {
      call?.resolve(answer);
    }
  }

  /**
   * @param {string} command
   * @param {Record<string, unknown>} [members]
   * @param {number} [patience] in milliseconds; without it a person decides how long it takes
   * @returns {Promise<any>}
   */
  call(command, members = {}, patience = 0) {
    if (this.isOver) {
      return Promise.reject(new CardAgentRefused(MISSING));
    }
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.port.postMessage({ ...members, id, command });
      if (patience) {
        setTimeout(() => this.settle({ id, refusal: { code: MISSING, facts: {} } }), patience);
      }
    });
  }

  /**
   * @param {(event: CardEvent) => void} listener
   * @returns {() => void}
   */
  watch(listener) {
    this.watchers.add(listener);
    if (this.watchers.size === 1) {
      // Without readers there is nothing to watch; the next call says why.
      this.call("watch").catch(() => {});
    }
    return () => this.watchers.delete(listener);
  }

  /** @param {CardEvent} event */
  tell({ event, reader }) {
    for (const listener of this.watchers) {
      listener({ event, reader });
    }
  }

  /** @param {string} code why no answer will come any more */
  end(code) {
    this.isOver = true;
    for (const { reject } of this.waiting.values()) {
      reject(new CardAgentRefused(code));
    }
    this.waiting.clear();
    this.port.close();
  }

  close() {
    if (!this.isOver) {
      this.port.postMessage({ close: true });
      this.end(MISSING);
    }
  }
}

// --- by loopback -------------------------------------------------------------------------------------------

/**
 * @param {Loopback} loopback
 * @returns {Promise<Agent>}
 */
async function overLoopback({ address, secret }) {
  let last = 0;
  /** @type {Set<ReturnType<typeof setInterval>>} */
  const looks = new Set();

  /**
   * @param {string} command
   * @param {Record<string, unknown>} [members]
   */
  async function call(command, members = {}) {
    last += 1;
    const { answer, refusal } = await post(address, secret, { ...members, id: last, command });
    if (refusal) {
      throw new CardAgentRefused(refusal.code, refusal.facts);
    }
    return answer;
  }

  await call("hello");
  return {
    call,
    // Nothing is pushed over loopback: the page looks again and again.
    watch: (listener) => {
      const timer = setInterval(look(call, listener), LOOK_MS);
      looks.add(timer);
      return () => clearInterval(timer);
    },
    close: () => looks.forEach((timer) => clearInterval(timer)),
  };
}

/**
 * @param {string} address
 * @param {string} secret
 * @param {object} request
 * @returns {Promise<Answer>}
 */
async function post(address, secret, request) {
  try {
    const reply = await fetch(`${address}/v1`, {
      method: "POST",
      body: JSON.stringify(request),
      headers: { "content-type": "application/json", authorization: `Inkan-Card-Agent ${secret}` },
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
    });
    return await reply.json();
  } catch {
    throw new CardAgentRefused(MISSING);
  }
}

/**
 * @param {(command: string) => Promise<any>} call
 * @param {(event: CardEvent) => void} listener
 * @returns {() => Promise<void>} one look, which tells what changed since the last
 */
function look(call, listener) {
  /** @type {Map<string, boolean> | null} */
  let before = null;
  return async () => {
    /** @type {{ name: string, has_card: boolean }[]} */
    const readers = await call("status").then((status) => status.readers, () => []);
    const now = new Map(readers.map(({ name, has_card }) => [name, has_card]));
    for (const reader of new Set([...(before?.keys() ?? []), ...now.keys()])) {
      const [had, has] = [before?.get(reader) ?? false, now.get(reader) ?? false];
      if (before && had !== has) {
        listener({ event: has ? "inserted" : "removed", reader });
      }
    }
    before = now;
  };
}
