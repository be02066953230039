// @ts-check
/**
 * The shapes that the modules of the phone share, as types alone; nothing here runs.
 *
 * Members that come from the platform keep its names (snake_case); members that the phone adds are camelCase.
 * Times are texts in RFC 3339, UTC, whole seconds, by the platform's clock.
 */

/** @typedef {"zh-Hant" | "ja" | "en"} Lang */
/** @typedef {"auth" | "sign" | "single"} KeyUse */
/** @typedef {"A" | "B" | "C" | "plain"} BackEnd */
/** @typedef {"identify" | "approve" | "sign"} Kind */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * What a step of `prepare` or `renew` is about, for a screen that says it:
 * `passkey` the person is asked to verify; `passkey_again` a second time, because the authenticator gives its PRF value
 * only at an assertion; `keys` the certificate keys are made; `sending`; `checking` what the platform made of it.
 *
 * @typedef {"passkey" | "passkey_again" | "keys" | "sending" | "checking"} Step
 */

/**
 * A certificate key at rest. Back end A: `nonce` and `wrapped` (PKCS #8 under AES-256-GCM). `plain`: `handles`, keys
 * of the browser by the name of their algorithm. Back ends without a key here: `spki` alone.
 *
 * @typedef {object} HeldKey
 * @property {BackEnd} backEnd
 * @property {string} keySpec `P-256`, `RSA-2048`, `RSA-3072`
 * @property {Bytes} spki DER SubjectPublicKeyInfo
 * @property {Bytes} [nonce] 12 bytes
 * @property {Bytes} [wrapped]
 * @property {Record<string, CryptoKey>} [handles]
 */

/** @typedef {Partial<Record<KeyUse, HeldKey>>} HeldKeys */

/**
 * A certificate of this phone as the platform handed it out, after it was checked.
 *
 * @typedef {object} HeldCertificate
 * @property {string} id
 * @property {Bytes} der
 * @property {Bytes[]} chain the issuers, root left out
 * @property {string} notBefore
 * @property {string} notAfter
 * @property {Bytes} issuerAndSerial DER IssuerAndSerialNumber (RFC 5652 §10.2.4): how a renewal names its signer
 */

/** @typedef {Partial<Record<KeyUse, HeldCertificate>>} HeldCertificates */

/**
 * The passkey that stands for this phone.
 *
 * @typedef {object} HeldCredential
 * @property {Bytes} id
 * @property {Bytes} coseKey
 * @property {Bytes} attestationSHA256
 */

/**
 * A binding under way, as the platform told it when the phone joined (`POST /phone/v1/enrolments`).
 *
 * @typedef {object} Enrolment
 * @property {string} id
 * @property {string} nonce
 * @property {string} issuer
 * @property {string} scheme
 * @property {string} rp_id
 * @property {string} key_spec
 * @property {KeyUse[]} uses
 * @property {string} challenge
 * @property {number[]} algorithms
 * @property {string} terms_version
 * @property {string} expires_at
 * @property {BackEnd[]} key_backends what a phone might declare here, from this network
 * @property {BackEnd} backEnd what this phone declared when it joined
 * @property {string} name what it was called when it joined
 * @property {boolean} [atKiosk] whether a kiosk finishes it
 */

/**
 * What the phone made for a binding; `body` is sent again byte for byte when an answer was lost. With back end B `keys` is
 * empty until the platform has told them.
 *
 * @typedef {object} Prepared
 * @property {HeldKeys} keys
 * @property {HeldCredential} credential
 * @property {string} body
 */

/**
 * The finished binding.
 *
 * @typedef {object} Bound
 * @property {string} phone
 * @property {string} bindingId
 * @property {string} scheme
 * @property {string} rpId
 * @property {BackEnd} backEnd
 * @property {HeldCredential} credential
 * @property {HeldKeys} keys
 * @property {HeldCertificates} certificates
 */

/**
 * New keys on their way to certificates. `isCollected`: they are here, and the platform may not know it yet.
 *
 * @typedef {object} Renewal
 * @property {HeldKeys} keys
 * @property {string} body
 * @property {boolean} isCollected
 */

/**
 * A question that this phone has opened and checked. What a screen shows is `text`, unchanged and whole.
 *
 * @typedef {object} OpenApproval
 * @property {string} id
 * @property {Record<string, any>} draft members of `inkan.wire.statement.Draft`
 * @property {string} text lines ended by LF
 * @property {string} expiresAt
 * @property {number} order grows from one opening to the next
 * @property {string | null} body the decision once it was made; sent again byte for byte when an answer was lost
 */

/**
 * What the platform made of an answer.
 *
 * @typedef {object} Decision
 * @property {string} state
 * @property {string | null} [outcome]
 * @property {string | null} [return_url] the address that this browser opens now, or null
 */

/**
 * A question that was pushed to this phone.
 *
 * @typedef {object} Waiting
 * @property {string} approval
 * @property {Kind} kind
 * @property {string} relying_party
 * @property {string} domain
 * @property {string} purpose_text
 * @property {string} at
 * @property {string} expires_at
 * @property {boolean} code_required
 */

/**
 * What the parts of a phone remember between two starts.
 *
 * @typedef {object} Memory
 * @property {string} platform
 * @property {string} name
 * @property {ChannelKey} channel
 * @property {Enrolment | null} enrolment
 * @property {Prepared | null} prepared
 * @property {Bound | null} bound
 * @property {Renewal | null} renewal
 * @property {OpenApproval[]} approvals the last one last
 * @property {number} aheadS how many seconds the platform was ahead of this machine when it last told its time
 */

/**
 * The key that authenticates requests and approves nothing; the private half never leaves the browser's key store by
 * code.
 *
 * @typedef {object} ChannelKey
 * @property {CryptoKey} key
 * @property {{ kty: string, crv: string, x: string, y: string }} jwk
 */

/**
 * The tables that the server exports (`inkan.wire.wallet_tables`): texts, names of attributes, forms of values.
 *
 * @typedef {object} Tables
 * @property {Record<string, Record<string, string>>} labels by language
 * @property {Record<string, Record<string, { heading: string, contents: string, effect: string }>>} wordings by
 *   template and language
 * @property {Record<string, Record<string, string>>} started by door and language
 * @property {Record<string, Record<string, string>>} claims by code and language
 * @property {Record<string, Kind>} kinds by template
 * @property {Record<string, { pattern: string, min?: number, max?: number }>} forms by name
 * @property {Record<string, number>} digests characters of base64url by algorithm
 * @property {Record<string, number>} limits
 */

/**
 * What `Phone.open` takes.
 *
 * @typedef {object} PhoneOptions
 * @property {string} platform origin of the platform, its issuer address
 * @property {string} walletOrigin origin of the wallet; its host is the RP ID
 * @property {Lang} lang language of the texts that are shown and signed
 * @property {Tables} tables `settings.shown`, of the shell
 * @property {number} [ahead] how many seconds the platform is ahead of this machine, where it is known; else remembered
 * @property {boolean} [allowPlain] outside production: certificate keys may lie in the browser's own store
 * @property {typeof fetch} [fetch]
 * @property {import("./vault.js").Vault} [vault] memory of the phone; IndexedDB when left out
 * @property {import("./passkeys.js").Passkeys} [passkeys] the authenticator; the browser's when left out
 * @property {() => number} [clock] milliseconds since 1970
 * @property {(ms: number) => Promise<void>} [pause]
 */

export {};
