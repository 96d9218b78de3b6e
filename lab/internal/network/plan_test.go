package network

import (
	"net/netip"
	"testing"
)

func TestPlanOfTheFirstCluster(t *testing.T) {
	got := For(1)
	want := Plan{
		Index:      1,
		Name:       "cluster1",
		Domain:     "apps.cluster1.example.com",
		Uplink:     netip.MustParsePrefix("198.18.0.1/24"),
		Block:      netip.MustParsePrefix("198.18.16.0/20"),
		Pods:       netip.MustParsePrefix("198.18.16.0/21"),
		Services:   netip.MustParsePrefix("198.18.24.0/21"),
		NodeIP:     netip.MustParseAddr("198.18.16.1"),
		APIService: netip.MustParseAddr("198.18.24.1"),
		DNS:        netip.MustParseAddr("198.18.24.10"),
	}
	if got != want {
		t.Errorf("For(1) = %+v\nwant     %+v", got, want)
	}
}

func TestBlocksNeverOverlapAndStayInTheBenchmarkRange(t *testing.T) {
	benchmark := netip.MustParsePrefix("198.18.0.0/15")
	blocks := []netip.Prefix{Keeper.Masked()}
	for _, p := range All(MaxClusters) {
		for _, other := range blocks {
			if p.Block.Overlaps(other) {
				t.Errorf("%s: block %s overlaps %s", p.Name, p.Block, other)
			}
		}
		for _, part := range []netip.Prefix{p.Pods, p.Services} {
			if !p.Block.Overlaps(part) || part.Bits() <= p.Block.Bits() || part != part.Masked() {
				t.Errorf("%s: %s is not a part of %s", p.Name, part, p.Block)
			}
		}
		if p.Pods.Overlaps(p.Services) || !benchmark.Contains(p.Block.Addr()) {
			t.Errorf("%s: pods %s, services %s", p.Name, p.Pods, p.Services)
		}
		blocks = append(blocks, p.Block)
	}
}
