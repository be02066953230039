/**
 * npm's openid-client behind a pipe: one JSON object a line, in and out; every check of the client is on.
 *
 *   {"id": 1, "command": "open", "client": "bank", "issuer": "…", "name": "client id", "auth": {…}, "dpop": true}
 *   {"id": 2, "command": "begin", "client": "bank", "flow": "a", "parameters": {…}, "par": true}
 *   {"id": 3, "command": "finish", "client": "bank", "flow": "a", "url": "…"}
 *
 * Answers are {"id", "value"} or {"id", "error": {name, code, error, description, status}}. What a login draws (state,
 * nonce, verifier) stays here, as it would in a client.
 */

import dns from "node:dns";
import { createInterface } from "node:readline";

import * as oidc from "openid-client";

// Names under localhost belong to this machine (RFC 6761 §6.3); resolvers do not agree on it.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) =>
  lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest);

const clients = new Map();

const imported = (jwk, usage) =>
  crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, [usage]);

const AUTH = {
  client_secret_basic: ({ secret }) => oidc.ClientSecretBasic(secret),
  client_secret_post: ({ secret }) => oidc.ClientSecretPost(secret),
  private_key_jwt: async ({ jwk, kid, spoil = {} }) =>
    oidc.PrivateKeyJwt(
      { key: await imported(jwk, "sign"), kid },
      { [oidc.modifyAssertion]: (_, payload) => void Object.assign(payload, spoil) },
    ),
  none: () => oidc.None(),
};

function plain(tokens) {
  const claims = tokens.claims?.();
  return claims === undefined ? { ...tokens } : { ...tokens, claims };
}

const COMMANDS = {
  async open({ client, issuer, name, auth, dpop, jarm, metadata = {}, algorithm = "oidc" }) {
    const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
    if (jarm) execute.push(oidc.useJwtResponseMode);
    const method = await AUTH[auth.method](auth);
    const config = await oidc.discovery(new URL(issuer), name, metadata, method, {
      algorithm,
      execute,
    });
    const DPoP = dpop ? oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair()) : undefined;
    const requestKey = auth.jwk && { key: await imported(auth.jwk, "sign"), kid: auth.kid };
    clients.set(client, { config, options: { DPoP }, requestKey, flows: new Map() });
    return config.serverMetadata();
  },

  async begin({ flow, parameters, par, jar }, { config, options, requestKey, flows }) {
    const verifier = oidc.randomPKCECodeVerifier();
    const drawn = { state: oidc.randomState(), nonce: oidc.randomNonce() };
    flows.set(flow, { verifier, ...drawn });
    let asked = {
      scope: "openid",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...drawn,
      ...parameters,
    };
    if (jar) {
      const url = await oidc.buildAuthorizationUrlWithJAR(config, asked, requestKey);
      if (!par) return url.href;
      asked = url.searchParams;
    }
    const url = par
      ? await oidc.buildAuthorizationUrlWithPAR(config, asked, options)
      : oidc.buildAuthorizationUrl(config, asked);
    return url.href;
  },

  async finish({ flow, url, maxAge, spoil = {} }, { config, options, flows }) {
    const { verifier, state, nonce } = { ...flows.get(flow), ...spoil };
    const checks = {
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
      maxAge,
      pkceCodeVerifier: verifier,
    };
    return plain(await oidc.authorizationCodeGrant(config, new URL(url), checks, undefined, options));
  },

  async refresh({ token, parameters }, { config, options }) {
    return plain(await oidc.refreshTokenGrant(config, token, parameters, options));
  },

  async credentials({ parameters }, { config, options }) {
    return plain(await oidc.clientCredentialsGrant(config, parameters, options));
  },

  userinfo: ({ token, subject }, { config, options }) =>
    oidc.fetchUserInfo(config, token, subject, options),

  introspect: ({ token }, { config }) => oidc.tokenIntrospection(config, token),

  async revoke({ token }, { config }) {
    await oidc.tokenRevocation(config, token);
    return null;
  },

  ciba: ({ parameters }, { config }) => oidc.initiateBackchannelAuthentication(config, parameters),

  async ciba_poll({ begun }, { config, options }) {
    const poll = oidc.pollBackchannelAuthenticationGrant;
    return plain(await poll(config, begun, undefined, options));
  },

  device: ({ parameters }, { config }) => oidc.initiateDeviceAuthorization(config, parameters),

  async device_poll({ begun }, { config, options }) {
    return plain(await oidc.pollDeviceAuthorizationGrant(config, begun, undefined, options));
  },

  async grant({ type, parameters }, { config, options }) {
    return plain(await oidc.genericGrantRequest(config, type, parameters, options));
  },

  leave: ({ parameters }, { config }) => oidc.buildEndSessionUrl(config, parameters).href,
};

async function answer(line) {
  const { id, command, ...members } = JSON.parse(line);
  try {
    const value = await COMMANDS[command](members, clients.get(members.client) ?? {});
    return { id, value };
  } catch (error) {
    const { name, message, code, status } = error;
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    const { error: oauth, error_description: description } = error;
    return { id, error: { name, message, code, status, error: oauth, description, cause } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
