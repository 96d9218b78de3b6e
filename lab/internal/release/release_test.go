package release

import "testing"

func TestAClusterGetsItsOwnReleaseElseThatOfAllElseTheDefault(t *testing.T) {
	for name, test := range map[string]struct {
		flags []string
		want  [2]string // of cluster1 and cluster2
	}{
		"nothing said":       {nil, [2]string{"1.1.1", "1.1.1"}},
		"all":                {[]string{"1.0"}, [2]string{"1.0.0", "1.0.0"}},
		"one":                {[]string{"cluster2=1.0"}, [2]string{"1.1.1", "1.0.0"}},
		"all but one":        {[]string{"1.0", "cluster2=1.1"}, [2]string{"1.0.0", "1.1.1"}},
		"one, then all":      {[]string{"cluster2=1.1", "1.0"}, [2]string{"1.0.0", "1.1.1"}},
		"the last word wins": {[]string{"1.0", "1.1"}, [2]string{"1.1.1", "1.1.1"}},
	} {
		given := PerCluster{}
		for _, flag := range test.flags {
			if err := given.Set(flag); err != nil {
				t.Fatal(err)
			}
		}
		if got := [2]string{given.Of("cluster1").Version, given.Of("cluster2").Version}; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestWhatIsNoReleaseIsRefused(t *testing.T) {
	for _, text := range []string{"1.2", "1", "1.1.1", "v1.1", "cluster2", "cluster2=", "cluster2=1.2", "other=1.0", "", "1.0,1.1"} {
		if err := (PerCluster{}).Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
