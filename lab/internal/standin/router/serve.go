package router

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"spire-federation/lab/internal/tcpjoin"
)

const (
	sorry       = "Application is not available"
	unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + sorry + "\n"
)

// server joins clients with the pods of Routes: on port 443 of those that their TLS names, on port 80 of those that their requests name.
type server struct {
	table    *table
	upstream *upstream
	fallback tls.Certificate // for names that no Route serves, and for Routes without a certificate of their own
}

// serve accepts connections of port 443 until ctx ends.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		client, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go s.handle(ctx, client)
	}
}

func (s *server) handle(ctx context.Context, client net.Conn) {
	defer client.Close()
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	hello := &bytes.Buffer{}
	host := serverName(io.TeeReader(client, hello))
	_ = client.SetReadDeadline(time.Time{})

	r := s.table.find(host, (*route).secure)
	client = &replayed{client, io.MultiReader(hello, client)}
	if r.termination() != passthrough {
		certificate := s.fallback
		if r != nil && r.certificate != nil {
			certificate = *r.certificate
		}
		secure := tls.Server(client, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil { // before the pod is looked for: clients wait for this only a few seconds
			if host != "" { // a probe of the port says nothing at all
				log.Printf("%q: %v", host, err)
			}
			return
		}
		client = secure
	}
	pod, err := s.upstream.dial(ctx, r)
	if err != nil {
		log.Printf("%q: %v", host, err)
		if r.termination() != passthrough {
			refuse(client)
		}
		return
	}
	defer pod.Close()
	tcpjoin.Join(pod, client)
}

// refuse answers the client's request itself.
func refuse(client net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(client)); err == nil {
		_, _ = io.WriteString(client, unavailable)
	}
	_ = client.Close()
}

// serverName reads a TLS client's first message and returns the name it asks for, "" if it has none.
func serverName(client io.Reader) (name string) {
	_ = tls.Server(&replayed{silent{}, client}, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = hello.ServerName
			return nil, errors.New("that was all")
		},
	}).Handshake()
	return name
}

// replayed is a connection that reads from elsewhere: bytes that were read before, for one.
type replayed struct {
	net.Conn
	reader io.Reader
}

func (c *replayed) Read(b []byte) (int, error) { return c.reader.Read(b) }

func (c *replayed) CloseWrite() error {
	return c.Conn.(*net.TCPConn).CloseWrite()
}

// silent swallows the alert with which serverName's handshake ends.
type silent struct{ net.Conn }

func (silent) Write(b []byte) (int, error) { return len(b), nil }
