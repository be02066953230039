// @ts-check
/**
 * The reader of codes, as a worker: pixels in, the texts of the QR codes in them out. It is built into one file, is
 * served beside its WebAssembly under a policy of its own, and fetches nothing else.
 */

import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

/** @typedef {{ wasm: string }} Begin where the WebAssembly is, a path of this origin */
/** @typedef {{ id: number, image: ImageData }} Look */

/** @type {import("zxing-wasm/reader").ReaderOptions} */
const OPTIONS = { formats: ["QRCode"], tryHarder: true, tryRotate: true, tryInvert: true, maxNumberOfSymbols: 4 };

/** @param {Begin} told */
async function begin({ wasm }) {
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  postMessage({ ready: true });
}

/** @param {Look} told */
async function look({ id, image }) {
  const found = await readBarcodes(image, OPTIONS);
  postMessage({ id, texts: found.filter((each) => each.isValid).map((each) => each.text) });
}

addEventListener("message", (/** @type {MessageEvent<Begin | Look>} */ { data }) => {
  const done = "wasm" in data ? begin(data) : look(data);
  done.catch((error) => postMessage({ id: "id" in data ? data.id : null, fault: String(error) }));
});
