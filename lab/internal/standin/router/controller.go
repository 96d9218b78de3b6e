package router

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const routerUser = "system:serviceaccount:openshift-ingress:router"

// controller decides which Routes are served, as OpenShift's router does: on every change of a Route or of the secret that it
// names, it asks the API server anew whether it may read that secret, reads it, and writes the verdict into the Route's status.
// A Route that fails is no longer served at all; a Role that disappears is noticed at the next such change, or at the resync. As
// newer routers do, it looks again by itself at a certificate that has never passed.
type controller struct {
	client  kubernetes.Interface
	routes  dynamic.NamespaceableResourceInterface
	store   cache.Store
	changed chan string // namespace/name of Routes to look at
	table   *table
	name    string // of the IngressController whose router it is
	domain  string
	watches map[string]*secretWatch // by the Route's namespace/name
	hosts   map[string]string       // of the Routes seen so far
	again   map[string]*retry       // looks to come at Routes whose certificate has never passed
}

// secretWatch is the watch on the one secret that a Route names.
type secretWatch struct {
	secret string
	stop   context.CancelFunc
}

// retry is the next look at a refused certificate.
type retry struct {
	timer *time.Timer
	wait  time.Duration
}

const certificateRefused = "ExternalCertificateValidationFailed"

// Newer routers wait so long before they look again at a refused certificate: the first time, and at most.
const (
	firstRetry = 5 * time.Second
	lastRetry  = time.Minute
)

func (c *controller) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-c.changed:
			if err := c.reconcile(ctx, key); err != nil && ctx.Err() == nil {
				log.Printf("route %s: %v", key, err)
				time.AfterFunc(time.Second, func() { c.changed <- key })
			}
		}
	}
}

func (c *controller) reconcile(ctx context.Context, key string) error {
	item, exists, err := c.store.GetByKey(key)
	if err != nil {
		return err
	}
	if !exists {
		c.table.set(key, nil)
		c.watch(ctx, key, "", "")
		c.lookAgain(key, nil)
		c.lookAtOthers(key, "")
		return nil
	}
	object := item.(*unstructured.Unstructured).DeepCopy()
	r, err := parseRoute(object)
	if err != nil {
		return err
	}
	c.lookAtOthers(key, r.Spec.Host)
	others, err := c.others(key)
	if err != nil {
		return err
	}
	why := r.claimedBy(others)
	if why == nil {
		if why, err = c.judge(ctx, r); err != nil {
			return err
		}
	}
	// The real router starts this watch only once a Route has passed, and keeps it when the Route fails later.
	if why == nil {
		c.watch(ctx, key, r.Namespace, r.Spec.TLS.ExternalCertificate.Name)
		c.table.set(key, r)
	} else {
		c.table.set(key, nil)
	}
	c.lookAgain(key, why)
	return c.report(ctx, object, r, why)
}

// lookAgain has a Route judged anew later on whose certificate was refused before it had ever passed.
func (c *controller) lookAgain(key string, why *rejection) {
	last := c.again[key]
	if last != nil {
		last.timer.Stop()
		delete(c.again, key)
	}
	if why == nil || why.reason != certificateRefused || c.watches[key] != nil {
		return
	}
	wait := firstRetry
	if last != nil {
		wait = min(2*last.wait, lastRetry)
	}
	c.again[key] = &retry{time.AfterFunc(wait, func() { c.changed <- key }), wait}
}

// others are all Routes but one.
func (c *controller) others(key string) ([]*route, error) {
	var all []*route
	for _, item := range c.store.List() {
		object := item.(*unstructured.Unstructured)
		if object.GetNamespace()+"/"+object.GetName() == key {
			continue
		}
		r, err := parseRoute(object)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// lookAtOthers has the Routes of a host judged anew when a Route comes to it or leaves it.
func (c *controller) lookAtOthers(key, host string) {
	before := c.hosts[key]
	if strings.EqualFold(before, host) {
		return
	}
	if host == "" {
		delete(c.hosts, key)
	} else {
		c.hosts[key] = host
	}
	for other, its := range c.hosts {
		if other != key && (strings.EqualFold(its, before) || strings.EqualFold(its, host)) {
			go func() { c.changed <- other }() // the reader of the channel is who calls this
		}
	}
}

// judge loads the Route's certificate, and says why the Route cannot be served.
func (c *controller) judge(ctx context.Context, r *route) (*rejection, error) {
	name := r.Spec.TLS.ExternalCertificate.Name
	if name == "" {
		return nil, nil
	}
	path := field.NewPath("spec", "tls", "externalCertificate")
	var faults field.ErrorList
	for _, verb := range []string{"get", "watch", "list"} {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               routerUser,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: r.Namespace, Verb: verb, Resource: "secrets", Name: name},
		}}
		answer, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("asking whether the router may %s secret %q: %w", verb, name, err)
		}
		if !answer.Status.Allowed {
			faults = append(faults, field.Forbidden(path, "router serviceaccount does not have permission to "+verb+" this secret"))
		}
	}
	secret, err := c.client.CoreV1().Secrets(r.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		faults = append(faults, field.NotFound(path, err.Error()))
	case err != nil:
		faults = append(faults, field.InternalError(path, err))
	case secret.Type != corev1.SecretTypeTLS:
		faults = append(faults, field.Invalid(path, name, fmt.Sprintf("secret of type %q required", corev1.SecretTypeTLS)))
	}
	if len(faults) > 0 {
		return &rejection{certificateRefused, faults.ToAggregate().Error()}, nil
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return &rejection{"ExtendedValidationFailed", fmt.Sprintf("secret %q: %v", name, err)}, nil
	}
	r.certificate = &pair
	return nil, nil
}

// watch follows the secret for the Route, and no longer any other one; "" ends it.
func (c *controller) watch(ctx context.Context, key, namespace, secret string) {
	if w := c.watches[key]; w != nil && w.secret != secret {
		w.stop()
		delete(c.watches, key)
	}
	if secret == "" || c.watches[key] != nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	again := func() { c.changed <- key }
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		// A Role with resourceNames allows list and watch of exactly this selector.
		ListerWatcher: cache.NewListWatchFromClient(c.client.CoreV1().RESTClient(), "secrets", namespace, fields.OneTermEqualSelector("metadata.name", secret)),
		ObjectType:    &corev1.Secret{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { again() }, UpdateFunc: func(_, _ any) { again() }, DeleteFunc: func(any) { again() },
		},
	})
	go informer.RunWithContext(ctx)
	c.watches[key] = &secretWatch{secret, stop}
}

func (c *controller) report(ctx context.Context, object *unstructured.Unstructured, r *route, why *rejection) error {
	next, news := r.Status.record(c.name, r.Spec.Host, c.domain, why, metav1.NewTime(time.Now()))
	if !news {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&next)
	if err != nil {
		return err
	}
	object.Object["status"] = content
	_, err = c.routes.Namespace(r.Namespace).UpdateStatus(ctx, object, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // whatever came first brings the Route back here
	}
	if err != nil {
		return err
	}
	if why == nil {
		log.Printf("admitted route %s/%s for %s", r.Namespace, r.Name, r.Spec.Host)
	} else {
		log.Printf("rejected route %s/%s: %s: %s", r.Namespace, r.Name, why.reason, why.message)
	}
	return nil
}
