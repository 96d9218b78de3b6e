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

// What cert-manager's solver and an ACME server do for DNS-01: find the zone and its server, write, look, take away.
func TestZoneTakesTextsByDynamicUpdates(t *testing.T) {
	const name = "_acme-challenge.federation.apps.cluster1.example.com."
	packets, streams, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { _ = ServeZone(ctx, packets, streams, World(1)) }()
	ask := func(message *dns.Msg) *dns.Msg {
		t.Helper()
		reply, err := dns.Exchange(message, packets.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	texts := func() (found []string) {
		for _, record := range ask(new(dns.Msg).SetQuestion(name, dns.TypeTXT)).Answer {
			found = append(found, record.(*dns.TXT).Txt...)
		}
		return found
	}
	txt := func(text string) []dns.RR {
		return []dns.RR{&dns.TXT{Hdr: header(name, dns.TypeTXT), Txt: []string{text}}}
	}
	change := func(zone string, with func(*dns.Msg)) int {
		message := new(dns.Msg).SetUpdate(zone)
		with(message)
		return ask(message).Rcode
	}

	if soa := ask(new(dns.Msg).SetQuestion("example.com.", dns.TypeSOA)).Answer; len(soa) != 1 || soa[0].Header().Name != "example.com." {
		t.Errorf("SOA of the zone: %v", soa)
	}
	if soa := ask(new(dns.Msg).SetQuestion("apps.cluster1.example.com.", dns.TypeSOA)).Answer; len(soa) != 0 {
		t.Errorf("SOA below the zone: %v", soa)
	}
	if ns := ask(new(dns.Msg).SetQuestion("example.com.", dns.TypeNS)).Answer; len(ns) != 1 || ns[0].(*dns.NS).Ns != "ns.example.com." {
		t.Errorf("NS of the zone: %v", ns)
	}
	if found := addresses(ask(new(dns.Msg).SetQuestion("ns.example.com.", dns.TypeA))); !slices.Equal(found, []string{"198.18.0.254"}) {
		t.Errorf("the zone's server: %v", found)
	}
	for _, text := range []string{"a", "b"} {
		if rcode := change("example.com.", func(m *dns.Msg) { m.Insert(txt(text)) }); rcode != dns.RcodeSuccess {
			t.Errorf("insert %s: %d", text, rcode)
		}
	}
	if found := texts(); !slices.Equal(found, []string{"a", "b"}) {
		t.Errorf("after inserts: %v", found)
	}
	change("example.com.", func(m *dns.Msg) { m.Remove(txt("a")) })
	if found := texts(); !slices.Equal(found, []string{"b"}) {
		t.Errorf("after a removal: %v", found)
	}
	change("example.com.", func(m *dns.Msg) { m.RemoveRRset(txt("")) })
	if found := texts(); len(found) != 0 {
		t.Errorf("after the removal of all: %v", found)
	}
	if rcode := change("example.org.", func(m *dns.Msg) { m.Insert(txt("c")) }); rcode != dns.RcodeNotZone {
		t.Errorf("another zone: %d", rcode)
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
