package ztwim

import (
	"context"
	"strings"
)

// agent runs SPIRE's agent on every node.
func (j *job) agent(ctx context.Context) error {
	j.valid()
	if err := j.build(ctx, []part{
		{"agent-service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
		{"agent-service.yaml", "ServiceAvailable", reasonReady, "All Service resources available", reasonFailed},
		{"agent-rbac.yaml", "RBACAvailable", reasonReady, "All RBAC resources available", reasonFailed},
	}); err != nil {
		return err
	}
	if err := j.scc(ctx, "agent-scc.yaml", "SpireAgentSCC", "Spire Agent SCC resources are"); err != nil {
		return err
	}
	if err := j.build(ctx, []part{{"agent-config.yaml", "ConfigMapAvailable", "SpireAgentConfigMapResourceCreated",
		"Spire Agent ConfigMap resources applied", "SpireAgentConfigMapGenerationFailed"}}); err != nil {
		return err
	}
	return j.roll(ctx, daemonSets, "spire-agent", "agent-daemonset.yaml", "SpireAgent")
}

// csiDriver brings the agent's socket into the pods that ask for it.
func (j *job) csiDriver(ctx context.Context) error {
	j.valid()
	if err := j.build(ctx, []part{
		{"csi-service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
		{"csi-driver.yaml", "CSIDriverAvailable", reasonReady, "All CSIDriver resources available", reasonFailed},
	}); err != nil {
		return err
	}
	if err := j.scc(ctx, "csi-scc.yaml", "SpiffeCSISCC", "SpiffeCSISCC resource is"); err != nil {
		return err
	}
	return j.roll(ctx, daemonSets, "spire-spiffe-csi-driver", "csi-daemonset.yaml", "SpiffeCSI")
}

// valid reports what is checked only for the server: here the CRDs check all that the lab can tell.
func (j *job) valid() {
	j.found.add(configurationValid, true, configurationValid, "All configuration fields are valid")
}

// scc lets the pods be as privileged as they have to be; nothing here enforces it.
func (j *job) scc(ctx context.Context, file, prefix, what string) error {
	const condition = "SecurityContextConstraintsAvailable"
	did, err := j.apply(ctx, j.view, file, j.resource)
	switch {
	case err != nil:
		j.found.add(condition, false, prefix+did.failed, err.Error())
	case did == nothing:
		j.found.add(condition, true, prefix+"ResourceUpToDate", what+" up to date")
	default:
		j.found.add(condition, true, prefix+"Resource"+did.done, what+" "+strings.ToLower(did.done))
	}
	return err
}
