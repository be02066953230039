// @ts-check
/**
 * The service worker: keeps the wallet's files, so that it starts without a network, and takes a new version only as
 * a whole. What the platform says is never kept here. `self.SHELL` is put in front by the server.
 */

/** @typedef {{ version: string, page: string, addresses: string[], files: { url: string, integrity: string }[] }} ShellFiles */

const scope = /** @type {any} */ (self);
const shell = /** @type {ShellFiles} */ (scope.SHELL);
const CACHE = `inkan-wallet-${shell.version}`;

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
  await scope.clients.claim();
}

/**
 * @param {Request} request
 * @returns {string | null} which kept file answers, if any
 */
function keptFor(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) {
    return null;
  }
  if (request.mode === "navigate") {
    return shell.addresses.includes(url.pathname) ? shell.page : null;
  }
  return shell.files.some((file) => file.url === url.pathname) ? url.pathname : null;
}

/** @param {string} path @param {Request} request */
async function answer(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request);
}

scope.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forgetOthers()));
scope.addEventListener("fetch", (/** @type {any} */ event) => {
  const path = keptFor(event.request);
  if (path !== null) {
    event.respondWith(answer(path, event.request));
  }
});
scope.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data === "take over") {
    scope.skipWaiting();
  }
});
