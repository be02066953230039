// @ts-check
/**
 * Renewal, the phone's side (design §5.2 step 7): new keys, signed for by the old key and the passkey, no card.
 *
 * The old `auth` key stands in for the card, so this is the one CMS that a phone key signs; the assertion over the same
 * content shows that the owner was there (TW-32).
 */

import { encode, sha256 } from "./bytes.js";
import { fetchCertificates } from "./certificates.js";
import { signedData } from "./cms.js";
import { useFor } from "./draft.js";
import { RENEW_TYPE, renewBytes, renewChallenge } from "./enrolment_content.js";
import { CallRefused, KeyNotUnwrapped, Malformed, RenewalSubstituted } from "./errors.js";
import { rfc3339 } from "./forms.js";
import { keepKeys, makeKeys, openKey, remoteKeys, requestsOf, signerOf } from "./signer.js";
import { certificateSHA256 } from "./statement.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").Bound} Bound */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").HeldKeys} HeldKeys */
/** @typedef {import("./phone_types.js").KeyUse} KeyUse */
/** @typedef {import("./phone_types.js").Renewal} Renewal */
/** @typedef {import("./phone_types.js").Step} Step */
/** @typedef {Record<string, any>} Begun */

const RENEW = "/phone/v1/renew";

/**
 * Replace keys and certificates; the binding, its slot and the passkey stay.
 *
 * 1. Begin; what the platform names is this phone's own binding and certificate.
 * 2. New keys in memory, their requests, and the content that names them.
 * 3. One verification of the person: assertion over the content, and the PRF value.
 * 4. The old key signs the content; the new keys are wrapped; everything is on the disk before it is sent.
 * 5. The new certificates fit the new keys, the same passkey and the same binding; then they replace the old ones here,
 *    and only then the platform is told to end these.
 *
 * With keys elsewhere (back end B) step 1 brings the requests of the new ones, and the assertion of step 3 releases the
 * old key for the content there.
 *
 * A renewal that broke off is taken up where it was: calling again sends the same bytes.
 *
 * @param {Parts} parts
 * @param {(step: Step) => void} onStep
 * @returns {Promise<Bound>}
 * @throws {RenewalSubstituted} step 1; `keys`: the requests are not those of proper keys
 * @throws {CertificateNotOurs} step 5; the old certificates stay in use
 * @throws {CallRefused} too early, too late, or the card behind the binding has ended (TW-33), among others
 */
export async function renew(parts, onStep) {
  let { renewal } = parts.memory;
  const { bound } = parts;
  if (renewal === null) {
    const begun = await parts.api.post(`${RENEW}/begin`, {}); // 1
    const oldUse = await verifyBegun(begun, bound, parts.platform);
    renewal = await make(parts, begun, oldUse, onStep); // 2, 3, 4
    await parts.save({ renewal });
  }
  if (!renewal.isCollected) {
    onStep("sending");
    await collect(parts, renewal, onStep); // 5
  }
  await confirm(parts);
  return parts.bound;
}

/**
 * @param {Begun} begun
 * @param {Bound} bound
 * @param {string} platform
 * @returns {Promise<KeyUse>} which old key signs, if the platform begins the renewal of this very binding
 */
async function verifyBegun(begun, bound, platform) {
  const oldUse = useFor(bound, "identify");
  const own = bound.certificates[oldUse]?.der ?? new Uint8Array();
  compare("aud", begun.aud, platform);
  compare("scheme", begun.scheme, bound.scheme);
  compare("binding_id", begun.binding_id, bound.bindingId);
  compare("uses", String(begun.uses), String(Object.keys(bound.keys)));
  compare("old_certificate_sha256", begun.old_certificate_sha256, await certificateSHA256(own));
  return oldUse;
}

/**
 * @param {Parts} parts
 * @param {Begun} begun
 * @param {KeyUse} oldUse
 * @param {(step: Step) => void} onStep
 * @returns {Promise<Renewal>}
 */
async function make(parts, begun, oldUse, onStep) {
  const { backEnd } = parts.bound;
  if (!signerOf(backEnd).isHere) {
    return makeElsewhere(parts, begun, onStep);
  }
  onStep("keys");
  const made = await makeKeys(begun.key_spec, begun.uses); // 2
  const content = renewBytes(await contentOf(parts, begun, Array.from(made)), parts.tables);
  onStep("passkey");
  const { assertion, prf } = await parts.assertUser(await renewChallenge(content)); // 3
  const cms = await signed(parts, content, oldUse, prf); // 4
  const keys = await keepKeys(made, { backEnd, prf });
  prf?.fill(0);
  const body = JSON.stringify({ cms: encode(cms), csrs: requestsOf(made), assertion });
  return { keys, body, isCollected: false };
}

/**
 * @param {Parts} parts
 * @param {Begun} begun
 * @param {(step: Step) => void} onStep
 * @returns {Promise<Renewal>}
 */
async function makeElsewhere(parts, begun, onStep) {
  const keys = await madeKeys(begun);
  const content = renewBytes(await contentOf(parts, begun, Object.entries(keys)), parts.tables);
  onStep("passkey");
  const { assertion } = await parts.assertUser(await renewChallenge(content));
  return { keys, body: JSON.stringify({ content: encode(content), assertion }), isCollected: false };
}

/** @param {Begun} begun @returns {Promise<HeldKeys>} */
async function madeKeys(begun) {
  try {
    return await remoteKeys(begun.key_spec, begun.uses, begun);
  } catch (error) {
    throw error instanceof Malformed ? new RenewalSubstituted("keys") : error;
  }
}

/**
 * @param {Parts} parts
 * @param {Begun} begun
 * @param {[string, { spki: Bytes }][]} made
 * @returns {Promise<Record<string, unknown>>}
 */
async function contentOf(parts, begun, made) {
  const named = made.map(async ([use, { spki }]) => ({ use, spki_sha256: encode(await sha256(spki)) }));
  return {
    v: 1,
    purpose: "renew",
    aud: begun.aud,
    scheme: begun.scheme,
    nonce: begun.nonce,
    binding_id: begun.binding_id,
    old_certificate_sha256: begun.old_certificate_sha256,
    keys: await Promise.all(named),
    credential_id_sha256: encode(await sha256(parts.bound.credential.id)),
    back_end: parts.bound.backEnd,
    at: rfc3339(parts.api.now()),
  };
}

/**
 * @param {Parts} parts
 * @param {Bytes} content
 * @param {KeyUse} oldUse
 * @param {Bytes | null} prf
 * @returns {Promise<Bytes>} DER
 */
async function signed(parts, content, oldUse, prf) {
  const { certificates, keys } = parts.bound;
  const [certificate, key] = [certificates[oldUse], keys[oldUse]];
  if (certificate === undefined || key === undefined) {
    throw new KeyNotUnwrapped();
  }
  const { sign, signature } = await openKey(key, "document", prf);
  return signedData({
    content,
    contentType: RENEW_TYPE,
    chain: [certificate.der, ...certificate.chain],
    signer: certificate.issuerAndSerial,
    identifier: signature.identifier(),
    sign,
  });
}

/**
 * @param {Parts} parts
 * @param {Renewal} renewal
 * @param {(step: Step) => void} onStep
 */
async function collect(parts, renewal, onStep) {
  const { certificates: ids } = await sendAll(parts, renewal);
  onStep("checking");
  const { bound } = parts;
  const own = { keys: renewal.keys, credential: bound.credential };
  const { bindingId, certificates } = await fetchCertificates(parts, ids, own);
  compare("binding_id", bindingId, bound.bindingId);
  await parts.save({
    bound: { ...bound, keys: renewal.keys, certificates },
    renewal: { ...renewal, isCollected: true },
  });
}

/** @param {Parts} parts @param {Renewal} renewal */
async function sendAll(parts, renewal) {
  try {
    return await parts.api.post(RENEW, renewal.body, { again: true });
  } catch (error) {
    if (error instanceof CallRefused && error.isFinal) {
      await parts.save({ renewal: null });
    }
    throw error;
  }
}

/** @param {Parts} parts */
async function confirm(parts) {
  try {
    await parts.api.post(`${RENEW}/confirm`, {}, { again: true });
  } catch (error) {
    // A conflict says that nothing waits for a confirmation: an earlier one arrived, and its answer did not.
    if (!(error instanceof CallRefused && error.status === 409)) {
      throw error;
    }
  }
  await parts.save({ renewal: null });
}

/**
 * @param {string} member
 * @param {unknown} theirs
 * @param {unknown} ours
 */
function compare(member, theirs, ours) {
  if (theirs !== ours) {
    throw new RenewalSubstituted(member);
  }
}
