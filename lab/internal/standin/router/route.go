package router

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var routesResource = schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}

const (
	passthrough = "passthrough"
	reencrypt   = "reencrypt"
	redirect    = "Redirect"
)

// route is what this router reads of a Route.
type route struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Host string `json:"host"`
		Path string `json:"path"`
		To   struct {
			Name string `json:"name"`
		} `json:"to"`
		Port *struct {
			TargetPort intstr.IntOrString `json:"targetPort"`
		} `json:"port"`
		TLS struct {
			Termination         string `json:"termination"`
			InsecurePolicy      string `json:"insecureEdgeTerminationPolicy"`
			ExternalCertificate struct {
				Name string `json:"name"`
			} `json:"externalCertificate"`
		} `json:"tls"`
	} `json:"spec"`
	Status status `json:"status"`

	certificate *tls.Certificate // that of the secret; nil when the Route names none
}

func parseRoute(object *unstructured.Unstructured) (*route, error) {
	r := &route{}
	text, err := object.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	if err != nil {
		return nil, fmt.Errorf("route %s/%s: %w", object.GetNamespace(), object.GetName(), err)
	}
	return r, nil
}

// termination is "" for no Route as well.
func (r *route) termination() string {
	if r == nil {
		return ""
	}
	return r.Spec.TLS.Termination
}

// reloadInterval is how long the real router gathers changes before it writes HAProxy's configuration and reloads it
// (RELOAD_INTERVAL). It reports a Route as admitted before that: until then the old certificate is served, or a 503.
const reloadInterval = 5 * time.Second

// table holds the Routes by namespace/name: those that are admitted, and those that are served since the last reload.
type table struct {
	sync.RWMutex
	admitted, served map[string]*route
	reload           time.Duration // after the first change; 0 is at once
	due              bool
}

func newTable(reload time.Duration) *table {
	return &table{admitted: map[string]*route{}, served: map[string]*route{}, reload: reload}
}

// set admits a Route, or with nil drops it. The next reload makes it so.
func (t *table) set(key string, r *route) {
	t.Lock()
	defer t.Unlock()
	if r == nil {
		if t.admitted[key] == nil {
			return
		}
		delete(t.admitted, key)
	} else {
		t.admitted[key] = r
	}
	if t.reload == 0 {
		t.served = maps.Clone(t.admitted)
	} else if !t.due {
		t.due = true
		time.AfterFunc(t.reload, func() {
			t.Lock()
			defer t.Unlock()
			t.served, t.due = maps.Clone(t.admitted), false
		})
	}
}

// find returns the Route of a host: of those that fit the one with the longest path, of several such the oldest; nil if none does.
func (t *table) find(host string, fits func(*route) bool) (found *route) {
	t.RLock()
	defer t.RUnlock()
	for _, r := range t.served {
		if host != "" && strings.EqualFold(r.Spec.Host, host) && fits(r) && (found == nil || r.precedes(found)) {
			found = r
		}
	}
	return found
}

func (r *route) precedes(other *route) bool {
	if len(r.Spec.Path) != len(other.Spec.Path) {
		return len(r.Spec.Path) > len(other.Spec.Path)
	}
	return r.older(other)
}

// older orders Routes by who has had the host for longer.
func (r *route) older(other *route) bool {
	if !r.CreationTimestamp.Equal(&other.CreationTimestamp) {
		return r.CreationTimestamp.Before(&other.CreationTimestamp)
	}
	return r.UID < other.UID
}

// claimedBy says which older Route keeps this one from its host; others are all Routes. The namespace of a host's oldest Route
// owns it, and in it each path has one Route. As in OpenShift, it does not matter whether the older Route is admitted itself.
func (r *route) claimedBy(others []*route) *rejection {
	oldest, before := r, (*route)(nil)
	for _, other := range others {
		if !strings.EqualFold(other.Spec.Host, r.Spec.Host) || !other.older(r) {
			continue
		}
		if other.older(oldest) {
			oldest = other
		}
		if other.Namespace == r.Namespace && other.Spec.Path == r.Spec.Path && (before == nil || other.older(before)) {
			before = other
		}
	}
	switch {
	case oldest.Namespace != r.Namespace:
		return &rejection{"HostAlreadyClaimed", fmt.Sprintf("a route in another namespace holds %s and is older than %s", r.Spec.Host, r.Name)}
	case before != nil:
		return &rejection{"HostAlreadyClaimed", fmt.Sprintf("route %s already exposes %s and is older", before.Name, r.Spec.Host)}
	}
	return nil
}

// secure says whether the Route serves all of its host over TLS. What is asked for is not known when TLS starts.
func (r *route) secure() bool {
	return r.Spec.Path == "" && (r.termination() == passthrough || r.termination() == reencrypt)
}

// covers says whether a URL's path is the Route's, or below it.
func (r *route) covers(path string) bool {
	return path == r.Spec.Path || strings.HasPrefix(path, strings.TrimSuffix(r.Spec.Path, "/")+"/")
}
