#!/usr/bin/env bash
# Gives the hub access to a member: Secret kubeconfig-<stack> on the hub, with a token of the member's ServiceAccount
# deployer that lasts until Secret deployer-hub is deleted on the member. Both contexts are of your kubeconfig. With
# auditor it is Secret auditor-<stack>, and a token of ServiceAccount auditor until Secret auditor-hub is deleted.
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

oc --context "$context" apply -f - <<EOF
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: $account-hub
  namespace: $namespace
  annotations:
    kubernetes.io/service-account.name: $account
EOF
token=
for _ in {1..30}; do
  token=$(oc --context "$context" get secret "$account-hub" -n $namespace -o 'jsonpath={.data.token}' | base64 -d)
  [ -z "$token" ] || break
  sleep 1
done
[ -n "$token" ] || { echo "$context: Secret $account-hub has no token; is there a ServiceAccount $account?" >&2; exit 1; }

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
