package kubelet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
)

// verdicts runs a probe against a program that answers from `good` on, and returns when which verdict came.
func verdicts(t *testing.T, p v1.Probe, eager bool, good, until time.Duration) (list []string) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), until)
		defer cancel()
		watch(ctx, &p, eager, func(context.Context) error {
			if time.Since(begin) < good {
				return errors.New("not yet")
			}
			return nil
		}, func(err error) {
			word := "ok"
			if err != nil {
				word = "bad"
			}
			list = append(list, word+" "+time.Since(begin).String())
		})
	})
	return list
}

func TestWatch(t *testing.T) {
	probe := v1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3}
	for name, c := range map[string]struct {
		eager       bool
		good, until time.Duration
		want        []string
	}{
		"keeps to delay, period and threshold":         {false, time.Hour, 36 * time.Second, []string{"bad 25s", "bad 35s"}},
		"good at once after the delay":                 {false, 0, 16 * time.Second, []string{"ok 5s", "ok 15s"}},
		"eager waits, but does not keep to the period": {true, 5600 * time.Millisecond, 6 * time.Second, []string{"bad 5.5s", "ok 5.75s"}},
		"eager only until the first success":           {true, 0, 16 * time.Second, []string{"ok 5s", "ok 15s"}},
		"no verdict before the threshold of failures":  {false, 20 * time.Second, 26 * time.Second, []string{"ok 25s"}},
	} {
		got := verdicts(t, probe, c.eager, c.good, c.until)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}
