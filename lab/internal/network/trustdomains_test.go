package network

import "testing"

func TestTrustDomainIsTheAppsDomainUnlessSaidOtherwise(t *testing.T) {
	given := TrustDomains{}
	for _, text := range []string{"cluster3=cluster3.example.com", "cluster1=a", "cluster2=b_c"} {
		if err := given.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"a", "b_c", "cluster3.example.com", "apps.cluster4.example.com"} {
		if got := given.Of(For(i + 1)); got != want {
			t.Errorf("cluster%d: %s, want %s", i+1, got, want)
		}
	}
}

func TestWhatIsNoTrustDomainIsRefused(t *testing.T) {
	for _, text := range []string{"cluster3", "cluster3=", "cluster3=A", "other=a", "", "cluster1=a,cluster2=b"} {
		if err := (TrustDomains{}).Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
