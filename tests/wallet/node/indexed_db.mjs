/** As much of IndexedDB as the vault uses, in memory: requests, transactions that commit by themselves, clones. */

class Request {
  result = undefined;
  error = null;
  onsuccess = null;
  onerror = null;
}

class Transaction {
  error = null;
  oncomplete = null;
  onabort = null;
  #pending = 0;

  constructor(stores, mode) {
    this.stores = stores;
    this.mode = mode;
    this.#settle();
  }

  objectStore(name) {
    return new ObjectStore(this.stores.get(name), this);
  }

  run(act) {
    const request = new Request();
    this.#pending += 1;
    // Values are cloned when the request is made, as a browser does.
    request.result = act();
    setImmediate(() => {
      request.onsuccess?.();
      this.#pending -= 1;
      this.#settle();
    });
    return request;
  }

  #settle() {
    setImmediate(() => {
      if (this.#pending === 0) {
        this.oncomplete?.();
        this.oncomplete = null;
      }
    });
  }
}

class ObjectStore {
  constructor(entries, transaction) {
    this.entries = entries;
    this.transaction = transaction;
  }

  #write(act) {
    if (this.transaction.mode !== "readwrite") {
      throw new DOMException("read only", "ReadOnlyError");
    }
    return this.transaction.run(act);
  }

  get(name) {
    return this.transaction.run(() => clone(this.entries.get(name)));
  }

  getAll() {
    return this.transaction.run(() => this.#sorted().map((name) => clone(this.entries.get(name))));
  }

  getAllKeys() {
    return this.transaction.run(() => this.#sorted());
  }

  put(value, name) {
    return this.#write(() => void this.entries.set(name, clone(value)));
  }

  delete(name) {
    return this.#write(() => void this.entries.delete(name));
  }

  clear() {
    return this.#write(() => this.entries.clear());
  }

  #sorted() {
    return [...this.entries.keys()].sort();
  }
}

/** A handle of a key is stored as it is; a copy of it in this process would be no further away. */
function clone(value) {
  if (value instanceof CryptoKey) {
    return value;
  }
  if (value instanceof Uint8Array) {
    return value.slice();
  }
  if (Array.isArray(value)) {
    return value.map(clone);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clone(member)]));
  }
  if (typeof value === "function" || typeof value === "symbol") {
    throw new DOMException("no clone", "DataCloneError");
  }
  return value;
}

export class MemoryDatabases {
  #databases = new Map();

  open(name) {
    const isNew = !this.#databases.has(name);
    const stores = this.#databases.get(name) ?? new Map();
    this.#databases.set(name, stores);
    const request = new Request();
    request.result = {
      createObjectStore: (store) => void stores.set(store, new Map()),
      transaction: (_, mode) => new Transaction(stores, mode),
      close: () => {},
    };
    setImmediate(() => {
      if (isNew) {
        request.onupgradeneeded?.();
      }
      request.onsuccess?.();
    });
    return request;
  }
}
