// @ts-check
/**
 * The service worker: keeps the wallet's files, so that it starts without a network, takes a new version only as a
 * whole, and shows that something waits. What the platform says is never kept here. `self.SHELL` is put in front by
 * the server.
 */

/**
 * @typedef {object} ShellFiles
 * @property {string} version
 * @property {string} page
 * @property {string[]} addresses paths of the wallet's page; every other navigation goes to the server
 * @property {{ url: string, integrity: string }[]} files
 * @property {string[]} later files that are kept when they were used once: the reader of codes
 * @property {Record<string, string>} notice what a notification says, by language
 * @property {string} icon
 */

const scope = /** @type {any} */ (self);
const shell = /** @type {ShellFiles} */ (scope.SHELL);
const CACHE = `inkan-wallet-${shell.version}`;
// These outlive a version: a reader that did not change is not fetched again.
const LATER = "inkan-later";
const TOLD = "inkan-told";
const LANGUAGE = "/told/language";
const TAG = "inkan-waiting";

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([
    // The page itself comes from the network: another copy might belong to an older version.
    new Request(shell.page, { cache: "reload" }),
    ...shell.files.map(({ url, integrity }) => new Request(url, { integrity })),
  ]);
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("inkan-wallet-") && name !== CACHE).map((name) => caches.delete(name)));
  const later = await caches.open(LATER);
  const kept = await later.keys();
  await Promise.all(kept.filter(({ url }) => !shell.later.includes(new URL(url).pathname)).map((each) => later.delete(each)));
  await scope.clients.claim();
}

/**
 * @param {Request} request
 * @returns {[cache: string, path: string] | null} which kept file answers, if any
 */
function keptFor(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) {
    return null;
  }
  if (request.mode === "navigate") {
    return shell.addresses.includes(url.pathname) ? [CACHE, shell.page] : null;
  }
  if (shell.later.includes(url.pathname)) {
    return [LATER, url.pathname];
  }
  return shell.files.some((file) => file.url === url.pathname) ? [CACHE, url.pathname] : null;
}

/** @param {string} name @param {string} path @param {Request} request */
async function answer(name, path, request) {
  const cache = await caches.open(name);
  const kept = await cache.match(path, { ignoreVary: true });
  if (kept !== undefined || name !== LATER) {
    return kept ?? fetch(request);
  }
  const fresh = await fetch(request);
  if (fresh.ok) {
    await cache.put(path, fresh.clone());
  }
  return fresh;
}

/** The language that the wallet spoke last; the browser's before that. */
async function language() {
  const told = await (await caches.open(TOLD)).match(LANGUAGE);
  if (told !== undefined) {
    return told.text();
  }
  const wanted = navigator.languages.map((tag) => tag.split("-")[0]);
  return Object.keys(shell.notice).find((each) => wanted[0] === each.split("-")[0]) ?? "en";
}

/** Whatever the message holds: say only that something waits; the wallet asks for the rest with the phone's key. */
async function wake() {
  const windows = await scope.clients.matchAll({ type: "window" });
  for (const each of windows) {
    each.postMessage("waiting");
  }
  // Shown even while the wallet is seen, then without a sound: browsers take the right away from whoever shows nothing.
  const silent = windows.some((/** @type {any} */ each) => each.visibilityState === "visible");
  const spoken = await language();
  await scope.registration.showNotification(shell.notice[spoken] ?? shell.notice["en"], { tag: TAG, icon: shell.icon, lang: spoken, silent });
}

/** To the wallet, wherever it is open. */
async function show() {
  const [open] = await scope.clients.matchAll({ type: "window" });
  if (open === undefined) {
    await scope.clients.openWindow(shell.page);
  } else {
    open.postMessage("waiting");
    await open.focus();
  }
}

scope.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forgetOthers()));
scope.addEventListener("fetch", (/** @type {any} */ event) => {
  const kept = keptFor(event.request);
  if (kept !== null) {
    event.respondWith(answer(...kept, event.request));
  }
});
scope.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(wake()));
scope.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(show());
});
scope.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) => {
  // Only the page holds the phone's key: it tells the platform now, or at its next start.
  event.waitUntil(scope.clients.matchAll({ type: "window" }).then((/** @type {any[]} */ open) => open.forEach((each) => each.postMessage("resubscribe"))));
});
scope.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data === "take over") {
    scope.skipWaiting();
  } else if (typeof event.data?.language === "string" && event.data.language in shell.notice) {
    event.waitUntil(caches.open(TOLD).then((cache) => cache.put(LANGUAGE, new Response(event.data.language))));
  }
});
