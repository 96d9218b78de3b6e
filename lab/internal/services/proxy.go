package services

import (
	"context"
	"errors"
	"log"
	"math/rand/v2"
	"net"
	"time"

	"github.com/vishvananda/netns"

	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/tcpjoin"
)

const retry = 100 * time.Millisecond

// proxy listens on the Services' addresses.
type proxy struct {
	ns        netns.NsHandle
	table     *table
	listeners map[string]net.Listener
}

// run opens and closes listeners as Services come and go.
func (p *proxy) run(ctx context.Context, changed <-chan struct{}) error {
	p.listeners = map[string]net.Listener{}
	defer func() {
		for _, l := range p.listeners {
			l.Close()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		fronts, err := p.table.fronts()
		if err != nil {
			return err
		}
		for address, l := range p.listeners {
			if _, wanted := fronts[address]; !wanted {
				l.Close()
				delete(p.listeners, address)
			}
		}
		for address := range fronts {
			if p.listeners[address] != nil {
				continue
			}
			if err := p.listen(ctx, address); err != nil {
				log.Printf("service %s/%s: %v", fronts[address].namespace, fronts[address].service, err)
			}
		}
	}
}

func (p *proxy) listen(ctx context.Context, address string) error {
	var l net.Listener
	err := network.In(p.ns, func() (err error) {
		l, err = net.Listen("tcp4", address)
		return err
	})
	if err != nil {
		return err
	}
	p.listeners[address] = l
	go func() {
		for {
			client, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				time.Sleep(retry) // out of descriptors, for a moment
				continue
			}
			go p.serve(ctx, address, client)
		}
	}()
	return nil
}

// serve joins a client with a backend of whatever Service has the address now; without one the client is reset, as by kube-proxy.
func (p *proxy) serve(ctx context.Context, address string, client net.Conn) {
	defer client.Close()
	backend, err := p.dial(ctx, address)
	if err != nil {
		_ = client.(*net.TCPConn).SetLinger(0)
		log.Printf("service at %s: %v", address, err)
		return
	}
	defer backend.Close()
	tcpjoin.Join(client, backend)
}

// dial connects to a ready backend.
func (p *proxy) dial(ctx context.Context, address string) (net.Conn, error) {
	fronts, err := p.table.fronts()
	if err != nil {
		return nil, err
	}
	backends := p.table.backends(fronts[address])
	if len(backends) == 0 {
		return nil, errors.New("no endpoint is ready")
	}
	return new(net.Dialer).DialContext(ctx, "tcp4", backends[rand.IntN(len(backends))])
}
