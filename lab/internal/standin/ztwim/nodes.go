package ztwim

import (
	"context"
	"strings"
)

// agent runs SPIRE's agent on every node.
func (j *job) agent(ctx context.Context) error {
	if !j.valid() {
		return nil
	}
	if err := j.build(ctx, []part{
		{"agent-service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
		{"agent-service.yaml", "ServiceAvailable", reasonReady, "All Service resources available", reasonFailed},
		{"agent-rbac.yaml", "RBACAvailable", reasonReady, "All RBAC resources available", reasonFailed},
	}); err != nil {
		return err
	}
	if err := j.scc(ctx, "agent-scc.yaml", "SpireAgentSCC", "Resource", "Spire Agent SCC resources are"); err != nil {
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
	if !j.valid() {
		return nil
	}
	if err := j.build(ctx, []part{
		{"csi-service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
		{"csi-driver.yaml", "CSIDriverAvailable", reasonReady, "All CSIDriver resources available", reasonFailed},
	}); err != nil {
		return err
	}
	if err := j.csiSCC(ctx); err != nil {
		return err
	}
	return j.roll(ctx, daemonSets, "spire-spiffe-csi-driver", "csi-daemonset.yaml", "SpiffeCSI")
}

// valid reports what the CRDs do not check, which is the proxy alone: the rest is checked only for the server.
func (j *job) valid() bool {
	if !validateProxy(&j.found) {
		return false
	}
	j.found.add(configurationValid, true, configurationValid, "All configuration fields are valid")
	return true
}

// csiSCC is an SCC of the driver's own in 1.0. From 1.1 on it is the platform's `privileged`; the old one stays where it is.
func (j *job) csiSCC(ctx context.Context) error {
	if j.release.OneZero() {
		return j.scc(ctx, "csi-scc.yaml", "SpiffeCSISCC", "Resource", "SpiffeCSISCC resource is")
	}
	return j.scc(ctx, "csi-privileged.yaml", "SpiffeCSIPrivilegedRoleBinding", "", "Privileged SCC RoleBinding is")
}

// scc lets the pods be as privileged as they have to be; nothing here enforces it.
func (j *job) scc(ctx context.Context, file, prefix, resource, what string) error {
	const condition = "SecurityContextConstraintsAvailable"
	did, err := j.apply(ctx, j.view, file, j.resource)
	switch {
	case err != nil:
		j.found.add(condition, false, reasonOf(err, prefix+did.failed), err.Error())
	case did == nothing:
		j.found.add(condition, true, prefix+resource+"UpToDate", what+" up to date")
	default:
		j.found.add(condition, true, prefix+resource+did.done, what+" "+strings.ToLower(did.done))
	}
	return err
}
