// @ts-check
/** Browsers have promises that never settle; nothing here waits for one without an end. */

/** Something of this device or browser did not work; `code` finds its words in `faults.js`. */
export class DeviceFault extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(cause === undefined ? code : `${code}: ${String(cause)}`);
    this.name = "DeviceFault";
    this.code = code;
  }
}

/**
 * What a promise comes to, or a fault when it takes longer.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} code of the fault
 * @returns {Promise<T>}
 */
export async function timed(promise, ms, code) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const end = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DeviceFault(code)), ms);
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (end)]);
  } finally {
    clearTimeout(timer);
  }
}
