package router

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
)

// servePlain accepts connections of port 80 until ctx ends.
func (s *server) servePlain(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ServeHTTP answers one request on port 80. As on OpenShift, the Route with the longest path decides, whether it has TLS or not: this
// is how an ACME challenge is answered on a host whose other clients are sent to port 443.
func (s *server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	host, _, _ := strings.Cut(request.Host, ":")
	r := s.table.find(host, func(r *route) bool { return r.covers(request.URL.EscapedPath()) })
	if r.termination() != "" {
		if r.Spec.TLS.InsecurePolicy == redirect {
			http.Redirect(w, request, "https://"+host+request.URL.RequestURI(), http.StatusFound)
			return
		}
		r = nil
	}
	(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", host
			p.SetXForwarded()
		},
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return s.upstream.dial(ctx, r) },
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Printf("%q: %v", "http://"+host+request.URL.Path, err)
			http.Error(w, sorry, http.StatusServiceUnavailable)
		},
	}).ServeHTTP(w, request)
}
