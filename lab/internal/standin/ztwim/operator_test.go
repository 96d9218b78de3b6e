package ztwim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spire-federation/lab/internal/release"
)

var (
	configMap = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	service   = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	role      = schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}
	route     = schema.GroupVersionKind{Group: "route.openshift.io", Version: "v1", Kind: "Route"}
)

// TestOperator runs the operator with the rights of its own ServiceAccount against a real API server. Nobody runs
// pods there: the StatefulSet's status is written by hand.
func TestOperator(t *testing.T) {
	config, c := apiServer(t)
	ctx := context.Background()
	olm := object(operatorCondition)
	olm.SetName(product + ".v1.1.1")
	olm.SetNamespace(product)
	must(t, c.Create(ctx, olm))
	startOperator(t, config, c)
	mayUpgrade(t, c, "nothing is there that could break", "True", "Operator is Upgradeable")

	must(t, c.Create(ctx, spireServer()))
	becomes(t, c, "a server without a manager fails", ready, "False", reasonFailed)
	must(t, c.Create(ctx, ztwimCluster()))

	becomes(t, c, "the rollout is awaited", "StatefulSetAvailable", "False", "StatefulSetNotReady")
	becomes(t, c, "Ready says so", ready, "False", reasonProgressing)
	mayUpgrade(t, c, "the server is not ready", "False", "Not safe to upgrade - existing operands are not ready: [SpireServer]")
	rollOut(t, c)
	becomes(t, c, "all is well", ready, "True", reasonReady)
	mayUpgrade(t, c, "the server is ready", "True", "Operator is Upgradeable")
	for condition, reason := range map[string]string{
		"StatefulSetAvailable": "StatefulSetReady", "ServerConfigMapAvailable": "SpireConfigMapResourceCreated",
		"ControllerManagerConfigAvailable": "SpireControllerManagerConfigMapCreated", "BundleConfigAvailable": "SpireBundleConfigMapCreated",
		"TTLConfigurationValid": "TTLValidationSucceeded", configurationValid: configurationValid, "ServiceAccountAvailable": reasonReady,
		"ServiceAvailable": reasonReady, "RBACAvailable": reasonReady, "ValidatingWebhookAvailable": reasonReady,
	} {
		becomes(t, c, "in the end", condition, "True", reason)
	}
	t.Run("the server belongs to the manager and its durations are rewritten", func(t *testing.T) {
		s := get(t, c, server, "", "cluster")
		if owners := s.GetOwnerReferences(); len(owners) != 1 || owners[0].Kind != manager.Kind {
			t.Errorf("owners: %v", owners)
		}
		if got, _, _ := unstructured.NestedString(s.Object, "spec", "caValidity"); got != "24h0m0s" {
			t.Errorf("caValidity is %q", got)
		}
	})
	t.Run("its own writes do not wake it", func(t *testing.T) {
		eventually(t, "nothing is written for half a second", func() error {
			before := get(t, c, server, "", "cluster").GetResourceVersion()
			time.Sleep(500 * time.Millisecond)
			return equal(get(t, c, server, "", "cluster").GetResourceVersion(), before)
		})
	})
	t.Run("the manager waits for the operands that nobody made", func(t *testing.T) {
		eventually(t, "summed up", func() error {
			s, err := statusOf(get(t, c, manager, "", "cluster"))
			must(t, err)
			if got := meta.FindStatusCondition(s.Conditions, ready); got == nil || got.Reason != reasonProgressing || !strings.Contains(got.Message, "SpireAgent(not created)") {
				return fmt.Errorf("Ready is %v", got)
			}
			if len(s.Operands) != 4 || s.Operands[0].Ready != "true" {
				return fmt.Errorf("operands are %v", s.Operands)
			}
			return nil
		})
	})
	t.Run("foreign edits are reverted, SPIRE's own bundle is not", func(t *testing.T) {
		want := data(t, c, "spire-server")
		setData(t, c, "spire-server", fields{"server.conf": "{}"})
		eventually(t, "server.conf is back", func() error { return equal(data(t, c, "spire-server"), want) })
		setData(t, c, "spire-bundle", fields{"bundle.crt": "PEM"})
		must(t, c.Delete(ctx, get(t, c, service, product, "spire-server")))
		eventually(t, "the Service is back", func() error {
			return c.Get(ctx, client.ObjectKey{Namespace: product, Name: "spire-server"}, object(service))
		})
		if got := data(t, c, "spire-bundle"); !strings.Contains(got, "PEM") {
			t.Errorf("spire-bundle is %v", got)
		}
	})
	t.Run("Ready does not flap", func(t *testing.T) {
		if seen := readyWhileReconciling(t, c); slices.Contains(seen, "False") {
			t.Errorf("Ready was %v", seen)
		}
	})
	t.Run("an object of somebody else's is a conflict", func(t *testing.T) {
		unlabelled(t, c, "spire-controller-manager")
		becomes(t, c, "reported", "ControllerManagerConfigAvailable", "False", "ResourceConflict")
		s, err := statusOf(get(t, c, server, "", "cluster"))
		must(t, err)
		want := "resource " + product + "/spire-controller-manager already exists but is not managed by the operator"
		if got := meta.FindStatusCondition(s.Conditions, "ControllerManagerConfigAvailable").Message; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
		must(t, c.Delete(ctx, get(t, c, configMap, product, "spire-controller-manager")))
		becomes(t, c, "healed", "ControllerManagerConfigAvailable", "True", "SpireControllerManagerConfigMapCreated")
	})
	t.Run("a refused Route is reported and comes when it is allowed", func(t *testing.T) {
		hash := configHash(t, c)
		refuse := refusal(t, c)
		change(t, c, set{"federation", federation(servingCert())})
		becomes(t, c, "refused", routeAvailable, "False", "FederationRouteCreationFailed")
		becomes(t, c, "and so not ready", ready, "False", reasonFailed)
		if got := fmt.Sprint(get(t, c, role, product, "spire-server-external-cert-reader").Object["rules"]); got !=
			"[map[apiGroups:[] resourceNames:[spire-server-federation-tls] resources:[secrets] verbs:[get]] map[apiGroups:[] resources:[secrets] verbs:[list watch]]]" {
			t.Errorf("the router may %s", got)
		}
		if configHash(t, c) == hash {
			t.Error("the config hash is what it was: no pod would restart")
		}
		must(t, c.Delete(ctx, refuse))
		eventually(t, "the Route is there", func() error {
			return c.Get(ctx, client.ObjectKey{Namespace: product, Name: "spire-server-federation"}, object(route))
		})
		rollOut(t, c)
		becomes(t, c, "made", routeAvailable, "True", "")
		becomes(t, c, "and so ready", ready, "True", reasonReady)
		if owners := get(t, c, route, product, "spire-server-federation").GetOwnerReferences(); owners != nil {
			t.Errorf("the Route has owners: %v", owners)
		}
		if got := get(t, c, service, product, "spire-server").GetAnnotations(); got["service.beta.openshift.io/serving-cert-secret-name"] != "spire-server-serving-cert" {
			t.Errorf("annotations of the Service: %v", got)
		}
	})
	t.Run("an edited Route becomes ours again", func(t *testing.T) {
		r := get(t, c, route, product, "spire-server-federation")
		must(t, unstructured.SetNestedField(r.Object, "/elsewhere", "spec", "path"))
		must(t, c.Update(ctx, r))
		eventually(t, "the path is gone", func() error {
			path, _, _ := unstructured.NestedString(get(t, c, route, product, "spire-server-federation").Object, "spec", "path")
			return equal(path, "")
		})
	})
	t.Run("a cluster may not be its own peer", func(t *testing.T) {
		change(t, c, set{"federation.federatesWith", []any{peer("apps.cluster1.example.com")}})
		becomes(t, c, "refused", configurationValid, "False", "InvalidFederationConfiguration")
		change(t, c, set{"federation.federatesWith", []any{peer("apps.cluster2.example.com")}})
		becomes(t, c, "accepted", configurationValid, "True", "")
		if got := data(t, c, "spire-server"); !strings.Contains(got, "federates_with") {
			t.Errorf("the peer is not in server.conf: %s", got)
		}
	})
	t.Run("with a Route of one's own Ready stays away", func(t *testing.T) {
		change(t, c, set{"federation.managedRoute", "false"})
		rollOut(t, c)
		becomes(t, c, "disabled", routeAvailable, "False", "FederationRouteDisabled")
		becomes(t, c, "failed", ready, "False", reasonFailed)
		mayUpgrade(t, c, "the server is not ready", "False", "Not safe to upgrade - existing operands are not ready: [SpireServer]")
		get(t, c, route, product, "spire-server-federation")
	})
}

// TestOneZero: what 1.0 does otherwise, where a real API server is part of it.
func TestOneZero(t *testing.T) {
	t.Setenv("OPERATOR_VERSION", "1.0.0")
	config, c := apiServer(t)
	ctx := context.Background()
	startOperator(t, config, c)
	must(t, c.Create(ctx, ztwimCluster()))
	made := edit(t, spireServer(), set{"federation", federation(servingCert())},
		set{"upstreamAuthority", fields{"certManager": fields{"namespace": "pki", "issuerName": "spire-ca"}}})
	must(t, c.Create(ctx, made))
	if _, kept := made.Object["spec"].(fields)["upstreamAuthority"]; kept {
		t.Error("the API of 1.0 keeps upstreamAuthority")
	}
	becomes(t, c, "the rollout is awaited", "StatefulSetAvailable", "False", "StatefulSetNotReady")
	rollOut(t, c)
	becomes(t, c, "all is well", ready, "True", reasonReady)
	t.Run("the router gets no rights", func(t *testing.T) {
		if err := c.Get(ctx, client.ObjectKey{Namespace: product, Name: "spire-server-external-cert-reader"}, object(role)); !apierrors.IsNotFound(err) {
			t.Errorf("its Role: %v", err)
		}
	})
	t.Run("Ready flaps", func(t *testing.T) {
		if seen := readyWhileReconciling(t, c); !slices.Contains(seen, "False") {
			t.Errorf("Ready was %v", seen)
		}
	})
	t.Run("an object of somebody else's fails its step", func(t *testing.T) {
		unlabelled(t, c, "spire-controller-manager")
		becomes(t, c, "reported", "ControllerManagerConfigAvailable", "False", "SpireControllerManagerConfigMapGenerationFailed")
	})
}

// TestCreateOnlyMode: what is missing is made, what is there stays as it is. The main resource says so as long as it is so.
func TestCreateOnlyMode(t *testing.T) {
	config, c := apiServer(t)
	t.Setenv("CREATE_ONLY_MODE", "True")
	stop := startOperator(t, config, c)
	must(t, c.Create(context.Background(), ztwimCluster()))
	must(t, c.Create(context.Background(), spireServer()))
	becomes(t, c, "shown", createOnlyMode, "True", "CreateOnlyModeEnabled")
	before := data(t, c, "spire-server")
	generation := change(t, c, set{"logLevel", "debug"})
	becomes(t, c, "looked at again", "StatefulSetAvailable", "False", "StatefulSetNotReady")
	must(t, c.Delete(context.Background(), get(t, c, configMap, product, "spire-controller-manager")))
	eventually(t, "what is missing is made", func() error {
		return c.Get(context.Background(), client.ObjectKey{Namespace: product, Name: "spire-controller-manager"}, object(configMap))
	})
	if after := data(t, c, "spire-server"); after != before {
		t.Errorf("generation %d reached server.conf", generation)
	}
	becomesOf(t, c, manager, "shown", createOnlyMode, "True", "CreateOnlyModeEnabled")
	stop()
	t.Setenv("CREATE_ONLY_MODE", "")
	startOperator(t, config, c)
	becomesOf(t, c, manager, "taken back", createOnlyMode, "False", "CreateOnlyModeDisabled")
	becomes(t, c, "taken back", createOnlyMode, "False", "CreateOnlyModeDisabled")
}

// startOperator gives Run a kubeconfig with the token of the Deployment's ServiceAccount. ZTWIM_OPERATOR names the
// binary of the real operator, to see that these tests hold for it, too.
func startOperator(t *testing.T, config *rest.Config, c client.Client) (stop func()) {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: product, Name: product + "-controller-manager"}}
	token := &authenticationv1.TokenRequest{}
	must(t, c.SubResource("token").Create(context.Background(), account, token))
	kubeconfig := clientcmdapi.Config{
		CurrentContext: "lab", Contexts: map[string]*clientcmdapi.Context{"lab": {Cluster: "lab", AuthInfo: "lab"}},
		Clusters:  map[string]*clientcmdapi.Cluster{"lab": {Server: config.Host, InsecureSkipTLSVerify: true}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"lab": {Token: token.Status.Token}},
	}
	text, err := clientcmd.Write(kubeconfig)
	must(t, err)
	t.Setenv("KUBECONFIG", write(t, t.TempDir(), "kubeconfig", text))
	t.Setenv("OPERATOR_NAMESPACE", product)
	t.Setenv("OPERATOR_CONDITION_NAME", release.Of(os.Getenv("OPERATOR_VERSION")).CSV())
	for _, image := range []string{"SPIRE_SERVER", "SPIRE_CONTROLLER_MANAGER", "SPIRE_AGENT", "SPIFFE_CSI_DRIVER", "NODE_DRIVER_REGISTRAR", "SPIFFE_CSI_INIT_CONTAINER", "SPIRE_OIDC_DISCOVERY_PROVIDER"} {
		t.Setenv("RELATED_IMAGE_"+image, "registry.example.com/"+strings.ToLower(image)+":1")
	}
	flags := []string{"--health-probe-bind-address=" + freeAddress(t), "--v=0", "--metrics-bind-address=0", "--metrics-secure=false"}
	if real := os.Getenv("ZTWIM_OPERATOR"); real != "" {
		return process(t, t.TempDir(), real, flags...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := Run(ctx, flags); err != nil {
			t.Errorf("the operator ended: %v", err)
		}
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// mayUpgrade waits for what the operator tells OLM.
func mayUpgrade(t *testing.T, c client.Client, what, status, message string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s: Upgradeable=%s", what, status), func() error {
		u := get(t, c, operatorCondition, product, product+".v1.1.1")
		s, err := statusOf(u)
		must(t, err)
		got := meta.FindStatusCondition(s.Conditions, "Upgradeable")
		if got == nil || string(got.Status) != status || got.Message != message || got.ObservedGeneration != u.GetGeneration() {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// readyWhileReconciling collects the states of Ready that SpireServer/cluster goes through while a Service is removed and comes
// back, which changes nothing in the end.
func readyWhileReconciling(t *testing.T, c client.Client) []string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(server.GroupVersion().WithKind("SpireServerList"))
	watching, err := c.(client.WithWatch).Watch(ctx, list)
	must(t, err)
	defer watching.Stop()
	key := client.ObjectKey{Namespace: product, Name: "spire-controller-manager-webhook"}
	must(t, c.Delete(ctx, get(t, c, service, key.Namespace, key.Name)))
	eventually(t, "the Service is back", func() error { return c.Get(ctx, key, object(service)) })
	var seen []string
	for quiet := time.After(time.Second); ; {
		select {
		case event := <-watching.ResultChan():
			s, err := statusOf(event.Object.(*unstructured.Unstructured))
			must(t, err)
			seen = append(seen, string(meta.FindStatusCondition(s.Conditions, ready).Status))
		case <-quiet:
			return seen
		}
	}
}

// unlabelled takes the operator's label off a ConfigMap, which makes it somebody else's.
func unlabelled(t *testing.T, c client.Client, name string) {
	t.Helper()
	u := get(t, c, configMap, product, name)
	labels := u.GetLabels()
	delete(labels, managedBy)
	u.SetLabels(labels)
	must(t, c.Update(context.Background(), u))
}

func get(t *testing.T, c client.Client, kind schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	u := object(kind)
	must(t, c.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, u))
	return u
}

func becomes(t *testing.T, c client.Client, what, condition, status, reason string) {
	t.Helper()
	becomesOf(t, c, server, what, condition, status, reason)
}

// becomesOf waits until a condition of a resource has a status and a reason. Any reason will do where two
// reconciliations in a row may each write their own.
func becomesOf(t *testing.T, c client.Client, kind schema.GroupVersionKind, what, condition, status, reason string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s: %s=%s, %s", what, condition, status, reason), func() error {
		s, err := statusOf(get(t, c, kind, "", "cluster"))
		must(t, err)
		got := meta.FindStatusCondition(s.Conditions, condition)
		if got == nil || string(got.Status) != status || reason != "" && got.Reason != reason {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// change edits SpireServer/cluster, again when the operator was faster.
func change(t *testing.T, c client.Client, s set) (generation int64) {
	t.Helper()
	eventually(t, "changed "+s.path, func() error {
		u := edit(t, get(t, c, server, "", "cluster"), s)
		err := c.Update(context.Background(), u)
		generation = u.GetGeneration()
		if apierrors.IsConflict(err) {
			return err
		}
		must(t, err)
		return nil
	})
	return generation
}

// rollOut writes what the StatefulSet controller would, once the operator has followed SpireServer/cluster.
func rollOut(t *testing.T, c client.Client) {
	t.Helper()
	conf, err := config("server.conf", newView(get(t, c, server, "", "cluster").Object["spec"].(fields), get(t, c, manager, "", "cluster").Object["spec"].(fields), product, release.Of(os.Getenv("OPERATOR_VERSION"))))
	must(t, err)
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(conf)))
	eventually(t, "the StatefulSet has the configuration's hash", func() error { return equal(configHash(t, c), hash) })
	set := get(t, c, statefulSet, product, "spire-server")
	set.Object["status"] = fields{"observedGeneration": set.GetGeneration(), "replicas": int64(1), "readyReplicas": int64(1), "updatedReplicas": int64(1)}
	must(t, c.Status().Update(context.Background(), set))
}

func configHash(t *testing.T, c client.Client) string {
	t.Helper()
	var hash string
	eventually(t, "there is a StatefulSet", func() error {
		set := object(statefulSet)
		err := c.Get(context.Background(), client.ObjectKey{Namespace: product, Name: "spire-server"}, set)
		hash, _, _ = unstructured.NestedString(set.Object, "spec", "template", "metadata", "annotations", "ztwim.openshift.io/spire-server-config-hash")
		return err
	})
	return hash
}

func data(t *testing.T, c client.Client, name string) string {
	t.Helper()
	return fmt.Sprint(get(t, c, configMap, product, name).Object["data"])
}

func setData(t *testing.T, c client.Client, name string, value fields) {
	t.Helper()
	u := get(t, c, configMap, product, name)
	u.Object["data"] = value
	must(t, c.Update(context.Background(), u))
}

func equal(got, want string) error {
	if got != want {
		return fmt.Errorf("it is %s, want %s", got, want)
	}
	return nil
}

// refusal is a policy that refuses every Route, in force when it returns.
func refusal(t *testing.T, c client.Client) *unstructured.Unstructured {
	t.Helper()
	ctx := context.Background()
	policies := schema.GroupVersion{Group: "admissionregistration.k8s.io", Version: "v1"}
	policy, binding := object(policies.WithKind("ValidatingAdmissionPolicy")), object(policies.WithKind("ValidatingAdmissionPolicyBinding"))
	policy.SetName("no-routes")
	policy.Object["spec"] = fields{
		"matchConstraints": fields{"resourceRules": []any{fields{
			"apiGroups": []any{"route.openshift.io"}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE"}, "resources": []any{"routes"},
		}}},
		"validations": []any{fields{"expression": "false", "message": "the router may not read the secret"}},
	}
	binding.SetName("no-routes")
	binding.Object["spec"] = fields{"policyName": "no-routes", "validationActions": []any{"Deny"}}
	must(t, c.Create(ctx, policy))
	must(t, c.Create(ctx, binding))
	probe := object(route)
	probe.SetName("probe")
	probe.SetNamespace(product)
	probe.Object["spec"] = fields{"to": fields{"kind": "Service", "name": "x", "weight": int64(1)}}
	eventually(t, "Routes are refused", func() error {
		if err := c.Create(ctx, probe.DeepCopy(), client.DryRunAll); err == nil {
			return errors.New("it was accepted")
		}
		return nil
	})
	return binding
}
