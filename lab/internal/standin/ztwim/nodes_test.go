package ztwim

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spire-federation/lab/internal/release"
)

// TestAgentConfiguration compares every byte with what the operator writes for the same resource.
func TestAgentConfiguration(t *testing.T) {
	for golden, of := range map[string]release.Release{"agent-1.0.conf": oneZero, "agent-1.1.conf": newest} {
		same(t, agentView(of), "agent.conf", golden)
	}
}

func agentView(of release.Release) fields {
	return newView(fields{
		"logLevel": "info", "logFormat": "text", "nodeAttestor": fields{"k8sPSATEnabled": "true"},
		"workloadAttestors": fields{"k8sEnabled": "true", "disableContainerSelectors": "false", "useNewContainerLocator": "true",
			"workloadAttestorsVerification": fields{"type": "auto"}},
	}, fields{"trustDomain": "apps.cluster1.example.com", "clusterName": "cluster1"}, product, of)
}

// TestKubeletCA: the agent checks its kubelet with the file that the resource names, with OpenShift's, or not at all.
func TestKubeletCA(t *testing.T) {
	for name, test := range map[string]struct {
		check fields
		want  any
	}{
		"nothing said":      {nil, nil},
		"skip":              {fields{"type": "skip"}, nil},
		"auto":              {fields{"type": "auto"}, "/etc/kubernetes/kubelet-ca.crt"},
		"auto, half a path": {fields{"type": "auto", "hostCertBasePath": "/a"}, "/etc/kubernetes/kubelet-ca.crt"},
		"hostCert":          {fields{"type": "hostCert", "hostCertBasePath": "/a", "hostCertFileName": "b"}, "/a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := fields{"workloadAttestors": fields{}}
			if test.check != nil {
				spec["workloadAttestors"] = fields{"workloadAttestorsVerification": test.check}
			}
			if got := kubeletCA(spec)["path"]; got != test.want {
				t.Errorf("it is %v, want %v", got, test.want)
			}
		})
	}
}

// TestNodes runs the operator for the resources whose pods are on every node; nobody runs those pods here.
func TestNodes(t *testing.T) {
	config, c := apiServer(t)
	startOperator(t, config, c)
	ctx := context.Background()
	must(t, c.Create(ctx, ztwimCluster()))
	for kind, set := range map[schema.GroupVersionKind]struct {
		name, scc  string
		spec       fields
		conditions []string
	}{
		agent: {"spire-agent", "SpireAgentSCCResource", fields{"nodeAttestor": fields{"k8sPSATEnabled": "true"}, "workloadAttestors": fields{"k8sEnabled": "true"}},
			[]string{"ServiceAccountAvailable", "ServiceAvailable", "RBACAvailable", "ConfigMapAvailable", configurationValid}},
		driver: {"spire-spiffe-csi-driver", "SpiffeCSIPrivilegedRoleBinding", fields{},
			[]string{"ServiceAccountAvailable", "CSIDriverAvailable", configurationValid}},
	} {
		t.Run(kind.Kind, func(t *testing.T) {
			u := object(kind)
			u.SetName("cluster")
			u.Object["spec"] = set.spec
			must(t, c.Create(ctx, u))
			becomesOf(t, c, kind, "pods are awaited", "DaemonSetAvailable", "False", "DaemonSetNotReady")
			becomesOf(t, c, kind, "Ready says so", ready, "False", reasonProgressing)
			ds := get(t, c, daemonSet, product, set.name)
			if owners := ds.GetOwnerReferences(); len(owners) != 1 || owners[0].Kind != kind.Kind {
				t.Errorf("owners of the DaemonSet: %v", owners)
			}
			ds.Object["status"] = fields{"observedGeneration": ds.GetGeneration(), "desiredNumberScheduled": int64(1), "currentNumberScheduled": int64(1),
				"numberMisscheduled": int64(0), "numberReady": int64(1), "updatedNumberScheduled": int64(1), "numberAvailable": int64(1)}
			must(t, c.Status().Update(ctx, ds))
			becomesOf(t, c, kind, "pods are there", "DaemonSetAvailable", "True", "DaemonSetReady")
			becomesOf(t, c, kind, "all is well", ready, "True", reasonReady)
			becomesOf(t, c, kind, "in the end", "SecurityContextConstraintsAvailable", "True", set.scc+"UpToDate")
			for _, condition := range set.conditions {
				becomesOf(t, c, kind, "in the end", condition, "True", "")
			}
		})
	}
	t.Run("SpireOIDCDiscoveryProvider", func(t *testing.T) {
		u := object(oidc)
		u.SetName("cluster")
		u.Object["spec"] = fields{"jwtIssuer": "https://oidc-discovery.apps.cluster1.example.com"}
		must(t, c.Create(ctx, u))
		becomesOf(t, c, oidc, "pods are awaited", "DeploymentAvailable", "False", "DeploymentNotReady")
		d := get(t, c, deployment, product, "spire-spiffe-oidc-discovery-provider")
		d.Object["status"] = fields{"observedGeneration": d.GetGeneration(), "replicas": int64(1), "readyReplicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1)}
		must(t, c.Status().Update(ctx, d))
		becomesOf(t, c, oidc, "all is well", ready, "True", reasonReady)
		for _, condition := range []string{"ServiceAccountAvailable", "ServiceAvailable", "ClusterSPIFFEIDAvailable", "ConfigMapAvailable", configurationValid, routeAvailable} {
			becomesOf(t, c, oidc, "in the end", condition, "True", "")
		}
		if host, _, _ := unstructured.NestedString(get(t, c, route, product, "spire-oidc-discovery-provider").Object, "spec", "host"); host != "oidc-discovery.apps.cluster1.example.com" {
			t.Errorf("the Route's host is %s", host)
		}
	})
	t.Run("an agent's new configuration reaches its pods", func(t *testing.T) {
		u := edit(t, get(t, c, agent, "", "cluster"), set{"logLevel", "debug"})
		must(t, c.Update(ctx, u))
		eventually(t, "the ConfigMap has it", func() error {
			if conf := data(t, c, "spire-agent"); !strings.Contains(conf, `"log_level": "debug"`) {
				return equal(conf, "one with log_level debug")
			}
			return nil
		})
		becomesOf(t, c, agent, "rolled out anew", "DaemonSetAvailable", "False", "DaemonSetNotReady")
	})
	t.Run("a removed CSIDriver comes back as it was", func(t *testing.T) {
		csiDriver := schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "CSIDriver"}
		must(t, c.Delete(ctx, get(t, c, csiDriver, "", "csi.spiffe.io")))
		eventually(t, "it is back", func() error { return c.Get(ctx, client.ObjectKey{Name: "csi.spiffe.io"}, object(csiDriver)) })
		u := get(t, c, csiDriver, "", "csi.spiffe.io")
		modes, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "volumeLifecycleModes")
		if strings.Join(modes, " ") != "Ephemeral" || metav1.GetControllerOf(u) == nil {
			t.Errorf("modes %v, owner %v", modes, metav1.GetControllerOf(u))
		}
	})
}
