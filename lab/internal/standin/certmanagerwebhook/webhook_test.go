package certmanagerwebhook

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestEverythingIsAllowed(t *testing.T) {
	recorder := httptest.NewRecorder()
	body := `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1234"}}`
	allow(recorder, httptest.NewRequest(http.MethodPost, "/validate", strings.NewReader(body)))
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(recorder.Body.Bytes(), &review); err != nil || review.Kind != "AdmissionReview" || review.Response == nil {
		t.Fatalf("%v: %s", err, recorder.Body)
	}
	if review.Response.UID != "1234" || !review.Response.Allowed {
		t.Errorf("%+v", review.Response)
	}
}

func TestTheAPIServerTrustsTheWebhookOnlyAfterAWhile(t *testing.T) {
	for name, c := range map[string]struct {
		known string
		after time.Duration
	}{"installed": {"", hesitation}, "started again": {"an older CA", 0}} {
		client := fake.NewClientset(&admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: configuration},
			Webhooks: []admissionregistrationv1.ValidatingWebhook{
				{Name: webhook, ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: []byte(c.known)}},
			},
		})
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			inject(t.Context(), client, []byte("the CA"))
			if got := time.Since(begin); got != c.after {
				t.Errorf("%s: the CA is known after %s, want %s", name, got, c.after)
			}
		})
		live, err := client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), configuration, metav1.GetOptions{})
		if err != nil || string(live.Webhooks[0].ClientConfig.CABundle) != "the CA" {
			t.Errorf("%s: %v, %v", name, live, err)
		}
	}
}
