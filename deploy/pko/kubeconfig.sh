#!/usr/bin/env bash
# Gives the hub access to a member: Secret kubeconfig-<stack> on the hub, with a token of the member's ServiceAccount
# deployer. With auditor it is Secret auditor-<stack>, and a token of ServiceAccount auditor. Both contexts are of your
# kubeconfig. The token ends after 90 days, or when its Secret on the member is deleted, to which it is bound.
#   deploy/pko/kubeconfig.sh <context of the hub> <context of the member> [<stack> [auditor]]
set -euo pipefail
hub=$1 context=$2 stack=${3:-$2} account=${4:-deployer}
case $account in
  deployer) secret=kubeconfig-$stack ;;
  auditor) secret=auditor-$stack ;;
  *) echo "$account: deployer and auditor are known" >&2; exit 2 ;;
esac
namespace=spire-federation
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

bound=$account-hub-$(date +%s)
oc --context "$context" create secret generic "$bound" -n $namespace >/dev/null
oc --context "$context" label secret "$bound" -n $namespace "spire-federation/token-of=$account" >/dev/null
answer=$(oc --context "$context" create token "$account" -n $namespace --duration 2160h --bound-object-kind Secret \
  --bound-object-name "$bound" -o 'jsonpath={.status.token} {.status.expirationTimestamp}') || {
  oc --context "$context" delete secret "$bound" -n $namespace >/dev/null
  exit 1
}
read -r token ends <<<"$answer"

# How you reach the cluster is how the hub does; without a CA of its own, by those that the image trusts.
of_cluster() { oc --context "$context" config view --minify --flatten --raw -o "jsonpath={.clusters[0].cluster.$1}"; }
ca=$(of_cluster certificate-authority-data)
cat >"$folder/config" <<EOF
apiVersion: v1
kind: Config
clusters:
  - name: $context
    cluster:
      server: $(of_cluster server)
${ca:+      certificate-authority-data: $ca
}users:
  - name: $context
    user:
      token: $token
contexts:
  - name: $context
    context: { cluster: $context, user: $context }
current-context: $context
EOF
oc --context "$hub" create secret generic "$secret" -n $namespace --from-file=config="$folder/config" \
  --dry-run=client -o yaml | oc --context "$hub" apply --server-side --force-conflicts -f -
oc --context "$hub" annotate secret "$secret" -n $namespace --overwrite "spire-federation/token-ends=$ends" >/dev/null
echo "$context: the token of $account ends at $ends (the cluster may allow less than 90 days)" >&2
echo "Pods have it after a minute. Then end those of earlier runs:" >&2
echo "  oc --context $context delete secret -n $namespace -l spire-federation/token-of=$account --field-selector metadata.name!=$bound" >&2
