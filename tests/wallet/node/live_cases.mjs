/** The live channel and the messages without a browser: node's own test runner, the modules as they are. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.env.WALLET_MODULES}/${name}.js`).href);
const { Live } = await load("live");
const { serverEvents } = await load("live_stream");
const { timed } = await load("timed");

const LIMIT = { timeout: 5_000 };

function streamed(pieces, { isOpen = false, type = "text/event-stream" } = {}) {
  let cancelled = false;
  const body = new ReadableStream({
    start(controller) {
      pieces.forEach((each) => controller.enqueue(new TextEncoder().encode(each)));
      if (!isOpen) {
        controller.close();
      }
    },
    cancel() {
      cancelled = true;
    },
  });
  const response = new Response(body, { headers: { "content-type": type } });
  return Object.assign(response, { wasCancelled: () => cancelled });
}

async function all(response, quietMs = 1_000) {
  const found = [];
  for await (const each of serverEvents(response, quietMs)) {
    found.push(each);
  }
  return found;
}

test("events come out however the network cuts them", LIMIT, async () => {
  const text = 'retry: 2000\n\n: \n\nevent: waiting\ndata: {"approvals":["a"]}\n\nevent: news\r\ndata: one\r\ndata: two\r\n\r\ndata: ü\n\n';
  const wanted = [
    { name: "waiting", data: '{"approvals":["a"]}' },
    { name: "news", data: "one\ntwo" },
    { name: "message", data: "ü" },
  ];
  assert.deepEqual(await all(streamed([text])), wanted);
  assert.deepEqual(await all(streamed(text.replaceAll("\r\n", "\n").match(/[^]{1,3}/gu))), wanted);
});

test("what is no stream, and one that says nothing, is given up", LIMIT, async () => {
  await assert.rejects(all(streamed(["{}"], { type: "application/json" })), { code: "live_unreadable" });
  const silent = streamed([": \n\n"], { isOpen: true });
  await assert.rejects(all(silent, 20), { code: "live_silent" });
  assert.equal(silent.wasCancelled(), true);
  await assert.rejects(all(streamed(["x".repeat(70_000)])), { code: "live_unreadable" });
});

test("nothing is waited for without an end", LIMIT, async () => {
  await assert.rejects(timed(new Promise(() => {}), 10, "too_late"), { code: "too_late" });
  assert.equal(await timed(Promise.resolve(4), 10, "too_late"), 4);
});

/** A phone whose answers are the steps of a play; after the last one it hangs until it is hung up. */
class Play {
  bound = {};
  asked = [];
  told = [];
  pauses = [];

  constructor(steps) {
    this.steps = steps;
    this.over = new Promise((resolve) => (this.finish = resolve));
    this.live = new Live(this, {
      tell: (name) => this.told.push(name),
      pause: async (ms) => void this.pauses.push(ms),
      isSeen: () => this.isSeen ?? true,
    });
  }

  async #next(what, signal) {
    this.asked.push(what);
    const step = this.steps.shift();
    if (step === undefined) {
      this.finish();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    if (step instanceof Error) {
      throw step;
    }
    return step;
  }

  stream(path, { signal, headers }) {
    assert.equal(path, "/phone/v1/approvals/events");
    assert.equal(headers.accept, "text/event-stream");
    return this.#next("stream", signal);
  }

  waiting({ waitS, signal }) {
    assert.equal(waitS > 0, true);
    return this.#next("waiting", signal);
  }
}

const refused = (status, code = "x") => Object.assign(new Error(code), { status, code });

test("each hint of the stream becomes the page's own event", LIMIT, async () => {
  const play = new Play([streamed(["event: waiting\ndata: {}\n\nevent: news\ndata: {}\n\nevent: other\ndata: {}\n\n"])]);
  play.live.turn();
  await play.over;
  play.live.end();
  assert.deepEqual(play.told, ["inkan-waiting", "inkan-news"]);
});

test("pauses grow while the platform cannot be reached, and are short again after a word", LIMIT, async () => {
  const lost = () => Object.assign(new Error("lost"), { code: "platform_unreachable" });
  const play = new Play([lost(), lost(), lost(), lost(), streamed(["event: news\ndata: {}\n\n"]), lost()]);
  play.live.turn();
  await play.over;
  play.live.end();
  assert.deepEqual(play.asked.slice(0, 5), ["stream", "stream", "stream", "waiting", "stream"], "and asks in between");
  const grown = play.pauses.slice(0, 3);
  assert.deepEqual(grown, [...grown].sort((a, b) => a - b));
  assert.equal(grown[2] > 10_000, true);
  assert.equal(play.pauses[3] < 2_000, true);
});

test("a stream that ends at once and says nothing is not opened in a circle", LIMIT, async () => {
  const play = new Play([streamed([": \n\n"]), streamed([": \n\n"]), streamed([": \n\n"])]);
  play.live.turn();
  await play.over;
  play.live.end();
  assert.equal(play.pauses[2] > play.pauses[0], true);
});

for (const [why, fault] of [
  ["too many streams", refused(429)],
  ["a platform without streams", refused(404)],
]) {
  test(`where no stream comes through the wallet asks: ${why}`, LIMIT, async () => {
    const play = new Play([fault, [], [{ approval: "a" }], [{ approval: "a" }], []]);
    play.live.turn();
    await play.over;
    play.live.end();
    assert.deepEqual(play.asked.slice(0, 5), ["stream", "waiting", "waiting", "waiting", "waiting"]);
    assert.deepEqual(play.told, ["inkan-waiting", "inkan-waiting"], "what came, and that it went");
  });
}

test("a phone that is bound no more stops listening", LIMIT, async () => {
  const play = new Play([refused(401)]);
  play.live.turn();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(play.asked, ["stream"]);
});

test("nobody listens behind a page that is not seen, nor without a binding", LIMIT, async () => {
  const play = new Play([]);
  play.isSeen = false;
  play.live.turn();
  play.isSeen = true;
  play.bound = null;
  play.live.turn();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(play.asked, []);
  play.bound = {};
  play.live.turn();
  play.live.turn();
  await play.over;
  assert.deepEqual(play.asked, ["stream"], "one stream, however often it is told");
  play.isSeen = false;
  play.live.turn();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(play.asked, ["stream"], "hung up, not opened again");
});

// --- messages ------------------------------------------------------------------------------------------

const store = new Map();
let held = null;
let permission = "granted";

function subscription(endpoint, key) {
  return {
    endpoint,
    options: { applicationServerKey: key.buffer },
    toJSON: () => ({ endpoint }),
    unsubscribe: async () => {
      held = null;
    },
  };
}

globalThis.localStorage = { getItem: (name) => store.get(name) ?? null, setItem: (name, value) => void store.set(name, value) };
globalThis.PushManager = class {};
globalThis.Notification = class {
  static get permission() {
    return permission;
  }
  static requestPermission = async () => permission;
};
let made = 0;
const registration = {
  pushManager: {
    getSubscription: async () => held,
    subscribe: async ({ userVisibleOnly, applicationServerKey }) => {
      assert.equal(userVisibleOnly, true);
      held = subscription(`https://push.example/${(made += 1)}`, applicationServerKey);
      return held;
    },
  },
};
Object.defineProperty(globalThis, "navigator", {
  configurable: true,
  value: { languages: ["en"], serviceWorker: { ready: Promise.resolve(registration), getRegistration: async () => registration } },
});
const push = await load("push");

class Platform {
  key = new Uint8Array(65).fill(4);
  calls = [];
  pushKey = async () => this.key;
  subscribe = async (json) => void this.calls.push(json.endpoint);
  unsubscribe = async () => void this.calls.push(null);
}

beforeEach(() => {
  store.clear();
  held = null;
  made = 0;
  permission = "granted";
});

test("messages go on after a yes, and off again", LIMIT, async () => {
  const platform = new Platform();
  assert.equal(push.standing(), "off");
  await push.turnOn(platform);
  assert.equal(push.standing(), "on");
  await push.turnOff(platform);
  assert.equal(push.standing(), "off");
  assert.deepEqual(platform.calls, ["https://push.example/1", null]);
  assert.equal(held, null);
});

test("a no is taken as one, and nothing is told", LIMIT, async () => {
  permission = "denied";
  const platform = new Platform();
  await assert.rejects(push.turnOn(platform), { code: "push_denied" });
  assert.equal(push.standing(), "denied");
  assert.deepEqual(platform.calls, []);
});

test("a changed subscription or key is told at the next start, an unchanged one is not", LIMIT, async () => {
  const platform = new Platform();
  await push.turnOn(platform);
  await push.keepOn(platform);
  assert.deepEqual(platform.calls, ["https://push.example/1"], "known already");
  held = null;
  await push.keepOn(platform);
  assert.equal(platform.calls.at(-1), "https://push.example/2");
  platform.key = new Uint8Array(65).fill(5);
  store.set("inkan.push.told", `${held.endpoint} 0`);
  await push.keepOn(platform);
  assert.equal(platform.calls.at(-1), "https://push.example/3", "by the new key");
  await push.turnOff(platform);
  const count = platform.calls.length;
  await push.keepOn(platform);
  assert.equal(platform.calls.length, count, "off is off");
});
