package router

import (
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// status is a Route's status: each router of the cluster writes its own entry.
type status struct {
	Ingress []ingress `json:"ingress"`
}

type ingress struct {
	Host                    string      `json:"host,omitempty"`
	RouterName              string      `json:"routerName,omitempty"`
	Conditions              []condition `json:"conditions,omitempty"`
	WildcardPolicy          string      `json:"wildcardPolicy,omitempty"`
	RouterCanonicalHostname string      `json:"routerCanonicalHostname,omitempty"`
}

type condition struct {
	Type               string      `json:"type"`
	Status             string      `json:"status"`
	Reason             string      `json:"reason,omitempty"`
	Message            string      `json:"message,omitempty"`
	LastTransitionTime metav1.Time `json:"lastTransitionTime"`
}

// rejection is why a Route is not served; nil when it is.
type rejection struct{ reason, message string }

// record returns the status with the verdict of the router of that name, and whether that is news.
func (s status) record(name, host, domain string, why *rejection, now metav1.Time) (status, bool) {
	entry := func(since metav1.Time) ingress {
		verdict := condition{Type: "Admitted", Status: "True", LastTransitionTime: since}
		if why != nil {
			verdict = condition{"Admitted", "False", why.reason, why.message, since}
		}
		return ingress{host, name, []condition{verdict}, "None", "router-" + name + "." + domain}
	}
	next := status{slices.Clone(s.Ingress)}
	own := slices.IndexFunc(s.Ingress, func(i ingress) bool { return i.RouterName == name })
	if own < 0 {
		next.Ingress = append(next.Ingress, entry(now))
		return next, true
	}
	if old := s.Ingress[own]; len(old.Conditions) == 1 && reflect.DeepEqual(old, entry(old.Conditions[0].LastTransitionTime)) {
		return s, false
	}
	next.Ingress[own] = entry(now)
	return next, true
}
