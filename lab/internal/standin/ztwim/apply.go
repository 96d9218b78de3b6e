package ztwim

import (
	"context"
	stderrors "errors"
	"reflect"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// outcome is what was done to an object, or tried, in the words of the operator's reasons.
type outcome struct{ done, failed string }

var (
	nothing = outcome{"", "GetFailed"}
	created = outcome{"Created", "CreationFailed"}
	updated = outcome{"Updated", "UpdateFailed"}
)

// inTheWay is the error of 1.1 for an object that has the name of one of the operator's, but is not the operator's.
type inTheWay client.ObjectKey

func (e inTheWay) Error() string {
	name := e.Name
	if e.Namespace != "" {
		name = e.Namespace + "/" + name
	}
	return "resource " + name + " already exists but is not managed by the operator"
}

// reasonOf is the reason of a condition for an error: that of the step, unless an object is in the way.
func reasonOf(err error, step string) string {
	if conflict := (inTheWay{}); stderrors.As(err, &conflict) {
		return "ResourceConflict"
	}
	return step
}

// apply creates the objects of a template, and writes back those that someone changed.
// It tells the last thing it did, which is all that matters for a template of one object.
func (o *operator) apply(ctx context.Context, v fields, file string, owner *unstructured.Unstructured) (outcome, error) {
	wanted, err := render(file, v)
	if err != nil {
		return nothing, err
	}
	did := nothing
	for _, want := range wanted {
		if owner != nil {
			if err := controllerutil.SetControllerReference(owner, want, o.Scheme()); err != nil {
				return nothing, err
			}
		}
		if did, err = o.applyOne(ctx, want, file == bundleFile); err != nil {
			return did, err
		}
		if did != nothing {
			ctrl.LoggerFrom(ctx).Info(did.done, "kind", want.GetKind(), "object", want.GetName())
		}
	}
	return did, nil
}

func (o *operator) applyOne(ctx context.Context, want *unstructured.Unstructured, keep bool) (outcome, error) {
	have := object(want.GroupVersionKind())
	err := o.Get(ctx, client.ObjectKeyFromObject(want), have)
	switch {
	case errors.IsNotFound(err):
		// The cache sees labelled objects only: one without our labels is in the way, and the API server says so.
		err := o.Create(ctx, want)
		switch {
		case !errors.IsAlreadyExists(err):
			return created, err
		case keep:
			return nothing, nil
		case !o.release.OneZero():
			err = inTheWay(client.ObjectKeyFromObject(want))
		}
		return created, err
	case err != nil:
		return nothing, err
	case keep || o.createOnly || upToDate(have, want):
		return nothing, nil
	}
	want.SetResourceVersion(have.GetResourceVersion())
	return updated, o.Update(ctx, want)
}

// upToDate lets the API server's defaults and other people's additions be; only the Route has to be exactly ours.
func upToDate(have, want *unstructured.Unstructured) bool {
	if want.GetKind() == "Route" && !reflect.DeepEqual(have.Object["spec"], want.Object["spec"]) {
		return false
	}
	return covers(have.Object, want.Object)
}

func covers(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, _ := have.(map[string]any)
		for key, value := range want {
			if !covers(have[key], value) {
				return false
			}
		}
		return true
	case []any:
		have, _ := have.([]any)
		if len(have) != len(want) {
			return false
		}
		for i := range want {
			if !covers(have[i], want[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(have, want)
}
