// Package dns answers for the names that exist in the lab alone. It stands for the DNS of the world and, with the
// services' names put before those, for a cluster's own.
package dns

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"spire-federation/lab/internal/network"
)

// ttl is short because a name's addresses change as pods come and go.
const ttl = 5

// Lookup gives the addresses of a lower-case name without the last dot. A name can exist and have none at the moment.
type Lookup func(name string) (addresses []netip.Addr, exists bool)

// World resolves *.apps.clusterN.example.com to the node of cluster N, where its router listens, and the ACME server's name.
func World(n int) Lookup {
	nodes := map[string]netip.Addr{}
	for _, plan := range network.All(n) {
		nodes[plan.Domain] = plan.NodeIP
	}
	return func(name string) ([]netip.Addr, bool) {
		switch name {
		case network.ACMEHost:
			return []netip.Addr{network.ACME.Addr()}, true
		case nameServer:
			return []netip.Addr{network.Keeper.Addr()}, true
		case zoneName:
			return nil, true
		}
		for domain, node := range nodes {
			if strings.HasSuffix(name, "."+domain) {
				return []netip.Addr{node}, true
			}
		}
		return nil, false
	}
}

// Or asks the next one about names that do not exist here.
func (l Lookup) Or(next Lookup) Lookup {
	return func(name string) ([]netip.Addr, bool) {
		if addresses, exists := l(name); exists {
			return addresses, true
		}
		return next(name)
	}
}

// Answer replies to a query: A records, whose the zone is, an empty answer for other types, NXDOMAIN at once for every other name.
func Answer(query *dns.Msg, lookup Lookup) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.Authoritative, reply.RecursionAvailable = true, true
	if len(query.Question) != 1 {
		return reply.SetRcode(query, dns.RcodeFormatError)
	}
	question := query.Question[0]
	addresses, exists := lookup(key(question.Name))
	if !exists {
		reply.Rcode = dns.RcodeNameError
		return reply
	}
	if question.Qtype == dns.TypeA || question.Qtype == dns.TypeANY {
		for _, address := range addresses {
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header(question.Name, dns.TypeA), A: address.AsSlice()})
		}
	}
	if record := authority(question); record != nil {
		reply.Answer = append(reply.Answer, record)
	}
	return reply
}

// Listen opens the sockets of a DNS server.
func Listen(address string) (net.PacketConn, net.Listener, error) {
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, nil, err
	}
	streams, err := net.Listen("tcp", address)
	if err != nil {
		packets.Close()
		return nil, nil, err
	}
	return packets, streams, nil
}

// Serve answers on the sockets until ctx ends.
func Serve(ctx context.Context, packets net.PacketConn, streams net.Listener, lookup Lookup) error {
	answer := func(query *dns.Msg) *dns.Msg { return Answer(query, lookup) }
	return serve(ctx, packets, streams, answer, dns.DefaultMsgAcceptFunc)
}

// ServeZone does the same, and takes dynamic updates of the zone.
func ServeZone(ctx context.Context, packets net.PacketConn, streams net.Listener, lookup Lookup) error {
	zone := &Zone{texts: map[string][]string{}}
	answer := func(query *dns.Msg) *dns.Msg {
		if query.Opcode == dns.OpcodeUpdate {
			return zone.update(query)
		}
		reply := Answer(query, lookup)
		if len(query.Question) == 1 && query.Question[0].Qtype == dns.TypeTXT {
			zone.answer(reply, query.Question[0].Name)
		}
		return reply
	}
	return serve(ctx, packets, streams, answer, acceptUpdates)
}

func serve(ctx context.Context, packets net.PacketConn, streams net.Listener, answer func(*dns.Msg) *dns.Msg, accept dns.MsgAcceptFunc) error {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		_ = w.WriteMsg(answer(query)) // the client has gone: nobody to tell
	})
	udp := &dns.Server{PacketConn: packets, Handler: handler, MsgAcceptFunc: accept}
	tcp := &dns.Server{Listener: streams, Handler: handler, MsgAcceptFunc: accept}
	ended := make(chan error, 2)
	go func() { ended <- udp.ActivateAndServe() }()
	go func() { ended <- tcp.ActivateAndServe() }()
	defer packets.Close()
	defer streams.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}
