// @ts-check
/** Every screen by its name: a new one is a row here. */

import { approve } from "./screen_approve.js";
import { binding, naming } from "./screen_binding.js";
import { code } from "./screen_code.js";
import { first, stranger, welcome } from "./screen_first.js";
import { home } from "./screen_home.js";
import { answered, opening } from "./screen_opening.js";
import { scanning } from "./screen_scan.js";

/** @type {Record<string, import("./router.js").Screen>} */
export const screens = { answered, approve, binding, code, first, home, naming, opening, scan: scanning, stranger, welcome };
