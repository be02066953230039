// @ts-check
/**
 * The signer port: where the certificate keys of a phone are, and how one of them signs once. One row of `SIGNERS` for
 * each back end (design §5.1):
 *
 *   A      wrapped under the passkey's PRF value: made extractable once, signs its request while it is held, and is then
 *          wrapped (AES-256-GCM under HKDF-SHA-256 of the PRF value, AAD = SHA-256 of the SPKI). It comes back as a
 *          handle that code cannot read, for one signature. The same bytes as `inkan.client.certificate_keys` writes.
 *   B      with the platform's signer, released by an assertion that the signer checks: no key and no signature here.
 *          The platform brings their requests (`remoteKeys`), and gets content and assertion in the place of a signature.
 *   plain  handles in the browser's own store, not wrapped: the disk holds them in the clear. Sandbox and tests only.
 *
 * What is promised: a key is never stored in the clear by A. It is in the page's memory while it is made and while it
 * signs, so whoever runs code in the page then can use it.
 */

import { KEY_KINDS, SIGNATURES } from "./algorithms.js";
import { decode, encode, randomBytes, sha256, utf8 } from "./bytes.js";
import { certificateRequest, verifyRequest } from "./csr.js";
import { ecdsaSignature } from "./der.js";
import { BackEndUnavailable, KeyNotUnwrapped, Malformed, PRFUnavailable } from "./errors.js";

/** @typedef {import("./phone_types.js").BackEnd} BackEnd */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").HeldKey} HeldKey */
/** @typedef {import("./phone_types.js").HeldKeys} HeldKeys */
/** @typedef {import("./phone_types.js").KeyUse} KeyUse */
/** @typedef {import("./algorithms.js").Signature} Signature */
/** @typedef {"document" | "statement"} Purpose */
/** @typedef {(bytes: Bytes) => Promise<Bytes>} Sign */
/** @typedef {{ spki: Bytes, pair: CryptoKeyPair }} Made a key in memory, extractable */
/** @typedef {Map<KeyUse, Made & { keySpec: string, csr: Bytes }>} MadeKeys */

/**
 * @typedef {object} Signer
 * @property {boolean} isHere whether the phone makes these keys and signs with them
 * @property {boolean} needsPRF whether a use needs the passkey's PRF value
 * @property {(made: Made, prf: Bytes | null) => Promise<Omit<HeldKey, "backEnd" | "keySpec" | "spki">>} keep
 * @property {(key: HeldKey, signature: Signature, prf: Bytes | null) => Promise<CryptoKey>} release for one use
 */

const INFO = utf8("inkan-key-wrap-v1"); // inkan.client.certificate_keys
const NONCE_SIZE = 12;
const PRF_SIZE = 32;

/** @type {Signer} */
const WRAPPED = {
  isHere: true,
  needsPRF: true,

  async keep({ spki, pair }, prf) {
    const nonce = randomBytes(NONCE_SIZE);
    const how = { name: "AES-GCM", iv: nonce, additionalData: await sha256(spki) };
    const wrapped = await crypto.subtle.wrapKey("pkcs8", pair.privateKey, await wrappingKey(prf), how);
    return { nonce, wrapped: new Uint8Array(wrapped) };
  },

  async release({ spki, nonce, wrapped }, { importing }, prf) {
    if (nonce === undefined || wrapped === undefined) {
      throw new KeyNotUnwrapped();
    }
    const how = { name: "AES-GCM", iv: nonce, additionalData: await sha256(spki) };
    const key = await wrappingKey(prf);
    try {
      return await crypto.subtle.unwrapKey("pkcs8", wrapped, key, how, importing, false, ["sign"]);
    } catch {
      throw new KeyNotUnwrapped();
    }
  },
};

/** @type {Signer} */
const PLAIN = {
  isHere: true,
  needsPRF: false,

  async keep({ pair }) {
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
    /** @type {Record<string, CryptoKey>} */
    const handles = {};
    // One handle signs by one algorithm only, and an RSA key has two.
    for (const { name, importing } of Object.values(SIGNATURES)) {
      if ((name === "ECDSA") === (pair.privateKey.algorithm.name === "ECDSA")) {
        handles[name] = await crypto.subtle.importKey("pkcs8", pkcs8, importing, false, ["sign"]);
      }
    }
    pkcs8.fill(0);
    return { handles };
  },

  async release({ handles }, { name }) {
    const handle = handles?.[name];
    if (handle === undefined) {
      throw new KeyNotUnwrapped();
    }
    return handle;
  },
};

/** @type {Signer} */
const ELSEWHERE = { isHere: false, needsPRF: false, keep: notHere, release: notHere };

/** @type {Partial<Record<BackEnd, Signer>>} */
const SIGNERS = { A: WRAPPED, B: ELSEWHERE, plain: PLAIN };

/** @returns {Promise<never>} */
async function notHere() {
  throw new BackEndUnavailable("B");
}

/**
 * @param {BackEnd} backEnd
 * @returns {Signer}
 * @throws {BackEndUnavailable} no row here
 */
export function signerOf(backEnd) {
  const signer = SIGNERS[backEnd];
  if (signer === undefined) {
    throw new BackEndUnavailable(backEnd);
  }
  return signer;
}

/**
 * Make the certificate keys of one slot in memory; each signs its request while it is held. `keepKeys` follows.
 *
 * @param {string} keySpec
 * @param {KeyUse[]} uses
 * @returns {Promise<MadeKeys>}
 * @throws {Malformed} a kind of key that phones do not make
 */
export async function makeKeys(keySpec, uses) {
  const { generating, document } = kindOf(keySpec);
  const isExtractable = true; // until it is wrapped
  /** @type {MadeKeys} */
  const made = new Map();
  for (const use of uses) {
    const pair = /** @type {CryptoKeyPair} */ (
      await crypto.subtle.generateKey(generating, isExtractable, ["sign", "verify"])
    );
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    const sign = signing(pair.privateKey, document, "document");
    made.set(use, { keySpec, pair, spki, csr: await certificateRequest(spki, document.identifier(), sign) });
  }
  return made;
}

/**
 * @param {MadeKeys} made
 * @param {{ backEnd: BackEnd, prf: Bytes | null }} how
 * @returns {Promise<HeldKeys>} the keys at rest
 * @throws {BackEndUnavailable}
 * @throws {PRFUnavailable} the back end wraps, and there is no value of 32 bytes
 */
export async function keepKeys(made, { backEnd, prf }) {
  /** @type {HeldKeys} */
  const keys = {};
  for (const [use, { keySpec, spki, pair }] of made) {
    keys[use] = { backEnd, keySpec, spki, ...(await signerOf(backEnd).keep({ spki, pair }, prf)) };
  }
  return keys;
}

/**
 * The keys of one slot that the platform's signer made for this phone, each proved by its own request.
 *
 * @param {string} keySpec
 * @param {KeyUse[]} uses
 * @param {{ csrs?: any, spkis?: any }} answer both base64url DER by use
 * @returns {Promise<HeldKeys>} in the order of their uses
 * @throws {Malformed} other uses, another kind of key, one key twice, or one that does not prove itself
 */
export async function remoteKeys(keySpec, uses, { csrs, spkis }) {
  /** @type {HeldKeys} */
  const keys = {};
  if (String(Object.keys(csrs ?? {}).sort()) !== String([...uses].sort())) {
    throw new Malformed("requests for other uses");
  }
  for (const use of uses) {
    const spki = decode(spkis?.[use]);
    await verifyRequest(decode(csrs[use]), spki, keySpec);
    keys[use] = { backEnd: "B", keySpec, spki };
  }
  if (new Set(Object.values(keys).map(({ spki }) => encode(spki))).size !== uses.length) {
    throw new Malformed("one key for two uses");
  }
  return keys;
}

/**
 * @param {MadeKeys} made
 * @returns {Record<string, string>} base64url of each request, by use
 */
export function requestsOf(made) {
  return Object.fromEntries(Array.from(made, ([use, { csr }]) => [use, encode(csr)]));
}

/**
 * @param {HeldKey} key
 * @param {Purpose} purpose
 * @param {Bytes | null} prf of the verification just now
 * @returns {Promise<{ sign: Sign, signature: Signature }>} signs once; let go of it then
 * @throws {KeyNotUnwrapped} another passkey, or changed bytes
 */
export async function openKey(key, purpose, prf) {
  const signature = kindOf(key.keySpec)[purpose];
  const handle = await signerOf(key.backEnd).release(key, signature, prf);
  return { sign: signing(handle, signature, purpose), signature };
}

/**
 * @param {CryptoKey} key
 * @param {Signature} signature
 * @param {Purpose} purpose documents have ECDSA signatures in DER, statements as r ‖ s
 * @returns {Sign}
 */
function signing(key, signature, purpose) {
  return async (bytes) => {
    const raw = new Uint8Array(await crypto.subtle.sign(signature.signing, key, bytes));
    return purpose === "document" && signature.name === "ECDSA" ? ecdsaSignature(raw) : raw;
  };
}

/** @param {string} keySpec */
function kindOf(keySpec) {
  const kind = Object.hasOwn(KEY_KINDS, keySpec) ? KEY_KINDS[keySpec] : undefined;
  if (kind === undefined) {
    throw new Malformed(`a key of kind ${keySpec}`);
  }
  return kind;
}

/** @param {Bytes | null} prf */
async function wrappingKey(prf) {
  if (prf === null || prf.length !== PRF_SIZE) {
    throw new PRFUnavailable();
  }
  const secret = await crypto.subtle.importKey("raw", prf, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO };
  const aes = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(how, secret, aes, false, ["wrapKey", "unwrapKey"]);
}
