package router

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	listers "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// plainBackend is a Service with one pod, which answers with its name and what it was asked.
func plainBackend(t *testing.T, name string) *discoveryv1.EndpointSlice {
	t.Helper()
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name+" at "+r.Host+r.RequestURI) }))
	t.Cleanup(pod.Close)
	_, text, _ := net.SplitHostPort(pod.Listener.Addr().String())
	number, _ := strconv.Atoi(text)
	port := int32(number)
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		Ports:      []discoveryv1.EndpointPort{{Port: &port}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}}},
	}
}

func TestTheRouteWithTheLongestPathAnswersOnPort80(t *testing.T) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, name := range []string{"solver", "shop", "cart"} {
		_ = indexer.Add(plainBackend(t, name))
	}
	routes := newTable(0)
	for name, spec := range map[string]string{
		"federation": `{host: a.example.com, to: {name: server}, tls: {termination: reencrypt, insecureEdgeTerminationPolicy: Redirect}}`,
		"solver":     `{host: a.example.com, path: /.well-known/acme-challenge/token, to: {name: solver}}`,
		"closed":     `{host: b.example.com, to: {name: shop}, tls: {termination: passthrough, insecureEdgeTerminationPolicy: None}}`,
		"shop":       `{host: c.example.com, path: /, to: {name: shop}}`,
		"cart":       `{host: c.example.com, path: /cart/, to: {name: cart}}`,
	} {
		routes.set(name, parse(t, `{metadata: {namespace: ns, name: `+name+`}, spec: `+spec+`}`))
	}
	router := httptest.NewServer(&server{table: routes, upstream: &upstream{slices: listers.NewEndpointSliceLister(indexer)}})
	t.Cleanup(router.Close)

	type answer struct {
		code     int
		body     string
		location string
	}
	nothing := answer{503, sorry + "\n", ""}
	ask := func(host, path string) answer {
		request, _ := http.NewRequest("GET", router.URL+path, nil)
		request.Host = host
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode == http.StatusFound {
			body = nil
		}
		return answer{response.StatusCode, string(body), response.Header.Get("Location")}
	}
	const challenge = "/.well-known/acme-challenge/token"
	for _, c := range []struct {
		host, path string
		want       answer
	}{
		{"a.example.com", challenge, answer{200, "solver at a.example.com" + challenge, ""}},
		{"A.example.com:80", challenge + "/x?y=%2F", answer{200, "solver at A.example.com:80" + challenge + "/x?y=%2F", ""}},
		{"a.example.com", challenge + "2", answer{302, "", "https://a.example.com" + challenge + "2"}},
		{"a.example.com:80", "/x%2Fy?z", answer{302, "", "https://a.example.com/x%2Fy?z"}},
		{"b.example.com", "/", nothing},
		{"c.example.com", "/", answer{200, "shop at c.example.com/", ""}},
		{"c.example.com", "/cart", answer{200, "shop at c.example.com/cart", ""}},
		{"c.example.com", "/cart/1", answer{200, "cart at c.example.com/cart/1", ""}},
		{"d.example.com", "/", nothing},
	} {
		if got := ask(c.host, c.path); got != c.want {
			t.Errorf("%s%s: %+v, want %+v", c.host, c.path, got, c.want)
		}
	}
	routes.set("solver", nil)
	if got := ask("a.example.com", challenge); got.code != 302 {
		t.Errorf("without the solver's route: %+v", got)
	}
}
