#!/usr/bin/env bash
# Identify a person by QR code with nothing but curl and openssl (docs/relying-parties/curl.md).
#
#   identify.sh ISSUER SYSTEM KEY PURPOSE
#
#   ISSUER   the platform, for example https://id.example
#   SYSTEM   the system code
#   KEY      PEM file of the registered P-256 key
#   PURPOSE  a registered purpose
#
# Writes the rotating code's frames to standard output, one a second, then the session as JSON, and the receipt into
# the file receipt.jws. Exit code 0: the person said yes.
set -euo pipefail

issuer=$1 system=$2 key=$3 purpose=$4
work=$(mktemp -d)
trap 'kill "${frames:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
random() { openssl rand "$1" | base64url; }
sha256() { openssl dgst -sha256 -binary | base64url; }

# The public key of a PEM file as the members of a JWK, in the order of its thumbprint (RFC 7638).
jwk() {
  openssl pkey -in "$1" -pubout -outform DER | tail -c 64 >"$work/point"
  printf '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' \
    "$(head -c 32 "$work/point" | base64url)" "$(tail -c 32 "$work/point" | base64url)"
}

# ES256 over standard input: r and s of openssl's DER signature as 64 bytes (RFC 7518 section 3.4).
es256() {
  openssl dgst -sha256 -sign "$1" | openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' |
    while read -r number; do printf '%64s' "$number" | tr ' ' 0 | sed 's/../\\x&/g'; done |
    { read -r hex || true; printf '%b' "$hex"; } | base64url
}

# A compact JWS: header, payload, key.
jws() {
  local head_and_payload
  head_and_payload=$(printf '%s' "$1" | base64url).$(printf '%s' "$2" | base64url)
  printf '%s.%s' "$head_and_payload" "$(printf '%s' "$head_and_payload" | es256 "$3")"
}

# The value of a member that stands once in a JSON text.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

# A proof for one request (RFC 9449): method, address without query, hash of the token.
proof() {
  local ath=""
  [ $# -lt 3 ] || ath=",\"ath\":\"$3\""
  jws "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$(jwk "$work/dpop.pem")}" \
    "{\"jti\":\"$(random 16)\",\"htm\":\"$1\",\"htu\":\"$2\",\"iat\":$(date +%s)$ath}" "$work/dpop.pem"
}

# A request under the token, as the command in `request`: method, path, further arguments of curl.
prepare() {
  local method=$1 path=$2
  shift 2
  request=(curl --silent --show-error --fail-with-body --request "$method" "$issuer$path"
    --header "Authorization: DPoP $token"
    --header "DPoP: $(proof "$method" "$issuer${path%%\?*}" "$(printf '%s' "$token" | sha256)")" "$@")
}
call() { prepare "$@" && "${request[@]}"; }

# 1. A token, by a JWT of the registered key, bound to a key of this very run.
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/dpop.pem"
now=$(date +%s)
assertion=$(jws "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"$(jwk "$key" | sha256)\"}" \
  "{\"iss\":\"$system\",\"sub\":\"$system\",\"aud\":\"$issuer\",\"iat\":$now,\"exp\":$((now + 60)),\"jti\":\"$(random 16)\"}" "$key")
token=$(curl --silent --show-error --fail-with-body "$issuer/token" \
  --header "DPoP: $(proof POST "$issuer/token")" \
  --data-urlencode grant_type=client_credentials \
  --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
  --data-urlencode "client_assertion=$assertion" | member access_token)

# 2. A session; the same Idempotency-Key never opens a second one.
challenge=$(random 32)
session=$(call POST /v1/sessions \
  --header "Content-Type: application/json" --header "Idempotency-Key: $(random 16)" \
  --data "{\"kind\":\"identify\",\"purpose\":\"$purpose\",\"challenge\":\"$challenge\",\"doors\":[\"qr\"]}" |
  grep -o 'ses_[a-z0-9]*' | head -n 1)

# 3. What the QR code shows, a new text each second; here the platform draws it.
prepare GET "/v1/sessions/$session/doors/qr/stream" --no-buffer
"${request[@]}" > >(sed -un 's/^data: {"frame":"\(.*\)"}$/\1/p') &
frames=$!

# 4. Wait for the end; each request is held until something changes.
state=presented
while case $state in closed | cancelled | expired) false ;; *) true ;; esac; do
  call GET "/v1/sessions/$session?wait=60" >"$work/session.json"
  state=$(member state <"$work/session.json")
done
cat "$work/session.json"
echo
[ "$(member outcome <"$work/session.json")" = ok ]

# 5. The receipt: keep it, and verify it with the root certificate (inkan verify receipt).
call GET "/v1/sessions/$session/receipt" >receipt.jws
