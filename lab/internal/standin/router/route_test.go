package router

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *route {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	r, err := parseRoute(object)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheOldestRouteOverTLSServesAHost(t *testing.T) {
	routes := newTable(0)
	for key, r := range map[string]*route{
		"b/new":   parse(t, `{metadata: {creationTimestamp: "2026-02-01T00:00:00Z", name: new}, spec: {host: a.example.com, tls: {termination: reencrypt}}}`),
		"a/old":   parse(t, `{metadata: {creationTimestamp: "2026-01-01T00:00:00Z", name: old}, spec: {host: a.example.com, tls: {termination: passthrough}}}`),
		"a/plain": parse(t, `{metadata: {creationTimestamp: "2025-01-01T00:00:00Z", name: plain}, spec: {host: a.example.com}}`),
		"a/path":  parse(t, `{metadata: {creationTimestamp: "2025-01-01T00:00:00Z", name: path}, spec: {host: a.example.com, path: /x, tls: {termination: reencrypt}}}`),
		"a/none":  parse(t, `{metadata: {creationTimestamp: "2025-01-01T00:00:00Z", name: none}, spec: {tls: {termination: reencrypt}}}`),
	} {
		routes.set(key, r)
	}
	if got := routes.find("A.example.com", (*route).secure); got == nil || got.Name != "old" {
		t.Errorf("%v, want old", got)
	}
	routes.set("a/old", nil)
	if got := routes.find("a.example.com", (*route).secure); got == nil || got.Name != "new" {
		t.Errorf("without old: %v, want new", got)
	}
	for _, host := range []string{"", "b.example.com"} {
		if got := routes.find(host, (*route).secure); got != nil {
			t.Errorf("host %q: %s, want none", host, got.Name)
		}
	}
}

func TestAnAdmittedRouteIsServedFromTheNextReloadOn(t *testing.T) {
	routes := newTable(100 * time.Millisecond)
	old, renewed := parse(t, `{metadata: {name: old}, spec: {host: a.example.com}}`), parse(t, `{metadata: {name: renewed}, spec: {host: a.example.com}}`)
	any := func(*route) bool { return true }
	serves := func(want *route) {
		t.Helper()
		for start := time.Now(); routes.find("a.example.com", any) != want; time.Sleep(time.Millisecond) {
			if time.Since(start) > 20*time.Second {
				t.Fatalf("%v is not served", want)
			}
		}
	}
	for _, step := range []struct{ from, to *route }{{nil, old}, {old, renewed}, {renewed, nil}} {
		routes.set("ns/r", step.to)
		if got := routes.find("a.example.com", any); got != step.from {
			t.Errorf("before the reload, %v is served instead of %v", got, step.from)
		}
		serves(step.to)
	}
}

func TestAHostBelongsToTheNamespaceOfItsOldestRoute(t *testing.T) {
	at := func(second, namespace, name, path string) *route {
		return parse(t, `{metadata: {creationTimestamp: "2026-01-01T00:00:`+second+`Z", namespace: `+namespace+`, name: `+name+`, uid: `+name+`}, spec: {host: a.example.com, path: "`+path+`"}}`)
	}
	old, other := at("10", "ns", "old", ""), parse(t, `{metadata: {namespace: ns, name: other}, spec: {host: b.example.com}}`)
	for name, c := range map[string]struct {
		route   *route
		others  []*route
		message string
	}{
		"the only one":             {at("10", "ns", "r", ""), []*route{other}, ""},
		"older":                    {at("09", "ns", "r", ""), []*route{old}, ""},
		"another path":             {at("11", "ns", "r", "/x"), []*route{old}, ""},
		"younger":                  {at("11", "ns", "r", ""), []*route{other, old, at("10", "ns", "p", "")}, "route old already exposes a.example.com and is older"},
		"of the same second":       {at("10", "ns", "r", ""), []*route{old}, "route old already exposes a.example.com and is older"},
		"younger, other namespace": {at("11", "elsewhere", "r", "/x"), []*route{old}, "a route in another namespace holds a.example.com and is older than r"},
		"older, other namespace":   {at("09", "elsewhere", "r", ""), []*route{old}, ""},
	} {
		why := c.route.claimedBy(c.others)
		if (why == nil) != (c.message == "") || why != nil && (why.reason != "HostAlreadyClaimed" || why.message != c.message) {
			t.Errorf("%s: %+v, want %q", name, why, c.message)
		}
	}
}

// The Route that has waited for a host gets it when the older one goes.
func TestAHostIsHandedOverWhenItsRouteGoes(t *testing.T) {
	object := func(second, name string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(`{apiVersion: route.openshift.io/v1, kind: Route, metadata: {creationTimestamp: "2026-01-01T00:00:`+second+`Z", namespace: ns, name: `+name+`}, spec: {host: a.example.com}}`), &o.Object); err != nil {
			t.Fatal(err)
		}
		return o
	}
	first, second := object("01", "first"), object("02", "second")
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{routesResource: "RouteList"}, first, second)
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	c := &controller{
		routes: client.Resource(routesResource), store: store, domain: "example.com",
		changed: make(chan string), table: newTable(0), watches: map[string]*secretWatch{}, hosts: map[string]string{},
	}
	go c.run(t.Context())
	for _, o := range []*unstructured.Unstructured{first, second} {
		if err := store.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	reason := func(name string) string {
		live, err := c.routes.Namespace("ns").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := parseRoute(live)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Status.Ingress) == 0 {
			return "no status"
		}
		verdict := r.Status.Ingress[0].Conditions[0]
		return verdict.Status + verdict.Reason
	}
	eventually := func(name, want string) {
		t.Helper()
		for start := time.Now(); reason(name) != want; time.Sleep(5 * time.Millisecond) {
			if time.Since(start) > 20*time.Second {
				t.Fatalf("%s: %s, want %s", name, reason(name), want)
			}
		}
	}
	c.changed <- "ns/first"
	c.changed <- "ns/second"
	eventually("first", "True")
	eventually("second", "FalseHostAlreadyClaimed")
	if err := store.Delete(first); err != nil {
		t.Fatal(err)
	}
	c.changed <- "ns/first"
	eventually("second", "True")
}

func TestEndpointsAreTheReadyOnesOfTheRoutesPort(t *testing.T) {
	port := func(name string, number int32) discoveryv1.EndpointPort {
		return discoveryv1.EndpointPort{Name: &name, Port: &number, Protocol: ptr.To(corev1.ProtocolTCP)}
	}
	endpoint := func(address string, ready *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
	}
	all := []*discoveryv1.EndpointSlice{{
		Ports:     []discoveryv1.EndpointPort{port("grpc", 8081), port("federation", 8443)},
		Endpoints: []discoveryv1.Endpoint{endpoint("10.0.0.1", nil), endpoint("10.0.0.2", ptr.To(false)), endpoint("10.0.0.3", ptr.To(true))},
	}}
	for spec, want := range map[string][]string{
		`{port: {targetPort: federation}}`: {"10.0.0.1:8443", "10.0.0.3:8443"},
		`{port: {targetPort: 8081}}`:       {"10.0.0.1:8081", "10.0.0.3:8081"},
		`{}`:                               {"10.0.0.1:8081", "10.0.0.3:8081"},
		`{port: {targetPort: other}}`:      nil,
	} {
		if got := endpoints(all, parse(t, "{spec: "+spec+"}")); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", spec, got, want)
		}
	}
}

func TestStatusIsWrittenOnlyWhenTheVerdictIsNews(t *testing.T) {
	at := func(second int) metav1.Time { return metav1.NewTime(time.Unix(int64(second), 0)) }
	other := ingress{RouterName: "internal", Host: "h"}
	first, news := status{[]ingress{other}}.record("default", "h", "apps.example.com", nil, at(1))
	if !news || len(first.Ingress) != 2 || first.Ingress[0].RouterName != "internal" {
		t.Fatalf("first verdict: news %v, %+v", news, first)
	}
	want := ingress{"h", "default", []condition{{"Admitted", "True", "", "", at(1)}}, "None", "router-default.apps.example.com"}
	if got := first.Ingress[1]; got.Host != want.Host || got.Conditions[0] != want.Conditions[0] || got.RouterCanonicalHostname != want.RouterCanonicalHostname {
		t.Errorf("entry %+v, want %+v", got, want)
	}
	if same, news := first.record("default", "h", "apps.example.com", nil, at(2)); news || same.Ingress[1].Conditions[0].LastTransitionTime != at(1) {
		t.Errorf("the same verdict again: news %v, %+v", news, same)
	}
	refused, news := first.record("default", "h", "apps.example.com", &rejection{"Why", "because"}, at(3))
	if got := refused.Ingress[1].Conditions; !news || len(got) != 1 || got[0] != (condition{"Admitted", "False", "Why", "because", at(3)}) {
		t.Errorf("rejection: news %v, %+v", news, got)
	}
	second, news := first.record("sharded", "h", "shard.example.com", nil, at(4))
	if got := second.Ingress[len(second.Ingress)-1]; !news || len(second.Ingress) != 3 || got.RouterName != "sharded" || got.RouterCanonicalHostname != "router-sharded.shard.example.com" {
		t.Errorf("another router's verdict: news %v, %+v", news, second)
	}
	if first.Ingress[1].Conditions[0].Status != "True" {
		t.Error("the status that was passed in has changed")
	}
}

func TestServerNameIsReadFromTheFirstMessage(t *testing.T) {
	for _, name := range []string{"federation.apps.cluster1.example.com", ""} {
		client, server := net.Pipe()
		go tls.Client(client, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
		if got := serverName(server); got != name {
			t.Errorf("serverName = %q, want %q", got, name)
		}
		client.Close()
	}
}
