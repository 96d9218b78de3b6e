package control

import (
	"path/filepath"
	"strings"

	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/pki"
)

// Provisioned is where the hostPath provisioner of kube-controller-manager makes volumes; it has no setting for that.
const Provisioned = "/tmp/hostpath_pv"

const etcdURL = "http://127.0.0.1:2379" // in the cluster's own network namespace

// Etcd is the cluster's store. Nothing in it outlives the machine, so it need not wait for the disk.
func Etcd(dir string) Process {
	return Process{Name: "etcd", Args: []string{
		"--data-dir=" + filepath.Join(dir, "etcd"),
		"--listen-client-urls=" + etcdURL,
		"--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--auto-compaction-mode=periodic",
		"--auto-compaction-retention=5m",
	}}
}

// APIServer listens on the node's address: 443 there is the router's. Webhooks behind Services are reached by their
// ClusterIPs, as on a real control plane.
func APIServer(plan network.Plan, certs string, audit Audit, admission string) Process {
	crt, key := pairs(certs)
	return Process{
		Name: "kube-apiserver",
		Env:  []string{"GOGC=200"}, // with less, up to half of its time goes into collecting garbage; with 400 it takes half as much memory again
		Args: []string{
			"--etcd-servers=" + etcdURL,
			"--bind-address=" + plan.NodeIP.String(),
			"--advertise-address=" + plan.NodeIP.String(),
			"--secure-port=6443",
			"--tls-cert-file=" + crt(pki.APIServer),
			"--tls-private-key-file=" + key(pki.APIServer),
			"--client-ca-file=" + crt(pki.ClusterCA),
			"--authorization-mode=RBAC",
			"--admission-control-config-file=" + admission,
			"--audit-policy-file=" + audit.Policy,
			"--audit-log-path=" + audit.Log,
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + crt(pki.ServiceAccounts),
			"--service-account-signing-key-file=" + key(pki.ServiceAccounts),
			"--service-cluster-ip-range=" + plan.Services.String(),
			"--kubelet-certificate-authority=" + crt(pki.ClusterCA),
			"--kubelet-client-certificate=" + crt(pki.KubeletClient),
			"--kubelet-client-key=" + key(pki.KubeletClient),
			"--kubelet-preferred-address-types=InternalIP",
			"--allow-privileged=true",
			"--profiling=false",
			"--enable-priority-and-fairness=false",
		},
	}
}

// ControllerManager makes PersistentVolumes, too: the hostPath provisioner is the only one there is.
func ControllerManager(certs string) Process {
	crt, key := pairs(certs)
	return Process{
		Name: "kube-controller-manager",
		Args: append(asClient(certs, pki.Controllers),
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+key(pki.ServiceAccounts),
			"--root-ca-file="+crt(pki.ClusterCA),
			"--cluster-signing-cert-file="+crt(pki.ClusterCA),
			"--cluster-signing-key-file="+key(pki.ClusterCA),
			"--controllers="+strings.Join(controllers, ","),
			"--enable-hostpath-provisioner=true",
			// By default it throttles itself for 4.5 s while it makes its own ServiceAccounts.
			"--kube-api-qps=300",
			"--kube-api-burst=600",
		),
	}
}

// controllers are those that something in the lab relies on (node-lifecycle takes the taint of a new node away). An idle
// cluster's take 0.4 s of processor time a minute, all there are 0.7 s.
var controllers = []string{
	"namespace-controller", "garbage-collector-controller", "clusterrole-aggregation-controller",
	"serviceaccount-controller", "serviceaccount-token-controller", "root-ca-certificate-publisher-controller",
	"deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller", "job-controller",
	"endpoints-controller", "endpointslice-controller", "node-lifecycle-controller",
	"persistentvolume-binder-controller", "persistentvolume-protection-controller", "persistentvolumeclaim-protection-controller",
}

// Scheduler puts every pod on the one node there is.
func Scheduler(certs string) Process {
	return Process{Name: "kube-scheduler", Args: asClient(certs, pki.Scheduler)}
}

// asClient returns the flags of a server that works through the API server, and is the only one of its kind.
func asClient(certs, name string) []string {
	kubeconfig := filepath.Join(certs, name+".kubeconfig")
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
	}
}

// pairs returns the paths of the files of a pki folder.
func pairs(dir string) (crt, key func(name string) string) {
	return func(name string) string { return filepath.Join(dir, name+".crt") },
		func(name string) string { return filepath.Join(dir, name+".key") }
}
