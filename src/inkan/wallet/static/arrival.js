// @ts-check
/**
 * What an address brings: a code or a link stands in its fragment and is taken out of the history at once. A code
 * that the phone's own camera brought only opens the scanner, since it may be a forwarded picture (design §5.4).
 */

/** @typedef {{ screen: string, told: Record<string, string> }} Arrival */

/** @type {Readonly<Record<string, (address: string) => Arrival>>} */
const PLACES = {
  "/q": () => ({ screen: "scan", told: { want: "session" } }),
  "/e": () => ({ screen: "welcome", told: {} }),
  "/l": (address) => ({ screen: "opening", told: { link: address } }),
};

/**
 * Where an address leads; null when it is the wallet's own.
 *
 * @param {Location | URL} location
 * @returns {Arrival | null}
 */
export function readArrival({ origin, pathname, hash }) {
  const place = PLACES[pathname];
  return place !== undefined && hash.length > 1 ? place(`${origin}${pathname}${hash}`) : null;
}

/** Which kind of code it is. @param {string} frame @param {string} walletOrigin @returns {"session" | "enrolment" | null} */
export function kindOfFrame(frame, walletOrigin) {
  if (frame.startsWith(`${walletOrigin}/q#`)) {
    return "session";
  }
  return frame.startsWith(`${walletOrigin}/e#`) ? "enrolment" : null;
}
