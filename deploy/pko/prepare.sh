# Prepares the workspace of one stack, before the operator's agent opens it: the project from the image, the stack's own
# files from its ConfigMap, and the stacks in the backend. Running it again is safe.
set -eu
mkdir -p "$PULUMI_HOME" "$WORKSPACE"
ln -sfn "$IMAGE_PLUGINS" "$PULUMI_HOME/plugins"
cd "$IMAGE_PROJECT"
for entry in *; do
  [ "$entry" = node_modules ] || cp -R "$entry" "$WORKSPACE/"
done
ln -sfn "$IMAGE_PROJECT/node_modules" "$WORKSPACE/node_modules"
cp -RL "$STACK_FILES"/* "$WORKSPACE/"
cd "$WORKSPACE"
# For Pulumi alone: with KUBECONFIG in the container, the agent would ask the member's API server who calls it, not its own.
echo "KUBECONFIG=$MEMBER_KUBECONFIG" >"$PULUMI_ENV"
# A run fails while a peer's stack does not exist. Several workspaces may create one stack at the same time, and the
# backend may be out of reach: both end in another try.
make_stack() {
  until pulumi stack select "$1" --non-interactive || pulumi stack init "$@" --non-interactive; do sleep 5; done
}
