package kubelet

import (
	"net/netip"
	"testing"
)

func TestAddressesAreHandedOutInTurn(t *testing.T) {
	a := &addresses{prefix: netip.MustParsePrefix("198.18.16.0/29"), last: netip.MustParseAddr("198.18.16.1"), used: map[netip.Addr]bool{}}
	take := func() string {
		ip, err := a.take()
		if err != nil {
			return "none"
		}
		return ip.String()
	}
	var got []string
	for range 4 {
		got = append(got, take())
	}
	a.give(netip.MustParseAddr("198.18.16.3"))
	got = append(got, take(), take(), take()) // .6 before the freed .3; never the node's .1, network or broadcast
	want := []string{"198.18.16.2", "198.18.16.3", "198.18.16.4", "198.18.16.5", "198.18.16.6", "198.18.16.3", "none"}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("handed out %v, want %v", got, want)
		}
	}
}

func TestLinkNamesFitTheKernel(t *testing.T) {
	a, b := linkName("uid-1"), linkName("uid-2")
	if len(a) != 15 || a == b {
		t.Errorf("link names %q and %q", a, b)
	}
}
