/** Several calls in one, where what lies between is a handle that cannot travel. */

export function probes({ signer, dpop, cms, answers, vault }) {
  return {
    async signOnce(held, purpose, prf, message) {
      const { sign } = await signer.openKey(held, purpose, prf);
      return sign(message);
    },

    async wrapFresh(keySpec, prf) {
      const made = await signer.makeKeys(keySpec, ["auth"]);
      const { auth } = await signer.keepKeys(made, { backEnd: "A", prf });
      return { ...auth, csr: made.get("auth").csr };
    },

    async release(held, prf) {
      const importing = { name: "ECDSA", namedCurve: "P-256" };
      return signer.signerOf("A").release(held, { importing }, prf);
    },

    async renewal(message, held, prf) {
      const { sign, signature } = await signer.openKey(held, "document", prf);
      return cms.signedData({ ...message, identifier: signature.identifier(), sign });
    },

    /** Two tabs found nothing, and each has made a key; their transactions come one after the other. */
    async beginTwice(databases) {
      const first = { platform: "https://id.example.org", name: "", aheadS: 0 };
      const kept = [];
      for (const channel of [await dpop.makeChannelKey(), await dpop.makeChannelKey()]) {
        const tab = await vault.BrowserVault.open(databases);
        kept.push(await tab.begin({ ...first, channel }));
      }
      return kept.map(({ channel }) => channel.jwk.x);
    },

    retryAfter: (headers) => answers.retryAfter(new Headers(headers)),

    async channelProof(method, url, atS) {
      const channel = await dpop.makeChannelKey();
      return {
        proof: await dpop.proof(channel, { method, url, atS }),
        thumbprint: await dpop.thumbprint(channel.jwk),
        channel: channel.key,
      };
    },
  };
}
