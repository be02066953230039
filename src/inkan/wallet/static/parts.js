// @ts-check
/** What the use cases of a phone share: its memory, its passkey, its way to the platform. */

import { PhoneAPI } from "./api.js";
import { makeChannelKey } from "./dpop.js";
import { OtherPlatform, PhoneNotBound, PRFUnavailable, StorageUnavailable } from "./errors.js";
import { BrowserPasskeys } from "./passkeys.js";
import { signerOf } from "./signer.js";
import { approvalEntry, BrowserVault } from "./vault.js";

/** @typedef {import("./passkeys.js").Passkeys} Passkeys */
/** @typedef {import("./phone_types.js").Bound} Bound */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Lang} Lang */
/** @typedef {import("./phone_types.js").Memory} Memory */
/** @typedef {import("./phone_types.js").OpenApproval} OpenApproval */
/** @typedef {import("./phone_types.js").PhoneOptions} PhoneOptions */
/** @typedef {import("./phone_types.js").Tables} Tables */
/** @typedef {import("./vault.js").Changes} Changes */
/** @typedef {import("./vault.js").Vault} Vault */

/**
 * @typedef {object} Settled
 * @property {string} platform
 * @property {string} walletOrigin
 * @property {Tables} tables
 * @property {boolean} [allowPlain]
 */

export class Parts {
  #vault;

  /** @param {{ options: Settled, vault: Vault, memory: Memory, api: PhoneAPI, passkeys: Passkeys }} parts */
  constructor({ options, vault, memory, api, passkeys }) {
    this.#vault = vault;
    this.platform = options.platform;
    this.walletOrigin = options.walletOrigin;
    this.tables = options.tables;
    this.allowPlain = options.allowPlain === true;
    this.memory = memory;
    this.api = api;
    this.passkeys = passkeys;
  }

  /** @returns {Lang} */
  get lang() {
    return this.api.lang;
  }

  set lang(lang) {
    this.api.lang = lang;
  }

  /** @returns {Bound} @throws {PhoneNotBound} there is no finished binding */
  get bound() {
    if (this.memory.bound === null) {
      throw new PhoneNotBound();
    }
    return this.memory.bound;
  }

  /**
   * Write entries down, all of them or none; what happened before survives a crash.
   *
   * @param {Changes} changes
   */
  async save(changes) {
    await this.#vault.write({ ...changes, aheadS: this.api.aheadS });
    await this.refresh();
  }

  /** @param {OpenApproval} held */
  async saveApproval(held) {
    await this.save({ [approvalEntry(held.id)]: held });
  }

  /** @param {string[]} ids */
  async dropApprovals(ids) {
    await this.save(Object.fromEntries(ids.map((id) => [approvalEntry(id), null])));
  }

  /** Read the memory again: another tab may have written. */
  async refresh() {
    const memory = await this.#vault.read();
    if (memory === null) {
      throw new StorageUnavailable("the memory of this phone was wiped");
    }
    this.memory = memory;
  }

  /**
   * One tab of the wallet at a time does this, and starts from what is written.
   *
   * @template T
   * @param {string} verb
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  async exclusively(verb, act) {
    const begin = async () => {
      await this.refresh();
      return act();
    };
    const locks = globalThis.navigator?.locks;
    return locks ? locks.request(`inkan-phone/${verb}`, begin) : begin();
  }

  /**
   * Verify the person once.
   *
   * @param {Bytes} challenge
   * @returns {Promise<import("./passkeys.js").Signed>} the assertion for the platform and the PRF value for the keys
   * @throws {PhoneNotBound}
   * @throws {UserNotVerified}
   * @throws {PRFUnavailable} the keys need a value and the passkey gives none
   */
  async assertUser(challenge, { wantsPRF = true } = {}) {
    const { rpId, credentialId, backEnd } = this.#passkey();
    const needsPRF = wantsPRF && signerOf(backEnd).needsPRF;
    const signed = await this.passkeys.get({ rpId, challenge, credentialId, wantsPRF: needsPRF });
    if (needsPRF && signed.prf === null) {
      throw new PRFUnavailable();
    }
    return signed;
  }

  async wipe() {
    await this.#vault.wipe();
  }

  /** Of the binding, or of the one under way. */
  #passkey() {
    const { bound, enrolment, prepared } = this.memory;
    if (bound === null && enrolment !== null && prepared !== null) {
      return { rpId: enrolment.rp_id, credentialId: prepared.credential.id, backEnd: enrolment.backEnd };
    }
    const { rpId, credential, backEnd } = this.bound;
    return { rpId, credentialId: credential.id, backEnd };
  }
}

/**
 * @param {PhoneOptions} options
 * @returns {Promise<Parts>} of this browser's phone; the first start makes its channel key
 * @throws {OtherPlatform} the memory belongs to a phone of another platform
 * @throws {StorageUnavailable} the browser keeps no database
 */
export async function openParts(options) {
  const vault = options.vault ?? (await BrowserVault.open());
  const platform = withoutSlash(options.platform);
  const aheadS = options.ahead ?? 0;
  // Another tab may be first with its key: the vault keeps the first one.
  const memory =
    (await vault.read()) ?? (await vault.begin({ platform, name: "", channel: await makeChannelKey(), aheadS }));
  if (memory.platform !== platform) {
    throw new OtherPlatform();
  }
  const settled = { ...options, platform, walletOrigin: withoutSlash(options.walletOrigin) };
  const reach = { channel: memory.channel, aheadS: options.ahead ?? memory.aheadS };
  const api = new PhoneAPI({ ...settled, ...reach });
  const passkeys = options.passkeys ?? new BrowserPasskeys();
  return new Parts({ options: settled, vault, memory, api, passkeys });
}

/** @param {string} origin */
function withoutSlash(origin) {
  return origin.replace(/\/$/, "");
}
