/** Several calls in one, where what lies between is a handle that cannot travel. */

export function probes({ signer, dpop, cms, answers }) {
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
