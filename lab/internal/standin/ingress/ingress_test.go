package ingress

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

func ingress(t *testing.T, name, spec string) *networkingv1.Ingress {
	t.Helper()
	object := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid of " + name)}}
	if err := yaml.UnmarshalStrict([]byte(spec), &object.Spec); err != nil {
		t.Fatal(err)
	}
	return object
}

func rule(host, path, kind, service, port string) string {
	return fmt.Sprintf(`{host: %s, http: {paths: [{path: %s, pathType: %s, backend: {service: {name: %s, port: {%s}}}}]}}`, host, path, kind, service, port)
}

func TestIngressesOfTheRoutersClassesAreRoutes(t *testing.T) {
	class := func(name, controller string) *networkingv1.IngressClass {
		return &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressClassSpec{Controller: controller}}
	}
	service := func(name string, ports ...corev1.ServicePort) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: corev1.ServiceSpec{Ports: ports}}
	}
	solver := rule("a.example.com", "/token", "ImplementationSpecific", "solver", "number: 8089")
	client := fake.NewSimpleClientset(
		class("openshift-default", "openshift.io/ingress-to-route"), class("nginx", "k8s.io/ingress-nginx"),
		service("solver", corev1.ServicePort{Name: "admin", Port: 80}, corev1.ServicePort{Name: "http", Port: 8089}),
		service("nameless", corev1.ServicePort{Port: 80}),
		ingress(t, "solver", "{ingressClassName: openshift-default, rules: ["+solver+"]}"),
		ingress(t, "classless", "{rules: ["+rule("b.example.com", "/", "Prefix", "nameless", "number: 80")+", "+rule("c.example.com", "/", "Prefix", "solver", "name: admin")+"]}"),
		ingress(t, "foreign", "{ingressClassName: nginx, rules: ["+solver+"]}"),
		ingress(t, "unknown", "{ingressClassName: nobodys, rules: ["+solver+"]}"),
		ingress(t, "exact", "{rules: ["+rule("d.example.com", "/", "Exact", "solver", "number: 8089")+"]}"),
		ingress(t, "hostless", "{rules: ["+rule(`""`, "/", "Prefix", "solver", "number: 8089")+"]}"),
		ingress(t, "early", "{rules: ["+rule("e.example.com", "/", "Prefix", "later", "number: 80")+"]}"),
		ingress(t, "portless", "{rules: ["+rule("f.example.com", "/", "Prefix", "solver", "number: 1")+"]}"),
	)
	kinds := map[schema.GroupVersionResource]string{routesResource: "RouteList"}
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"namespace": "ns", "name": "federation"},
	}})
	go run(t.Context(), client, dynamic)

	// expect waits until these are the Routes, each as owner: host path → service:port.
	expect := func(what string, want ...string) {
		t.Helper()
		want = append(want, "federation: <nil>")
		slices.Sort(want)
		var got []string
		for deadline := time.Now().Add(20 * time.Second); !slices.Equal(got, want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			list, err := dynamic.Resource(routesResource).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			for _, route := range list.Items {
				name := route.GetName()
				if owner := metav1.GetControllerOf(&route); owner != nil && strings.HasPrefix(name, owner.Name+"-") && owner.UID == types.UID("uid of "+owner.Name) {
					name = owner.Name
				}
				got = append(got, fmt.Sprintf("%s: %v", name, route.Object["spec"]))
			}
			slices.Sort(got)
		}
	}
	const ofSolver = "solver: map[host:a.example.com path:/token port:map[targetPort:http] to:map[kind:Service name:solver]]"
	classless := []string{
		"classless: map[host:b.example.com path:/ to:map[kind:Service name:nameless]]",
		"classless: map[host:c.example.com path:/ port:map[targetPort:admin] to:map[kind:Service name:solver]]",
	}
	expect("at first", append(classless, ofSolver)...)

	if _, err := client.CoreV1().Services("ns").Create(t.Context(), service("later", corev1.ServicePort{Port: 80}), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	early := "early: map[host:e.example.com path:/ to:map[kind:Service name:later]]"
	expect("once its service is there", append(classless, ofSolver, early)...)

	changed := ingress(t, "classless", "{rules: ["+rule("b.example.com", "/x", "Prefix", "nameless", "number: 80")+"]}")
	if _, err := client.NetworkingV1().Ingresses("ns").Update(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	classless = []string{"classless: map[host:b.example.com path:/x to:map[kind:Service name:nameless]]"}
	expect("after a change", append(classless, ofSolver, early)...)

	if err := client.NetworkingV1().Ingresses("ns").Delete(t.Context(), "solver", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expect("without the ingress", append(classless, early)...)
}
