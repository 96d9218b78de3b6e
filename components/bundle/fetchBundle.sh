# Fetches a trust bundle over TLS that is verified, and prints when it was fetched and what was served.
#
# Environment:
#   BUNDLE_URL           https URL of the bundle endpoint
#   BUNDLE_TRUST_DOMAIN  whose bundle it is, for the error
#   BUNDLE_CA            CA certificates (PEM) that the endpoint must chain to; empty for the system's
#   BUNDLE_SECONDS       how long to keep trying; 0: once
#
# Needs a POSIX shell and curl. Everything comes through the environment, nothing is ever made part of the script.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

set -- # the options of curl that depend on the input
if [ -n "$BUNDLE_CA" ]; then
  printf '%s\n' "$BUNDLE_CA" >"$work/ca.pem"
  set -- --cacert "$work/ca.pem"
fi

# --disable comes first: no .curlrc may switch the verification off. A redirect is not followed.
fetch() {
  status=$(curl --disable --fail --silent --show-error --globoff --proto '=https' --connect-timeout 5 --max-time 10 \
    --max-filesize 1048576 --header 'Accept: application/json' --output "$work/bundle" --write-out '%{http_code}' \
    "$@" --url "$BUNDLE_URL" 2>"$work/error") && failure=0 || failure=$?
  [ "$failure" = 0 ] || return 1
  if [ "$status" != 200 ]; then
    printf 'it answers with HTTP status %s' "$status" >"$work/error"
    return 1
  fi
  # curl before 8.4 knows only the size that is announced.
  if [ "$(wc -c <"$work/bundle")" -gt 1048576 ]; then
    printf 'it answers with more than 1048576 bytes' >"$work/error"
    return 1
  fi
  if ! grep -q '"keys"' "$work/bundle"; then
    printf 'it answers with something that is no bundle' >"$work/error"
    return 1
  fi
}

# What to look at, by curl's exit code.
cure() {
  case $1 in
    6) echo '; check that the name resolves from here' ;;
    7) echo "; check that the cluster's router runs and that its port 443 can be reached from here" ;;
    28) echo "; check that the cluster's router runs and that its port 443 can be reached from here, and that no NetworkPolicy or service mesh keeps the router from port 8443 of the SPIRE server" ;;
    22 | 35 | 52 | 56) echo '; check that the SPIRE server behind its Route runs, and that no NetworkPolicy or service mesh keeps the router from its port 8443' ;;
    60) echo '; check whose certificate it has. A CA that is not public is known once its Certificate has been renewed (cmctl renew spire-server-federation-tls -n zero-trust-workload-identity-manager), or given as endpointCa of its stack' ;;
  esac
}

end=$(($(date +%s) + BUNDLE_SECONDS))
until fetch "$@"; do
  if [ "$(date +%s)" -ge "$end" ]; then
    if [ "$BUNDLE_SECONDS" = 0 ]; then said='does not answer'; else said="has not answered within $BUNDLE_SECONDS s"; fi
    printf '%s, the bundle endpoint of trust domain %s, %s. The last error was: %s%s\n' \
      "$BUNDLE_URL" "$BUNDLE_TRUST_DOMAIN" "$said" "$(cat "$work/error")" "$(cure "$failure")" >&2
    exit 1
  fi
  sleep 1
done

date +%s
cat "$work/bundle"
