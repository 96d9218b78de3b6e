package services

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// fixture is a table and the stores behind it.
type fixture struct {
	*table
	services, slices, nodes cache.Indexer
}

func newFixture() fixture {
	byNamespace := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	services := cache.NewIndexer(cache.MetaNamespaceKeyFunc, byNamespace)
	slices := cache.NewIndexer(cache.MetaNamespaceKeyFunc, byNamespace)
	nodes := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	t := &table{corelisters.NewServiceLister(services), discoverylisters.NewEndpointSliceLister(slices), corelisters.NewNodeLister(nodes)}
	return fixture{t, services, slices, nodes}
}

func (f fixture) service(t *testing.T, name, clusterIP string, ports ...corev1.ServicePort) {
	t.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	s.Spec.ClusterIP, s.Spec.Ports = clusterIP, ports
	if err := f.services.Add(s); err != nil {
		t.Fatal(err)
	}
}

// slice adds endpoints of a Service: address -> ready.
func (f fixture) slice(t *testing.T, service, port string, number int32, endpoints map[string]*bool) {
	t.Helper()
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: service + port, Labels: map[string]string{discoveryv1.LabelServiceName: service},
	}}
	s.Ports = []discoveryv1.EndpointPort{{Name: &port, Port: &number}}
	for address, ready := range endpoints {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ready}})
	}
	if err := f.slices.Add(s); err != nil {
		t.Fatal(err)
	}
}

func tcp(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, Protocol: corev1.ProtocolTCP}
}

func TestFrontsAreTheTCPPortsOfClusterIPs(t *testing.T) {
	f := newFixture()
	f.service(t, "web", "198.18.24.5", tcp("https", 443), tcp("metrics", 9402))
	f.service(t, "headless", corev1.ClusterIPNone, tcp("https", 443))
	f.service(t, "external", "", tcp("https", 443))
	f.service(t, "udp", "198.18.24.6", corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP})
	got, err := f.fronts()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["198.18.24.5:443"] != (front{"shop", "web", "https"}) || got["198.18.24.5:9402"] != (front{"shop", "web", "metrics"}) {
		t.Errorf("fronts = %v", got)
	}
}

func TestBackendsAreReadyEndpointsOfThePort(t *testing.T) {
	f := newFixture()
	f.slice(t, "web", "https", 8443, map[string]*bool{"198.18.16.2": ptr.To(true), "198.18.16.3": ptr.To(false), "198.18.16.4": nil})
	f.slice(t, "web", "metrics", 9402, map[string]*bool{"198.18.16.2": ptr.To(true)})
	f.slice(t, "other", "https", 1, map[string]*bool{"198.18.16.9": ptr.To(true)})
	got := f.backends(front{"shop", "web", "https"})
	slices.Sort(got)
	if want := []string{"198.18.16.2:8443", "198.18.16.4:8443"}; !slices.Equal(got, want) {
		t.Errorf("backends = %v, want %v", got, want)
	}
}

func TestNames(t *testing.T) {
	f := newFixture()
	f.service(t, "web", "198.18.24.5")
	f.service(t, "db", corev1.ClusterIPNone)
	f.slice(t, "db", "sql", 5432, map[string]*bool{"198.18.16.2": ptr.To(true), "198.18.16.3": ptr.To(false)})
	for _, c := range []struct {
		name   string
		want   string
		exists bool
	}{
		{"web.shop.svc.cluster.local", "198.18.24.5", true},
		{"db.shop.svc.cluster.local", "198.18.16.2", true},
		{"web.other.svc.cluster.local", "", false},
		{"web.shop.svc.cluster.local.example.com", "", false},
		{"web.shop", "", false},
		{"svc.cluster.local", "", false},
	} {
		got, exists := f.lookup(c.name)
		var want []netip.Addr
		if c.want != "" {
			want = []netip.Addr{netip.MustParseAddr(c.want)}
		}
		if exists != c.exists || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", c.name, got, exists)
		}
	}
}

// TestAClientIsHeldUntilABackendIsReady also shows that both sides can end their half of the conversation.
func TestAClientIsHeldUntilABackendIsReady(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can enter a network namespace here, even its own")
	}
	ns, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	go func() {
		conn, err := backend.Accept()
		if err != nil {
			return
		}
		request, _ := io.ReadAll(conn) // ends when the client's half is closed
		_, _ = conn.Write(append([]byte("you said "), request...))
		conn.Close()
	}()
	f := newFixture()
	free := freePort(t)
	f.service(t, "echo", "127.0.0.1", tcp("echo", free))
	ctx, stop := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}, 1), make(chan error, 1)
	changed <- struct{}{}
	go func() { ended <- (&proxy{ns: ns, table: f.table}).run(ctx, changed) }()

	client := dialUntilListening(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(free))))
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	f.slice(t, "echo", "echo", int32(backend.Addr().(*net.TCPAddr).Port), map[string]*bool{"127.0.0.1": ptr.To(true)})
	answer, err := io.ReadAll(client)
	if err != nil || string(answer) != "you said hello" {
		t.Errorf("answer %q, %v", answer, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func freePort(t *testing.T) int32 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}

func dialUntilListening(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp4", address)
		if err == nil {
			return conn.(*net.TCPConn)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestNamesOfNodesLeadToThem(t *testing.T) {
	f := newFixture()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1.lab.internal"}}
	node.Status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "worker-1.lab.internal"}, {Type: corev1.NodeInternalIP, Address: "198.18.16.1"},
	}
	if err := f.nodes.Add(node); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]netip.Addr{"worker-1.lab.internal": {netip.MustParseAddr("198.18.16.1")}, "worker-2.lab.internal": nil} {
		if got, exists := f.node(name); !slices.Equal(got, want) || exists != (want != nil) {
			t.Errorf("%s: %v, %v", name, got, exists)
		}
	}
}
