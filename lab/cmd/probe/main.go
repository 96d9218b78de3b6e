// Command probe is a workload with a SPIFFE identity: it serves over mTLS, or dials such a server, and says in one line
// who met whom or why not. It gets a JWT-SVID for somebody, too, and validates another's. Identity and trust come from the
// Workload API alone, at SPIFFE_ENDPOINT_SOCKET.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

const (
	usage = "usage: probe serve ADDRESS | probe dial ADDRESS EXPECTED-SPIFFE-ID | " +
		"probe token AUDIENCE | probe validate AUDIENCE TOKEN"
	patience = 10 * time.Second // with the other side of one connection
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flag.Parse()
	err := errors.New(usage)
	switch {
	case flag.NArg() == 2 && flag.Arg(0) == "serve":
		err = serve(ctx, flag.Arg(1))
	case flag.NArg() == 3 && flag.Arg(0) == "dial":
		err = dial(ctx, flag.Arg(1), flag.Arg(2))
	case flag.NArg() == 2 && flag.Arg(0) == "token":
		err = token(ctx, flag.Arg(1))
	case flag.NArg() == 3 && flag.Arg(0) == "validate":
		err = validate(ctx, flag.Arg(1), flag.Arg(2))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve tells everybody whose identity its bundles vouch for what that identity is. It listens only once it has its own.
func serve(ctx context.Context, address string) error {
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return fmt.Errorf("no identity: %w", err)
	}
	defer source.Close()
	listener, err := tls.Listen("tcp", address, tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeAny()))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	log.Printf("serving on %s", listener.Addr())
	for {
		connection, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			peer, err := meet(ctx, connection.(*tls.Conn))
			if errors.Is(err, io.EOF) {
				return // a readiness probe: it comes, says nothing and goes
			}
			if err != nil {
				log.Printf("refused %s: %v", connection.RemoteAddr(), err)
				return
			}
			log.Printf("met %s", peer)
			fmt.Fprintln(connection, peer)
		}()
	}
}

// dial succeeds when each side has verified the other and the server is the one that is expected.
func dial(ctx context.Context, address, expected string) error {
	id, err := spiffeid.FromString(expected)
	if err != nil {
		return fmt.Errorf("%s: %w", expected, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return fmt.Errorf("no identity: %w", err)
	}
	defer source.Close()
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer plain.Close()
	connection := tls.Client(plain, tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(id)))
	peer, err := meet(ctx, connection)
	if err != nil {
		return fmt.Errorf("the server is refused: %w", err)
	}
	// In TLS 1.3 the client is through before the server has looked at it: only an answer is a yes.
	me, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server refuses: %w", err)
	}
	fmt.Printf("%s met %s", peer, me)
	return nil
}

// token prints a JWT-SVID of the workload.
func token(ctx context.Context, audience string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return fmt.Errorf("no token: %w", err)
	}
	fmt.Println(svid.Marshal())
	return nil
}

// validate prints whose token it is.
func validate(ctx context.Context, audience, token string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	svid, err := workloadapi.ValidateJWTSVID(ctx, token, audience)
	if err != nil {
		return fmt.Errorf("the token is refused: %w", err)
	}
	fmt.Println(svid.ID)
	return nil
}

// meet finishes the handshake and returns who the other side is.
func meet(ctx context.Context, connection *tls.Conn) (spiffeid.ID, error) {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return spiffeid.ID{}, err
	}
	if err := connection.HandshakeContext(ctx); err != nil {
		return spiffeid.ID{}, err
	}
	return x509svid.IDFromCert(connection.ConnectionState().PeerCertificates[0])
}
