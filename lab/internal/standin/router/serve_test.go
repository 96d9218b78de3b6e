package router

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	listers "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/pki"
)

// site is a running router with one Route and the endpoints of its Service.
type site struct {
	address string
	slices  cache.Indexer
}

func keyPair(t *testing.T, pair pki.Pair) tls.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func startRouter(t *testing.T, r *route, serviceCA []byte) site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "service-ca.crt")
	if err := os.WriteFile(file, serviceCA, 0o600); err != nil {
		t.Fatal(err)
	}
	fallback, err := defaultCertificate("example.com")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	routes := newTable(0)
	routes.set("ns/r", r)
	go (&server{routes, &upstream{listers.NewEndpointSliceLister(indexer), file}, fallback}).serve(t.Context(), listener)
	return site{listener.Addr().String(), indexer}
}

// backend is a pod that answers with its name, and its address as an EndpointSlice.
func backend(t *testing.T, pair pki.Pair) *discoveryv1.EndpointSlice {
	t.Helper()
	pod := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "pod at "+r.Host+r.URL.Path) }))
	pod.TLS = &tls.Config{Certificates: []tls.Certificate{keyPair(t, pair)}}
	pod.StartTLS()
	t.Cleanup(pod.Close)
	_, text, _ := net.SplitHostPort(pod.Listener.Addr().String())
	number, _ := strconv.Atoi(text)
	port := int32(number)
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "svc-1", Labels: map[string]string{discoveryv1.LabelServiceName: "svc"}},
		Ports:      []discoveryv1.EndpointPort{{Port: &port}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}}},
	}
}

// connect opens a TLS connection for a host.
func (s site) connect(t *testing.T, host string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends a request, and returns the answer and the certificate that was shown.
func ask(t *testing.T, conn *tls.Conn, host string) (code int, body string, shown *x509.Certificate) {
	t.Helper()
	request, _ := http.NewRequest("GET", "https://"+host+"/path", nil)
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content), conn.ConnectionState().PeerCertificates[0]
}

func (s site) get(t *testing.T, host string) (code int, body string, shown *x509.Certificate) {
	t.Helper()
	return ask(t, s.connect(t, host), host)
}

const hostOfRoute = "a.example.com"

func routeTo(t *testing.T, termination string) *route {
	return parse(t, `{metadata: {namespace: ns, name: r}, spec: {host: `+hostOfRoute+`, to: {name: svc}, tls: {termination: `+termination+`}}}`)
}

func TestReencryptShowsTheRoutesCertificateAndVerifiesThePods(t *testing.T) {
	_, web := issue(t, hostOfRoute)
	serviceCA, serving := issue(t, "svc.ns.svc")
	r, certificate := routeTo(t, reencrypt), keyPair(t, web)
	r.certificate = &certificate
	s := startRouter(t, r, serviceCA.Cert)
	_ = s.slices.Add(backend(t, serving))
	code, body, shown := s.get(t, hostOfRoute)
	if code != 200 || body != "pod at a.example.com/path" || !shown.Equal(certificate.Leaf) {
		t.Errorf("%d %q, certificate of %s", code, body, shown.Subject)
	}
	_, foreign := issue(t, "svc.ns.svc")
	_ = s.slices.Update(backend(t, foreign))
	if code, body, _ := s.get(t, hostOfRoute); code != 503 {
		t.Errorf("pod with a certificate of another CA: %d %q", code, body)
	}
	other, err := serviceCA.Issue(pki.Leaf{DNS: []string{"other.ns.svc"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.slices.Update(backend(t, other))
	if code, body, _ := s.get(t, hostOfRoute); code != 503 {
		t.Errorf("pod with another service's certificate: %d %q", code, body)
	}
}

func TestWithoutAnEndpointAClientIsRefusedAtOnce(t *testing.T) {
	serviceCA, serving := issue(t, "svc.ns.svc")
	s := startRouter(t, routeTo(t, reencrypt), serviceCA.Cert)
	if code, _, _ := s.get(t, hostOfRoute); code != 503 {
		t.Errorf("without an endpoint: %d", code)
	}
	_ = s.slices.Add(backend(t, serving))
	if code, _, _ := s.get(t, hostOfRoute); code != 200 {
		t.Errorf("with one: %d", code)
	}
}

func TestPassthroughShowsThePodsOwnCertificate(t *testing.T) {
	_, own := issue(t, hostOfRoute)
	s := startRouter(t, routeTo(t, passthrough), nil)
	_ = s.slices.Add(backend(t, own))
	code, body, shown := s.get(t, hostOfRoute)
	if code != 200 || body != "pod at a.example.com/path" || !shown.Equal(keyPair(t, own).Leaf) {
		t.Errorf("%d %q, certificate of %s", code, body, shown.Subject)
	}
}

func TestAnUnknownHostIsRefusedWithTheDefaultCertificate(t *testing.T) {
	s := startRouter(t, routeTo(t, reencrypt), nil)
	conn := s.connect(t, "b.example.com")
	code, _, shown := ask(t, conn, "b.example.com")
	if code != 503 || shown.Subject.CommonName != "*.example.com" {
		t.Errorf("%d, certificate of %s", code, shown.Subject)
	}
	if chain := conn.ConnectionState().PeerCertificates; len(chain) != 2 || chain[0].CheckSignatureFrom(chain[1]) != nil {
		t.Errorf("it comes without its CA: %d certificates", len(chain))
	}
}
