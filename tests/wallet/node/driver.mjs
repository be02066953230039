/**
 * The wallet's modules behind a pipe: one JSON object a line, in and out.
 *
 *   {"id": 1, "module": "jcs", "name": "canonical", "args": [{"a": 1}]}         calls an export
 *   {"id": 2, "open": "first", "database": "one", "options": {…}}               opens a phone in a memory of this process
 *   {"id": 3, "phone": "first", "name": "join", "args": ["…"]}                  calls a method, or reads a property
 *   {"id": 4, "both": ["first", "second"], "name": "prepare"}                    calls it on both at once
 *   {"id": 5, "stored": "one"}                                                   what lies in a memory
 *
 * Answers are {"id", "value"} or {"id", "error": {code, …}}; while a phone works, the other side is asked
 * {"ask": n, "what": "fetch" | "create" | "get" | "forget", …} and answers {"ask": n, "value" | "error"}. Bytes travel
 * as {"$bytes": base64url}.
 */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { MemoryDatabases } from "./indexed_db.mjs";
import { probes } from "./probes.mjs";

const [, , folder] = process.argv;
const module = (name) => import(pathToFileURL(`${folder}/${name}.js`).href);
const { Phone } = await module("phone");
const { BrowserVault } = await module("vault");
const { BrowserPasskeys } = await module("passkeys");

const databases = new Map();
const phones = new Map();
const asked = new Map();
let asks = 0;

function revive(value) {
  if (Array.isArray(value)) {
    return value.map(revive);
  }
  if (typeof value === "object" && value !== null) {
    return "$bytes" in value
      ? new Uint8Array(Buffer.from(value.$bytes, "base64url"))
      : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revive(member)]));
  }
  return value;
}

function plain(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const view = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
    return { $bytes: Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64url") };
  }
  if (value instanceof CryptoKey) {
    return { $key: value.algorithm.name, extractable: value.extractable, usages: value.usages };
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (value instanceof Map) {
    return plain(Object.fromEntries(value));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  }
  return value;
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function ask(what, message) {
  asks += 1;
  const number = asks;
  say({ ask: number, what, ...plain(message) });
  return new Promise((resolve, reject) => {
    asked.set(number, { resolve, reject });
  });
}

/** A refusal of the other side: a network that broke, or an authenticator's DOMException. */
function refusal({ name, message }) {
  return name === "TypeError" ? new TypeError(message) : new DOMException(message, name);
}

async function fetchThere(url, { method, headers, body }) {
  const answer = await ask("fetch", { url, method, headers, body });
  const empty = [204, 304].includes(answer.status);
  return new Response(empty ? null : answer.body, { status: answer.status, headers: answer.headers });
}

function credential({ rawId, response, extensions }) {
  const buffers = Object.fromEntries(Object.entries(response).map(([name, bytes]) => [name, bytes.buffer]));
  return { rawId: rawId.buffer, response: buffers, getClientExtensionResults: () => extensions };
}

const credentials = {
  create: async ({ publicKey }) => credential(await ask("create", { publicKey })),
  get: async ({ publicKey }) => credential(await ask("get", { publicKey })),
};

// WebAuthn §5.1.10: how a page says that nobody knows a passkey any more.
globalThis.PublicKeyCredential = {
  signalUnknownCredential: async ({ rpId, credentialId }) => ask("forget", { rpId, credentialId }),
};

async function open({ open: name, database, options, skewMs = 0 }) {
  const factory = databases.get(database) ?? new MemoryDatabases();
  databases.set(database, factory);
  const phone = await Phone.open({
    ...options,
    vault: await BrowserVault.open(factory),
    passkeys: new BrowserPasskeys(credentials),
    fetch: fetchThere,
    clock: () => Date.now() + skewMs,
    pause: async () => {},
  });
  phones.set(name, phone);
  return null;
}

async function use({ phone: name, name: verb, args }) {
  const phone = phones.get(name);
  if (typeof phone[verb] !== "function") {
    return phone[verb];
  }
  if (verb === "prepare" || verb === "renew") {
    const steps = [];
    const result = await phone[verb]({ onStep: (step) => steps.push(step) });
    return { result, steps };
  }
  return phone[verb](...revive(args));
}

/** Two tabs do the same at the same time. */
async function both({ both: names, name: verb }) {
  return Promise.all(names.map((name) => phones.get(name)[verb]()));
}

async function stored({ stored: database }) {
  const factory = databases.get(database);
  return new Promise((resolve) => {
    const opening = factory.open("inkan-phone");
    opening.onsuccess = () => {
      const store = opening.result.transaction("memory", "readonly").objectStore("memory");
      const names = store.getAllKeys();
      const values = store.getAll();
      values.onsuccess = () => resolve(Object.fromEntries(names.result.map((name, at) => [name, values.result[at]])));
    };
  });
}

const probing = probes({
  signer: await module("signer"),
  dpop: await module("dpop"),
  cms: await module("cms"),
  answers: await module("answers"),
  vault: { BrowserVault },
});

async function call({ module: file, name, args }) {
  const exported = file === "probes" ? probing : await module(file);
  return exported[name](...(name === "beginTwice" ? [new MemoryDatabases()] : revive(args)));
}

async function answer(message) {
  const [, act] = Object.entries({ open, phone: use, both, stored, module: call }).find(([name]) => name in message);
  try {
    say({ id: message.id, value: plain((await act(message)) ?? null) });
  } catch (error) {
    const { code = null, name, message: text, member, use: of, refusal: why, status, where } = error;
    say({ id: message.id, error: { code, name, message: text, member, use: of, refusal: why, status, where } });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const waiting = asked.get(message.ask);
  if (waiting === undefined) {
    void answer(message);
  } else if (message.error) {
    waiting.reject(refusal(message.error));
  } else {
    waiting.resolve(revive(message.value));
  }
});
say({ ready: true });
