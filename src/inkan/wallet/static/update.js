// @ts-check
/** The service worker, from the page's side: registered once, and a new version is taken when the person says so. */

import { scriptURL } from "./trusted.js";

/**
 * Keep the wallet for when there is no network.
 *
 * @param {(take: () => void) => void} tell called when a new version waits; `take` changes to it
 */
export async function keepOffline(tell) {
  if (!("serviceWorker" in navigator)) {
    return;
  }
  const registration = await navigator.serviceWorker.register(scriptURL("/sw.js"), { updateViaCache: "none" });
  const offer = () => {
    // The first one controls nothing yet: there is no older version to change from.
    if (registration.waiting && navigator.serviceWorker.controller) {
      tell(() => take(registration));
    }
  };
  offer();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
}

/** @param {ServiceWorkerRegistration} registration */
function take(registration) {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  registration.waiting?.postMessage("take over");
}
