// @ts-check
/**
 * Passkeys on a page: a form asks the platform for a challenge and the browser for the answer, and sends that as
 * one of its own fields. Nothing is kept here and nothing is put into the page but texts.
 *
 *   <form method="post" action="/somewhere" data-passkey="get|create" data-passkey-begin="/somewhere/begin">
 *     <input type="hidden" name="ceremony"> <input type="hidden" name="credential">
 *     <div data-passkey-notice="unsupported|cancelled|refused|failed" hidden>… <p data-passkey-text></p></div>
 *
 * A field with `data-fragment` takes the code that a link carries behind its `#`, where no server sees it.
 */

/** @typedef {{ type: "public-key", id: string }} Descriptor */
/** @typedef {{ id: string, options: Record<string, any> }} Ceremony */
/** @typedef {"unsupported" | "cancelled" | "refused" | "failed"} Outcome */

const CODE = /^[\w-]{43}$/;

/** The platform's refusal of a challenge, in the reader's language. */
class Refused extends Error {}

/**
 * @param {string} text base64url without padding
 * @returns {Uint8Array<ArrayBuffer>}
 */
function decode(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {string} base64url without padding
 */
function encode(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {Descriptor[] | undefined} descriptors
 * @returns {PublicKeyCredentialDescriptor[]}
 */
function credentials(descriptors) {
  return (descriptors ?? []).map(({ type, id }) => ({ type, id: decode(id) }));
}

/**
 * @param {Record<string, any>} options PublicKeyCredentialCreationOptionsJSON
 * @returns {PublicKeyCredentialCreationOptions}
 */
function creation(options) {
  return {
    rp: options.rp,
    user: { ...options.user, id: decode(options.user.id) },
    challenge: decode(options.challenge),
    pubKeyCredParams: options.pubKeyCredParams,
    timeout: options.timeout,
    excludeCredentials: credentials(options.excludeCredentials),
    authenticatorSelection: options.authenticatorSelection,
    attestation: options.attestation,
  };
}

/**
 * @param {Record<string, any>} options PublicKeyCredentialRequestOptionsJSON
 * @returns {PublicKeyCredentialRequestOptions}
 */
function request(options) {
  return {
    rpId: options.rpId,
    challenge: decode(options.challenge),
    timeout: options.timeout,
    allowCredentials: credentials(options.allowCredentials),
    userVerification: options.userVerification,
  };
}

/**
 * @param {PublicKeyCredential} credential
 * @returns {string} JSON of the credential (WebAuthn §5.1.8)
 */
function serialise(credential) {
  const id = encode(credential.rawId);
  const { type, authenticatorAttachment } = credential;
  return JSON.stringify({ id, rawId: id, type, authenticatorAttachment, response: answer(credential.response) });
}

/**
 * @param {AuthenticatorResponse} response
 * @returns {Record<string, unknown>}
 */
function answer(response) {
  const clientDataJSON = encode(response.clientDataJSON);
  if (response instanceof AuthenticatorAttestationResponse) {
    const attestationObject = encode(response.attestationObject);
    return { clientDataJSON, attestationObject, transports: response.getTransports?.() ?? [] };
  }
  const assertion = /** @type {AuthenticatorAssertionResponse} */ (response);
  return {
    clientDataJSON,
    authenticatorData: encode(assertion.authenticatorData),
    signature: encode(assertion.signature),
    userHandle: assertion.userHandle ? encode(assertion.userHandle) : null,
  };
}

/**
 * Ask the platform for a challenge, with the fields of the form (its CSRF token among them).
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<Ceremony>}
 */
async function begin(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    fields.append(name, String(value));
  }
  const reply = await fetch(form.dataset.passkeyBegin ?? "", {
    method: "POST",
    body: fields,
    headers: { accept: "application/json" },
    credentials: "same-origin",
    redirect: "error",
  });
  const body = await reply.json();
  if (!reply.ok) {
    throw new Refused(body.text);
  }
  return body;
}

/**
 * @param {HTMLFormElement} form
 * @param {Ceremony} ceremony
 * @returns {Promise<PublicKeyCredential>}
 */
async function ask(form, ceremony) {
  const found =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creation(ceremony.options) })
      : await navigator.credentials.get({ publicKey: request(ceremony.options) });
  return /** @type {PublicKeyCredential} */ (found);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} value
 */
function fill(form, name, value) {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) {
    field.value = value;
  }
}

/**
 * Show one notice and hide the others; without an outcome hide all.
 *
 * @param {HTMLFormElement} form
 * @param {Outcome | null} outcome
 * @param {string} [text]
 */
function tell(form, outcome, text) {
  for (const notice of form.querySelectorAll("[data-passkey-notice]")) {
    const element = /** @type {HTMLElement} */ (notice);
    element.hidden = element.dataset.passkeyNotice !== outcome;
    const line = element.querySelector("[data-passkey-text]");
    if (line && text) {
      line.textContent = text;
    }
  }
}

/**
 * @param {unknown} error
 * @returns {Outcome}
 */
function outcome(error) {
  if (error instanceof Refused) {
    return "refused";
  }
  // The browser gives one answer for "cancelled", "took too long" and "not allowed", and so do we.
  return error instanceof DOMException ? "cancelled" : "failed";
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} isBusy
 */
function lock(form, isBusy) {
  form.setAttribute("aria-busy", String(isBusy));
  for (const button of form.querySelectorAll("button")) {
    button.disabled = isBusy;
  }
}

/** @param {HTMLFormElement} form */
async function run(form) {
  tell(form, null);
  lock(form, true);
  try {
    const ceremony = await begin(form);
    const credential = await ask(form, ceremony);
    fill(form, "ceremony", ceremony.id);
    fill(form, "credential", serialise(credential));
    form.submit();
  } catch (error) {
    lock(form, false);
    tell(form, outcome(error), error instanceof Refused ? error.message : "");
  }
}

/** Take the code out of the address: into its field, and out of the history. */
function takeFragment() {
  const code = location.hash.slice(1);
  const field = document.querySelector("input[data-fragment]");
  if (field instanceof HTMLInputElement && CODE.test(code)) {
    field.value = code;
    history.replaceState(null, "", location.pathname + location.search);
  }
}

/** @param {HTMLFormElement} form */
function prepare(form) {
  if (!("PublicKeyCredential" in window)) {
    lock(form, true);
    tell(form, "unsupported");
    return;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(form);
  });
  // A page that comes back from the browser's memory was left in the middle.
  window.addEventListener("pageshow", () => lock(form, false));
}

takeFragment();
for (const form of document.querySelectorAll("form[data-passkey]")) {
  prepare(/** @type {HTMLFormElement} */ (form));
}
