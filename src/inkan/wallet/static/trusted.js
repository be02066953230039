// @ts-check
/** The one Trusted Types policy: it lets exactly these programs be started as workers, and makes no markup. */

const ADMITTED = [/^\/sw\.js$/, /^\/reader\/[\w.-]+\.js$/];

/** @param {string} path @returns {string} */
function admit(path) {
  if (ADMITTED.some((each) => each.test(path))) {
    return path;
  }
  throw new TypeError(`no program of the wallet: ${path}`);
}

/** @typedef {{ createPolicy: (name: string, rules: { createScriptURL: (path: string) => string }) => { createScriptURL: (path: string) => string } }} Factory */

const factory = /** @type {{ trustedTypes?: Factory }} */ (/** @type {unknown} */ (globalThis)).trustedTypes;
const policy = factory?.createPolicy("inkan-wallet", { createScriptURL: admit });

/**
 * The address of a worker's program.
 *
 * @param {string} path
 * @returns {string}
 */
export function scriptURL(path) {
  return policy ? policy.createScriptURL(path) : admit(path);
}
