package router

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

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

// table holds the admitted Routes by namespace/name.
type table struct {
	sync.RWMutex
	routes map[string]*route
}

// set admits a Route, or with nil drops it.
func (t *table) set(key string, r *route) {
	t.Lock()
	defer t.Unlock()
	if r == nil {
		delete(t.routes, key)
	} else {
		t.routes[key] = r
	}
}

// find returns the Route of a host: of those that fit the one with the longest path, of several such the oldest; nil if none does.
func (t *table) find(host string, fits func(*route) bool) (found *route) {
	t.RLock()
	defer t.RUnlock()
	for _, r := range t.routes {
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
	return r.CreationTimestamp.Before(&other.CreationTimestamp)
}

// secure says whether the Route serves all of its host over TLS. What is asked for is not known when TLS starts.
func (r *route) secure() bool {
	return r.Spec.Path == "" && (r.termination() == passthrough || r.termination() == reencrypt)
}

// covers says whether a URL's path is the Route's, or below it.
func (r *route) covers(path string) bool {
	return path == r.Spec.Path || strings.HasPrefix(path, strings.TrimSuffix(r.Spec.Path, "/")+"/")
}
