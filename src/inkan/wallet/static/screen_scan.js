// @ts-check
/**
 * Scanning: the camera looks for the code of a service or of the enrolment page. A code that is a second too old is
 * passed over, a foreign one is named as such, one of the other kind leads to its own screen.
 */

import { kindOfAddress } from "./arrival.js";
import { close, findTorch, hasScreens, openCamera, openScreen } from "./camera.js";
import { button, busy, field, notice, waiting } from "./components.js";
import { openDetector } from "./detector.js";
import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { scan } from "./scanner.js";
import { isScreen, readScreen } from "./screen_text.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {import("./detector.js").Detector} Detector */
/** @typedef {"session" | "enrolment"} Want */

const PICTURE_MS = 4_000; // a code of the wallet changes every second: one that does not is a picture of it

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told want, and where the keys of a binding are to be: `A` when left out
 * @returns {View}
 */
export function scanning(wallet, told) {
  const want = told.want === "enrolment" ? "enrolment" : "session";
  const desk = new ScanDesk(wallet, want, told.backEnd === "B" ? "B" : "A");
  queueMicrotask(() => void desk.look(openCamera));
  return {
    title: want === "enrolment" ? t("Scan the code of the enrolment page") : t("Scan the code"),
    nodes: [desk.place, desk.line, desk.ways],
    leave: () => desk.leave(),
  };
}

/** One visit of the screen: its picture, its line of words, and what a code leads to. */
class ScanDesk {
  place = h("div", { class: "stack" });
  line = h("p", { class: "wallet-hint", role: "status" });
  /** @type {AbortController | null} the present look, if any */
  #looking = null;
  /** @type {Detector | null} */
  #detector = null;
  /** @type {() => Promise<MediaStream>} */
  #open = openCamera;
  #isOver = false;
  #isResting = false;
  /** What was heard already, and since when it is known as too old; 0 otherwise. @type {Map<string, number>} */
  #heard = new Map();

  /** @param {Wallet} wallet @param {Want} want @param {"A" | "B"} backEnd */
  constructor(wallet, want, backEnd) {
    this.wallet = wallet;
    this.want = want;
    this.backEnd = backEnd;
    this.ways = otherWays(this, want);
    document.addEventListener("visibilitychange", this.#turn);
  }

  leave() {
    this.#isOver = true;
    this.#looking?.abort();
    this.#detector?.close();
    document.removeEventListener("visibilitychange", this.#turn);
  }

  /** The camera is off while nobody sees its picture; a window that was chosen is looked at from behind, too. */
  #turn = () => {
    if (this.#open !== openCamera) {
      return;
    }
    if (document.visibilityState === "hidden" && this.#looking?.signal.aborted === false) {
      this.#isResting = true;
      this.#looking.abort();
    } else if (document.visibilityState === "visible" && this.#isResting) {
      void this.look(openCamera);
    }
  };

  /**
   * Look through a camera until a code was taken, the person leaves, or it does not work.
   *
   * @param {() => Promise<MediaStream>} open
   */
  async look(open) {
    this.#looking?.abort();
    const looking = (this.#looking = new AbortController());
    this.#open = open;
    this.#isResting = false;
    this.#heard.clear();
    fill(this.place, waiting(open === openCamera ? t("The camera starts. Allow it when the browser asks…") : t("Choose the window that shows the code…")));
    fill(this.line);
    /** @type {MediaStream | null} */
    let stream = null;
    try {
      [stream, this.#detector] = await both(open(), this.#detector ?? openDetector(this.wallet.settings.reader));
      if (this.#isOver) {
        this.#detector.close();
      }
      if (!looking.signal.aborted && !this.#isOver) {
        const video = this.#draw(stream);
        await scan(video, stream, this.#detector, (text) => this.#hear(text, looking), looking.signal);
      }
    } catch (error) {
      if (!looking.signal.aborted && !this.#isOver) {
        this.#fail(error);
      }
    } finally {
      if (stream !== null) {
        close(stream);
      }
    }
  }

  /** @param {MediaStream} stream @returns {HTMLVideoElement} */
  #draw(stream) {
    const video = h("video", { class: "wallet-video", muted: true, playsinline: true, "aria-label": t("Picture of the camera") });
    video.muted = true; // the attribute alone counts only in parsed pages
    const torch = findTorch(stream);
    const light = h("button", { type: "button", class: "button button-quiet", "aria-pressed": "false" }, t("Light"));
    light.addEventListener("click", () => void busy(light, async () => {
      const isOn = light.getAttribute("aria-pressed") !== "true";
      await torch?.(isOn);
      light.setAttribute("aria-pressed", String(isOn));
    }));
    fill(this.place, h("div", { class: "wallet-camera" }, video), torch && light);
    this.say(this.want === "enrolment" ? t("Hold the code of the enrolment page inside the frame.") : t("Hold the code of the service inside the frame."));
    return video;
  }

  /** @param {string} text */
  say(text) {
    if (this.line.textContent !== text) {
      fill(this.line, text);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    fill(this.line);
    this.ways.open = true;
    fill(this.place, faultNotice(error), button(t("Try again"), () => this.look(this.#open), { kind: "second" }));
  }

  /** @param {string} text @param {AbortController} looking */
  async #hear(text, looking) {
    const since = this.#heard.get(text);
    if (since !== undefined) {
      if (since > 0 && performance.now() - since > PICTURE_MS) {
        this.say(t("The code changes every second. Scan it from the screen, not from a picture."));
      }
      return;
    }
    this.#heard.set(text, 0);
    const kind = kindOfAddress(text, this.wallet.settings.wallet);
    if (kind === null) {
      this.say(t("This is not a code of the wallet."));
    } else if (kind === "link") {
      looking.abort();
      await this.wallet.swap("opening", { link: text });
    } else if (kind === this.want) {
      await this.#take(text, looking);
    } else {
      looking.abort();
      fill(this.line);
      fill(this.place, ...otherKind(this, kind));
    }
  }

  /** A code of the right kind. @param {string} frame @param {AbortController} looking */
  async #take(frame, looking) {
    performance.mark("inkan-decoded");
    try {
      const next = await taken(this, this.want, frame);
      looking.abort();
      if (!this.#isOver) {
        await this.wallet.swap(next.name, next.told);
      }
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      if (code === "qr_frame_stale") {
        this.#heard.set(frame, performance.now()); // nothing was used up: the next second's code is on its way
      } else if (code === "qr_frame_malformed") {
        this.say(t("This is not a code of the wallet."));
      } else {
        throw error;
      }
    }
  }

  /** An address that was typed or pasted; where it is a screen's, what its code says now. @param {string} typed */
  async enter(typed) {
    const address = isScreen(typed, this.wallet.settings) ? await readScreen(typed) : typed;
    const kind = kindOfAddress(address, this.wallet.settings.wallet);
    if (kind === "link") {
      await this.wallet.swap("opening", { link: address });
    } else if (kind !== null && this.wallet.settings.isTest) {
      const next = await taken(this, kind, address);
      await this.wallet.swap(next.name, next.told);
    } else {
      throw Object.assign(new Error("link_malformed"), { code: "link_malformed" });
    }
  }
}

/**
 * Both at once; a stream that came is closed when the detector did not.
 *
 * @param {Promise<MediaStream>} opening
 * @param {Promise<Detector> | Detector} detecting
 * @returns {Promise<[MediaStream, Detector]>}
 */
async function both(opening, detecting) {
  const [stream, detector] = await Promise.allSettled([opening, detecting]);
  if (stream.status === "rejected") {
    throw stream.reason;
  }
  if (detector.status === "rejected") {
    close(stream.value);
    throw detector.reason;
  }
  return [stream.value, detector.value];
}

/**
 * @param {ScanDesk} desk
 * @param {Want} kind
 * @param {string} frame
 * @returns {Promise<{ name: string, told: Record<string, string> }>} the screen that follows
 */
async function taken({ wallet: { phone }, backEnd }, kind, frame) {
  if (kind === "session") {
    const held = await phone.openFrame(frame);
    return { name: "approve", told: { id: held.id } };
  }
  await phone.join(frame, { backEnd });
  return { name: "binding", told: {} };
}

/** A code of the wallet, and not the one that was asked for. @param {ScanDesk} desk @param {Want} kind */
function otherKind(desk, kind) {
  const { wallet } = desk;
  const isBound = wallet.phone.bound !== null;
  const again = button(t("Scan again"), () => desk.look(openCamera), { kind: "second" });
  if (kind === "session") {
    return isBound
      ? [notice("info", t("This code is for identifying yourself"), button(t("Scan it to identify yourself"), () => wallet.swap("scan", { want: "session" }))), again]
      : [notice("info", t("This code is for identifying yourself"), h("p", {}, t("Bind the phone first, with the code of the enrolment page."))), again];
  }
  return isBound
    ? [notice("info", t("This code is for binding a phone"), h("p", {}, t("This phone is bound already."))), again]
    : [notice("info", t("This code is for binding a phone"), button(t("Bind this phone"), () => wallet.swap("naming"))), again];
}

/** What to do without a camera. @param {ScanDesk} desk @param {Want} want @returns {HTMLDetailsElement} */
function otherWays(desk, want) {
  const isTest = desk.wallet.settings.isTest;
  return h(
    "details",
    { class: "wallet-ways" },
    h("summary", {}, t("It does not work with the camera")),
    h(
      "div",
      { class: "stack" },
      want === "session" && h("p", {}, t("Choose “message to the phone” at the service: the request then comes to this wallet by itself, and you type the code that the service shows.")),
      want === "enrolment" && !isTest && h("p", {}, t("The code of the enrolment page can only be scanned. Use a phone with a camera, or go to a counter.")),
      isTest && hasScreens() && button(t("Look at another window of this computer"), () => desk.look(openScreen), { kind: "second" }),
      (want === "session" || isTest) && addressForm(desk),
      isTest && h("p", { class: "small soft" }, t("In a test country it may also be the address that the page shows under “No camera”.")),
    ),
  );
}

/** @param {ScanDesk} desk @returns {HTMLElement} */
function addressForm(desk) {
  const fault = h("div", {});
  const input = h("input", { type: "text", inputmode: "url", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true });
  const send = h("button", { type: "submit", class: "button button-second" }, t("Open"));
  const form = h(
    "form",
    { class: "stack" },
    field("scan-address", t("Address of the wallet"), input, t("Only one that you copied yourself, from the service that you are using now.")),
    fault,
    send,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fill(fault);
    void busy(send, () => desk.enter(input.value.trim()).catch((error) => fill(fault, faultNotice(error))));
  });
  return form;
}
