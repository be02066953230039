// @ts-check
/** The wallet starts: words, keys, the screen that the address asks for, and the files for when there is no network. */

import { readArrival } from "./arrival.js";
import { attend } from "./attend.js";
import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, notice } from "./components.js";
import { Phone } from "./phone.js";
import { askPracticePIN } from "./practice_lock.js";
import { PracticePasskeys } from "./practice_passkeys.js";
import { isFirstStart, isPractising, readLanguage } from "./preferences.js";
import { Router, riskNotice } from "./router.js";
import { screens } from "./screens.js";
import { readSettings } from "./settings.js";
import { speak, t } from "./texts.js";
import { keepOffline } from "./update.js";

/** @typedef {import("./arrival.js").Arrival} Arrival */

async function start() {
  const settings = readSettings();
  const language = readLanguage();
  await speak(language, settings.texts);
  const arrival = readArrival(location);
  if (arrival !== null) {
    history.replaceState(null, "", "/"); // the code is out of the address before anything else runs
  }
  const phone = await Phone.open({
    platform: settings.platform,
    walletOrigin: settings.wallet,
    lang: language,
    tables: settings.shown,
    allowPlain: settings.isTest,
    ...(settings.isTest && isPractising() ? { passkeys: new PracticePasskeys(askPracticePIN) } : {}),
  });
  const router = new Router(document.body, screens, { phone, settings });
  if (isFirstStart()) {
    await router.wallet.swap("first");
  } else {
    router.pin(riskNotice);
    await open(router, phone, arrival);
  }
  attend(phone);
  void keepOffline((take) => router.pin(() => updateNotice(take)));
}

/** @param {Router} router @param {Phone} phone @param {Arrival | null} arrival */
async function open(router, phone, arrival) {
  if (arrival !== null) {
    const isStranger = phone.bound === null && arrival.screen !== "welcome";
    await router.wallet.swap(isStranger ? "stranger" : arrival.screen, arrival.told);
  } else if (history.state === null) {
    await router.wallet.swap(phone.bound === null ? "welcome" : "home");
  } else {
    await router.refresh();
  }
}

/** @param {() => void} take */
function updateNotice(take) {
  const title = t("A new version of the wallet is here");
  const element = notice("info", title, button(t("Change to it"), take, { kind: "second" }));
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", title);
  return element;
}

start().catch((error) => {
  // Nothing has been drawn yet, or only in part: what is left is to say so.
  fill(document.body, h("main", { class: "page stack" }, h("h1", {}, t("The wallet cannot start")), faultNotice(error)));
  throw error;
});
