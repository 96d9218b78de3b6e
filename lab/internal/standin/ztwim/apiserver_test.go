package ztwim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/catalog"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/manifests"
)

// apiServer starts etcd and a kube-apiserver of the toolchain on loopback, applies the CRDs of OpenShift that
// the operator needs and our own manifests, and returns an administrator's access. The release is that of OPERATOR_VERSION.
func apiServer(t *testing.T) (*rest.Config, client.Client) {
	t.Helper()
	toolchain := os.Getenv("LAB_TOOLCHAIN")
	if toolchain == "" {
		t.Skip("LAB_TOOLCHAIN is not set: no kube-apiserver to test with")
	}
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	keyFile := write(t, dir, "sa.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	tokens := write(t, dir, "tokens", []byte("admin,admin,admin,system:masters\n"))
	etcd, peer, secure := freeAddress(t), freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(secure)
	process(t, dir, filepath.Join(toolchain, "bin/etcd"), "--data-dir="+dir+"/etcd", "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=http://"+etcd, "--advertise-client-urls=http://"+etcd, "--listen-peer-urls=http://"+peer,
		"--initial-advertise-peer-urls=http://"+peer, "--initial-cluster=default=http://"+peer)
	process(t, dir, filepath.Join(toolchain, "bin/kube-apiserver"), "--etcd-servers=http://"+etcd, "--cert-dir="+dir,
		"--bind-address=127.0.0.1", "--secure-port="+port, "--endpoint-reconciler-type=none", "--service-cluster-ip-range=198.18.8.0/24",
		"--token-auth-file="+tokens, "--authorization-mode=RBAC", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+keyFile, "--service-account-signing-key-file="+keyFile,
		"--disable-admission-plugins=ServiceAccount", "--allow-privileged=true")
	config := &rest.Config{
		Host: "https://" + secure, BearerToken: "admin", QPS: 200, Burst: 400,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
	}
	ready, err := discovery.NewDiscoveryClientForConfig(config)
	must(t, err)
	eventually(t, "the API server is ready", func() error {
		// Only then are there the roles by which a ServiceAccount may ask what is served.
		err := ready.RESTClient().Get().AbsPath("/readyz").Do(context.Background()).Error()
		if err != nil {
			text, _ := os.ReadFile(filepath.Join(dir, "kube-apiserver.log"))
			err = fmt.Errorf("%w; its log ends with: %s", err, text[max(0, len(text)-1000):])
		}
		return err
	})
	files, err := apply.Render(manifests.Files, apply.Values{Cluster: "cluster1", Domain: "apps.cluster1.example.com", TrustDomain: "apps.cluster1.example.com",
		ZTWIM: release.Of(os.Getenv("OPERATOR_VERSION"))})
	must(t, err)
	objects, err := apply.CRDs(toolchain)
	must(t, err)
	for _, file := range files {
		if slices.Contains([]string{"10-base.yaml", "20-openshift-6-scc.yaml"}, file.Name) {
			objects = append(objects, file.Objects...)
		}
	}
	objects = append(objects, installed(t, toolchain)...)
	applier, err := apply.New(config)
	must(t, err)
	must(t, applier.Apply(context.Background(), objects))
	c, err := client.NewWithWatch(config, client.Options{})
	must(t, err)
	return config, c
}

// installed is what OLM makes of the bundle but the Deployment: the CRDs and the operator's ServiceAccount with its rights.
func installed(t *testing.T, toolchain string) []unstructured.Unstructured {
	t.Helper()
	csv, objects, err := catalog.ZTWIM(release.Of(os.Getenv("OPERATOR_VERSION")))
	must(t, err)
	crds, err := filepath.Glob(filepath.Join(toolchain, "crds", "spire", "*.yaml"))
	must(t, err)
	for _, file := range crds {
		text, err := os.ReadFile(file)
		must(t, err)
		parsed, err := apply.Parse(text)
		must(t, err)
		objects = append(objects, parsed...)
	}
	permissions, _, _ := unstructured.NestedSlice(csv.Object, "spec", "install", "spec", "clusterPermissions")
	const account = product + "-controller-manager"
	for _, o := range []fields{
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": fields{"name": account, "namespace": product}},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": fields{"name": account}, "rules": permissions[0].(fields)["rules"]},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": fields{"name": account},
			"roleRef":  fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": account},
			"subjects": []any{fields{"kind": "ServiceAccount", "name": permissions[0].(fields)["serviceAccountName"], "namespace": product}}},
	} {
		objects = append(objects, unstructured.Unstructured{Object: o})
	}
	return objects
}

func process(t *testing.T, dir, binary string, args ...string) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, filepath.Base(binary)+".log"))
	must(t, err)
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(stop)
	return stop
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

// eventually tries until it works; the limit only keeps a broken test from hanging.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
