// @ts-check
/** What runs beside the screens while the wallet is open: the live channel, the service worker's calls, the storage. */

import { Live } from "./live.js";
import { clearNotices, keepOn } from "./push.js";
import { language } from "./texts.js";

/** @typedef {import("./phone.js").Phone} Phone */

/**
 * Begin. A screen that ends a binding or makes one says so by the event `inkan-bound`.
 *
 * @param {Phone} phone
 */
export function attend(phone) {
  const live = new Live(phone);
  const turn = () => {
    live.turn();
    if (document.visibilityState === "visible") {
      void quietly(clearNotices());
    }
    tellWorker();
  };
  document.addEventListener("visibilitychange", turn);
  addEventListener("online", turn);
  addEventListener("inkan-bound", () => {
    live.turn();
    void quietly(keepStorage());
  });
  navigator.serviceWorker?.addEventListener("controllerchange", tellWorker);
  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data === "waiting") {
      dispatchEvent(new Event("inkan-waiting"));
    } else if (data === "resubscribe" && phone.bound !== null) {
      void quietly(keepOn(phone));
    }
  });
  turn();
  if (phone.bound !== null) {
    void quietly(keepOn(phone));
  }
}

/** The worker speaks when nobody else does: it has to know in which language. */
function tellWorker() {
  navigator.serviceWorker?.controller?.postMessage({ language: language() });
}

/** Keys are kept now: the browser may be asked not to clear them away by itself. */
async function keepStorage() {
  await navigator.storage?.persist?.();
}

/** None of this may stop the wallet: the code on the screen always works. @param {Promise<unknown>} attempt */
async function quietly(attempt) {
  try {
    await attempt;
  } catch (error) {
    console.info("beside the screens:", error);
  }
}
