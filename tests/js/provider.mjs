// The peer of the bench: oidc-provider in memory, with the features and the work that the provider of the project has.
//
//   node provider.mjs OPTIONS, a JSON object: host, port, clients, jwks, resource, nonce
//
// It says "ready" on its output when it answers. Whoever is asked to log in is logged in at once: the interaction is a
// stub, and so is the device of CIBA.

import http from "node:http";
import { errors, Provider, interactionPolicy } from "oidc-provider";

const options = JSON.parse(process.argv[2]);
const issuer = `http://${options.host}:${options.port}`;
const ACCOUNT = "account-1";
const RESOURCE = options.resource;

const { base } = interactionPolicy;

const resourceServer = {
  audience: RESOURCE,
  scope: "openid api",
  accessTokenTTL: 600,
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: "ES256" } },
};

const provider = new Provider(issuer, {
  clients: options.clients,
  jwks: options.jwks,
  cookies: { keys: ["a secret of the bench"] },
  claims: { openid: ["sub", "acr", "amr", "auth_time"] },
  acrValues: ["level"],
  scopes: ["openid", "api"],
  pkce: { required: () => true },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 3600,
    IdToken: 600,
    Interaction: 600,
    Session: 3600,
  },
  clientAuthMethods: ["client_secret_basic", "private_key_jwt"],
  enabledJWA: {
    clientAuthSigningAlgValues: ["ES256"],
    dPoPSigningAlgValues: ["ES256"],
    idTokenSigningAlgValues: ["ES256"],
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    ciba: {
      enabled: true,
      deliveryModes: ["poll"],
      processLoginHint: (_, hint) => hint,
      processLoginHintToken: () => undefined,
      triggerAuthenticationDevice: approve,
      validateBindingMessage: () => undefined,
      validateRequestContext: () => undefined,
      verifyUserCode: () => undefined,
    },
    dPoP: {
      enabled: true,
      nonceSecret: Buffer.alloc(32, 7),
      requireNonce: () => options.nonce,
    },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, wanted) => {
        if (wanted !== RESOURCE) throw new errors.InvalidTarget();
        return resourceServer;
      },
      useGrantedResource: () => false,
    },
    userinfo: { enabled: true },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, acr: "level", amr: ["hwk", "user"] }),
  }),
  interactions: { policy: base(), url: (_, interaction) => `/interaction/${interaction.uid}` },
});

async function grantOf(clientId, accountId) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope("openid");
  return grant.save();
}

async function approve(ctx, request) {
  const grantId = await grantOf(ctx.oidc.client.clientId, request.accountId);
  const loaded = await provider.Grant.find(grantId);
  await provider.backchannelResult(request, loaded, { acr: "level", amr: ["hwk", "user"] });
}

async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const grantId = await grantOf(params.client_id, ACCOUNT);
  await provider.interactionFinished(request, response, {
    login: { accountId: ACCOUNT, acr: "level", amr: ["hwk", "user"] },
    consent: { grantId },
  });
}

const answer = provider.callback();
const server = http.createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(options.port, "127.0.0.1", () => console.log("ready"));
