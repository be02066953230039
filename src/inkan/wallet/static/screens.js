// @ts-check
/** Every screen by its name: a new one is a row here. */

import { approve } from "./screen_approve.js";
import { binding, naming } from "./screen_binding.js";
import { certificate, certificates } from "./screen_certificates.js";
import { code } from "./screen_code.js";
import { first, stranger, welcome } from "./screen_first.js";
import { browsers, consents } from "./screen_given.js";
import { help } from "./screen_help.js";
import { home } from "./screen_home.js";
import { kiosk, kioskKey } from "./screen_kiosk.js";
import { more } from "./screen_more.js";
import { announcement, news } from "./screen_news.js";
import { answered, opening } from "./screen_opening.js";
import { scanning } from "./screen_scan.js";
import { ending, freezing, phones } from "./screen_phones.js";
import { privacy } from "./screen_privacy.js";
import { record } from "./screen_record.js";
import { records } from "./screen_records.js";
import { renewal } from "./screen_renewal.js";
import { deleting, settings } from "./screen_settings.js";

/** @type {Record<string, import("./router.js").Screen>} */
export const screens = {
  ...{ announcement, answered, approve, binding, browsers, certificate, certificates, code, consents, deleting },
  ...{ ending, first, freezing, help, home, kiosk, kioskKey, more, naming, news, opening, phones, privacy, record, records, renewal },
  ...{ scan: scanning, settings, stranger, welcome },
};
