// @ts-check
/**
 * The memory of a phone: one IndexedDB store with an entry for each thing, so that two tabs of the wallet never write
 * over each other's. What is written is on the disk before anything of it is sent.
 *
 * Certificate keys lie here wrapped and never otherwise; the channel key is a handle whose private half code cannot
 * read. Neither is encryption of the disk: that is the operating system's (the reference paper says what may be claimed).
 */

import { StorageUnavailable } from "./errors.js";

/** @typedef {import("./phone_types.js").Memory} Memory */
/** @typedef {import("./phone_types.js").OpenApproval} OpenApproval */
/** @typedef {Record<string, unknown>} Changes entries by name; null takes one away */

/**
 * @typedef {object} Vault
 * @property {() => Promise<Memory | null>} read null before the first start
 * @property {(first: Pick<Memory, "platform" | "name" | "channel" | "aheadS">) => Promise<Memory>} begin keeps what is
 *   there already
 * @property {(changes: Changes) => Promise<void>} write all of them or none
 * @property {() => Promise<void>} wipe
 */

const DATABASE = "inkan-phone";
const STORE = "memory";
const APPROVAL = "approval/";

/** @param {string} id @returns {string} the name of an approval's entry */
export function approvalEntry(id) {
  return APPROVAL + id;
}

/**
 * @param {Map<string, any>} entries
 * @returns {Memory | null}
 */
export function memoryOf(entries) {
  if (!entries.has("channel")) {
    return null;
  }
  const approvals = [...entries].filter(([name]) => name.startsWith(APPROVAL)).map(([, held]) => held);
  return {
    platform: entries.get("platform"),
    name: entries.get("name") ?? "",
    channel: entries.get("channel"),
    enrolment: entries.get("enrolment") ?? null,
    prepared: entries.get("prepared") ?? null,
    bound: entries.get("bound") ?? null,
    renewal: entries.get("renewal") ?? null,
    approvals: approvals.sort((one, other) => one.order - other.order),
    aheadS: entries.get("aheadS") ?? 0,
  };
}

/** The browser's own database. @implements {Vault} */
export class BrowserVault {
  #database;

  /** @param {IDBDatabase} database use `BrowserVault.open` */
  constructor(database) {
    this.#database = database;
  }

  /**
   * @param {IDBFactory} [factory]
   * @returns {Promise<BrowserVault>}
   * @throws {StorageUnavailable}
   */
  static async open(factory = globalThis.indexedDB) {
    try {
      const opening = factory.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
      const database = await done(opening);
      // Another tab with a newer wallet may change the database: let it.
      database.onversionchange = () => database.close();
      return new BrowserVault(database);
    } catch (error) {
      throw new StorageUnavailable(String(error));
    }
  }

  /** @returns {Promise<Memory | null>} */
  async read() {
    const transaction = this.#begin("readonly");
    const store = transaction.objectStore(STORE);
    const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    return memoryOf(new Map(names.map((name, index) => [String(name), values[index]])));
  }

  /** @type {Vault["begin"]} */
  async begin(first) {
    const transaction = this.#begin("readwrite");
    const store = transaction.objectStore(STORE);
    if ((await done(store.get("channel"))) === undefined) {
      Object.entries(first).forEach(([name, value]) => store.put(value, name));
    }
    await committed(transaction);
    const memory = await this.read();
    if (memory === null) {
      throw new StorageUnavailable("what was written is not there");
    }
    return memory;
  }

  /** @param {Changes} changes */
  async write(changes) {
    const transaction = this.#begin("readwrite");
    const store = transaction.objectStore(STORE);
    for (const [name, value] of Object.entries(changes)) {
      value === null ? store.delete(name) : store.put(value, name);
    }
    await committed(transaction);
  }

  async wipe() {
    const transaction = this.#begin("readwrite");
    transaction.objectStore(STORE).clear();
    await committed(transaction);
  }

  /** @param {IDBTransactionMode} mode */
  #begin(mode) {
    try {
      return this.#database.transaction(STORE, mode, { durability: "strict" });
    } catch (error) {
      throw new StorageUnavailable(String(error));
    }
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(new StorageUnavailable(String(transaction.error)));
  });
}
