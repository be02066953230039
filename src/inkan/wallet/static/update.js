// @ts-check
/** The service worker, from the page's side: registered once, and a new version is taken when the person says so. */

import { scriptURL } from "./trusted.js";

const LOOK_AGAIN_MS = 3_600_000;

/**
 * Keep the wallet for when there is no network.
 *
 * @param {(take: () => void) => void} tell called once when a new version waits; `take` changes to it
 */
export async function keepOffline(tell) {
  if (!("serviceWorker" in navigator)) {
    return;
  }
  const registration = await navigator.serviceWorker.register(scriptURL("/sw.js"), { updateViaCache: "none" });
  let isTold = false;
  const offer = () => {
    // The first one controls nothing yet: there is no older version to change from.
    if (registration.waiting && navigator.serviceWorker.controller && !isTold) {
      isTold = true;
      tell(() => take(registration));
    }
  };
  offer();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  lookAgain(registration);
}

/** A wallet that stays open for days hears of new versions too. @param {ServiceWorkerRegistration} registration */
function lookAgain(registration) {
  let looked = performance.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && performance.now() - looked > LOOK_AGAIN_MS) {
      looked = performance.now();
      registration.update().catch(() => {}); // no network: the next time
    }
  });
}

/** @param {ServiceWorkerRegistration} registration */
function take(registration) {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  // The version that waits now, which may be a later one than was told of.
  registration.waiting?.postMessage("take over");
}
