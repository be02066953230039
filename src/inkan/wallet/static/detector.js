// @ts-check
/** QR codes in a picture: by the browser where it can, else by the reader that the wallet brings, in a worker. */

import { DeviceFault, timed } from "./timed.js";
import { scriptURL } from "./trusted.js";

/**
 * @typedef {object} Detector
 * @property {"browser" | "reader"} kind
 * @property {(video: HTMLVideoElement) => Promise<string[]>} look the texts of the codes in the present picture
 * @property {() => void} close
 */

/** @typedef {{ detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]> }} Native */
/** @typedef {{ new (options: { formats: string[] }): Native, getSupportedFormats: () => Promise<string[]> }} NativeClass */

const FORMATS_MS = 2_000;
const LOOK_MS = 4_000;
const START_MS = 20_000; // 0.4 MB over a slow network
const LONGEST_SIDE = 1280;

/**
 * @param {import("./settings.js").Settings["reader"]} reader
 * @returns {Promise<Detector>}
 * @throws {DeviceFault} reader_none: neither is there; reader_failed: the wallet's own did not start
 */
export async function openDetector(reader) {
  const native = await findNative();
  if (native !== null) {
    return native;
  }
  if (reader === null || typeof Worker === "undefined" || typeof WebAssembly === "undefined") {
    throw new DeviceFault("reader_none");
  }
  return Reader.open(reader);
}

/** @returns {Promise<Detector | null>} */
async function findNative() {
  const found = /** @type {{ BarcodeDetector?: NativeClass }} */ (/** @type {unknown} */ (globalThis)).BarcodeDetector;
  if (found === undefined) {
    return null;
  }
  try {
    // The class may be there and its service not (wallet.md §4).
    const formats = await timed(found.getSupportedFormats(), FORMATS_MS, "reader_failed");
    if (!formats.includes("qr_code")) {
      return null;
    }
    const detector = new found({ formats: ["qr_code"] });
    return {
      kind: "browser",
      look: async (video) => (await timed(detector.detect(video), LOOK_MS, "reader_failed")).map((each) => each.rawValue),
      close: () => {},
    };
  } catch {
    return null;
  }
}

/** The wallet's own reader; one picture at a time. */
class Reader {
  /** @type {"reader"} */
  kind = "reader";
  #worker;
  #canvas = document.createElement("canvas");
  #count = 0;

  /** @param {Worker} worker */
  constructor(worker) {
    this.#worker = worker;
  }

  /**
   * @param {{ script: string, wasm: string }} reader
   * @returns {Promise<Reader>}
   */
  static async open({ script, wasm }) {
    const worker = new Worker(scriptURL(script), { type: "module", name: "reader" });
    try {
      await timed(answer(worker, { wasm }, (told) => told.ready === true), START_MS, "reader_failed");
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return new Reader(worker);
  }

  /** @param {HTMLVideoElement} video @returns {Promise<string[]>} */
  async look(video) {
    const image = this.#draw(video);
    if (image === null) {
      return [];
    }
    const id = (this.#count += 1);
    const told = await timed(
      answer(this.#worker, { id, image }, (each) => each.id === id, [image.data.buffer]),
      LOOK_MS,
      "reader_failed",
    );
    return told.texts ?? [];
  }

  close() {
    this.#worker.terminate();
  }

  /** @param {HTMLVideoElement} video @returns {ImageData | null} null before the first picture */
  #draw(video) {
    const { videoWidth, videoHeight } = video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight, 1));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (width === 0 || height === 0) {
      return null;
    }
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) {
      throw new DeviceFault("reader_failed");
    }
    context.drawImage(video, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}

/** @typedef {{ ready?: boolean, id?: number | null, texts?: string[], fault?: string }} Told */

/**
 * Ask the worker and wait for the answer that fits.
 *
 * @param {Worker} worker
 * @param {unknown} question
 * @param {(told: Told) => boolean} fits
 * @param {Transferable[]} [moved]
 * @returns {Promise<Told>}
 */
async function answer(worker, question, fits, moved = []) {
  const listening = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const { signal } = listening;
      const hear = (/** @type {MessageEvent<Told>} */ { data }) => {
        if (data.fault !== undefined) {
          reject(new DeviceFault("reader_failed", data.fault));
        } else if (fits(data)) {
          resolve(data);
        }
      };
      worker.addEventListener("message", hear, { signal });
      worker.addEventListener("error", (event) => reject(new DeviceFault("reader_failed", event.message)), { signal });
      worker.postMessage(question, moved);
    });
  } finally {
    listening.abort();
  }
}
