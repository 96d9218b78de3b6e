package dns

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func one(name, address string) Lookup {
	return func(asked string) ([]netip.Addr, bool) {
		if asked != name {
			return nil, false
		}
		if address == "" {
			return nil, true
		}
		return []netip.Addr{netip.MustParseAddr(address)}, true
	}
}

func TestAnswers(t *testing.T) {
	lookup := one("web.default.svc.cluster.local", "198.18.24.7").Or(one("empty.default.svc.cluster.local", "")).Or(World(2))
	for _, c := range []struct {
		name  string
		qtype uint16
		rcode int
		want  []string
	}{
		{"web.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, []string{"198.18.24.7"}},
		{"WEB.default.svc.Cluster.local.", dns.TypeA, dns.RcodeSuccess, []string{"198.18.24.7"}},
		{"web.default.svc.cluster.local.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"empty.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, nil},
		{"federation.apps.cluster1.example.com.", dns.TypeA, dns.RcodeSuccess, []string{"198.18.16.1"}},
		{"a.b.apps.cluster2.example.com.", dns.TypeA, dns.RcodeSuccess, []string{"198.18.32.1"}},
		{"acme-v02.api.letsencrypt.org.", dns.TypeA, dns.RcodeSuccess, []string{"198.18.0.253"}},
		{"apps.cluster2.example.com.", dns.TypeA, dns.RcodeNameError, nil},
		{"notapps.cluster2.example.com.", dns.TypeA, dns.RcodeNameError, nil},
		{"federation.apps.cluster3.example.com.", dns.TypeA, dns.RcodeNameError, nil},
		{"federation.apps.cluster1.example.com.default.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, nil},
		{"registry.redhat.io.", dns.TypeA, dns.RcodeNameError, nil},
	} {
		query := new(dns.Msg).SetQuestion(c.name, c.qtype)
		reply := Answer(query, lookup)
		if reply.Rcode != c.rcode || !slices.Equal(addresses(reply), c.want) || reply.Id != query.Id {
			t.Errorf("%s %s: rcode %d, %v; want %d, %v", c.name, dns.TypeToString[c.qtype], reply.Rcode, addresses(reply), c.rcode, c.want)
		}
	}
}

func TestServesUDPAndTCPUntilTold(t *testing.T) {
	packets, streams, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, packets, streams, World(1)) }()
	for network, address := range map[string]string{"udp": packets.LocalAddr().String(), "tcp": streams.Addr().String()} {
		query := new(dns.Msg).SetQuestion("x.apps.cluster1.example.com.", dns.TypeA)
		reply, _, err := (&dns.Client{Net: network}).Exchange(query, address)
		if err != nil {
			t.Fatalf("%s: %v", network, err)
		}
		if got := addresses(reply); !slices.Equal(got, []string{"198.18.16.1"}) {
			t.Errorf("%s: %v", network, got)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func addresses(reply *dns.Msg) []string {
	var all []string
	for _, record := range reply.Answer {
		all = append(all, record.(*dns.A).A.String())
	}
	return all
}
