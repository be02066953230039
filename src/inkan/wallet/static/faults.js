// @ts-check
/**
 * What went wrong, for people: what it was and what to do. The platform's refusals bring their own words in the
 * person's language; the wallet's own are rows of this table. What nobody foresaw is said to be unforeseen.
 */

import { h } from "./dom.js";
import { notice } from "./components.js";
import { t } from "./texts.js";

/** @type {Readonly<Record<string, (fault: any) => [string, string]>>} */
const OWN = {
  wallet_pausing: ({ seconds }) => [
    t("Too many failed tries"),
    t("Wait {seconds} seconds before the next one. You can refuse at any time.", { seconds }),
  ],
  platform_timeout: () => [
    t("The platform does not answer"),
    t("Whether it heard the request is not known. Try again: the same answer is never counted twice."),
  ],
  platform_unreachable: () => [
    t("The platform cannot be reached"),
    t("Check the network and try again: the same answer is never counted twice."),
  ],
  authenticator_user_not_verified: () => [
    t("You were not recognised"),
    t("Nothing was signed. Try again with fingerprint or face, or with the PIN of the screen lock."),
  ],
  phone_prf_unavailable: () => [
    t("This browser cannot protect the keys"),
    t("Its passkeys give no secret to wrap keys with. Use another browser or phone, or go to a counter."),
  ],
  activation_used: () => [
    t("This confirmation has been used"),
    t("An answer was lost on its way. Try again: you are asked once more."),
  ],
  phone_draft_refused: () => [
    t("The request does not fit this phone and is not shown"),
    t("Nothing was signed. If you began something yourself, begin again; if not, you need do nothing."),
  ],
  phone_enrolment_substituted: () => [
    t("The request does not belong to this phone"),
    t("Nothing was bound. Begin again at the enrolment page, and tell the operator if it happens again."),
  ],
  authenticator_credential_excluded: () => [
    t("This device has a passkey for the wallet already"),
    t("Remove the old one in the settings of the device, or use another phone."),
  ],
  client_enrolment_ended: () => [
    t("The binding has ended"),
    t("It was refused at the card, or its ten minutes are over. Begin again at the enrolment page."),
  ],
  phone_nothing_to_bind: () => [t("Nothing is being bound"), t("Scan the code of the enrolment page first.")],
  phone_approval_not_open: () => [
    t("This request is over"),
    t("It was answered, or its time has passed. Nothing more can be decided."),
  ],
  phone_key_not_unwrapped: () => [
    t("The passkey does not open the key"),
    t("Nothing was signed. Bind the phone anew with your card."),
  ],
  phone_renewal_substituted: () => [
    t("The renewal does not belong to this phone"),
    t("Nothing was signed. Tell the operator if it happens again."),
  ],
  phone_other_platform: () => [
    t("This wallet belongs to another platform"),
    t("Delete the data of this site in the browser to begin anew."),
  ],
  unsafe_text: () => [t("This name cannot be shown"), t("Use one line of at most 64 visible characters.")],
  answer_malformed: () => [
    t("The platform's answer cannot be read"),
    t("Nothing is taken as done. There may be a newer version of the wallet."),
  ],
  phone_certificate_not_ours: () => [
    t("The certificate does not belong to this phone"),
    t("It is not used. Tell the operator."),
  ],
  phone_not_bound: () => [t("This phone is not bound yet"), t("Bind it with your card first.")],
  phone_bound: () => [t("This phone is bound already"), t("To bind it anew, end the present binding first.")],
  qr_frame_malformed: () => [
    t("This code does not belong to the wallet"),
    t("Scan the code that the service or the enrolment page shows."),
  ],
  qr_frame_stale: () => [
    t("This code is no longer current"),
    t("The code changes every second. Scan it from the screen, not from a picture."),
  ],
  link_malformed: () => [t("This link does not belong to the wallet"), t("Go back to the service and begin again.")],
  phone_storage_unavailable: () => [
    t("This browser keeps nothing"),
    t("The wallet needs the browser's storage. Leave the private window, or allow storage for this site."),
  ],
  camera_denied: () => [
    t("The wallet may not use the camera"),
    t("Allow the camera for this site in the settings of the browser or the phone, then try again."),
  ],
  camera_none: () => [t("No camera was found"), t("Let the service send a message to this phone instead.")],
  camera_busy: () => [t("The camera is in use"), t("Close other programs that use the camera, then try again.")],
  camera_lost: () => [t("The camera has stopped"), t("Close other programs that use the camera, then try again.")],
  screen_gone: () => [t("No code is shown there now"), t("Copy the address anew from the page that shows the code.")],
  reader_none: () => [t("This browser cannot read codes"), t("Let the service send a message to this phone instead.")],
  reader_failed: () => [
    t("The reader of codes does not work"),
    t("Check the network and try again, or let the service send a message to this phone."),
  ],
  push_unsupported: () => [t("This browser shows no messages"), t("Requests wait in the open wallet, and codes can be scanned.")],
  push_denied: () => [
    t("Messages are not allowed"),
    t("Allow them for this site in the settings of the browser or the phone, then try again."),
  ],
  push_timeout: () => [
    t("The message service does not answer"),
    t("Messages are not on. Try again later; requests wait in the open wallet, and codes can be scanned."),
  ],
  push_failed: () => [
    t("Messages could not be turned on"),
    t("Try again later; requests wait in the open wallet, and codes can be scanned."),
  ],
  phone_passkeys_unavailable: () => [
    t("This browser has no passkeys"),
    t("Set up a screen lock, or use a browser that supports passkeys."),
  ],
};

/**
 * Title and advice.
 *
 * @param {unknown} error
 * @returns {[string, string]}
 */
export function explain(error) {
  const fault = /** @type {{ code?: string, text?: string | null, title?: string }} */ (error ?? {});
  const own = fault.code ? OWN[fault.code] : undefined;
  if (own) {
    return own(error);
  }
  if (fault.code && (fault.text || fault.title)) {
    return [fault.title ?? t("The platform refuses"), fault.text ?? ""];
  }
  return [t("Something went wrong that the wallet does not know"), t("Nothing is taken as done. Try again; if it happens again, tell the operator.")];
}

/**
 * @param {unknown} error
 * @returns {HTMLElement} announced when it appears
 */
export function faultNotice(error) {
  const [title, advice] = explain(error);
  const code = /** @type {{ code?: string }} */ (error ?? {}).code;
  const element = notice("problem", title, advice && h("p", {}, advice), code && h("p", { class: "small soft" }, code));
  element.setAttribute("role", "alert");
  return element;
}
