// Package certmanagerwebhook stands for cert-manager's webhook and CA injector. It allows everything, but as on every cluster only
// some seconds after it was installed: before that the API server does not trust its certificate, and refuses cert-manager's objects.
package certmanagerwebhook

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyadmission "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	"k8s.io/client-go/kubernetes"

	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/standin/reconcile"
)

const (
	configuration = "cert-manager-webhook"
	webhook       = "webhook.cert-manager.io"
	host          = "cert-manager-webhook.cert-manager.svc"

	// hesitation is how long the CA injector takes after an installation.
	hesitation = 10 * time.Second
)

// Run serves until ctx ends.
func Run(ctx context.Context, _ []string) error {
	client, _, err := reconcile.Clients()
	if err != nil {
		return err
	}
	ca, err := pki.NewCA("cert-manager-webhook-ca")
	if err != nil {
		return err
	}
	pair, err := ca.Issue(pki.Leaf{CommonName: host, DNS: []string{host}})
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: ":10250", Handler: http.HandlerFunc(allow), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}},
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	go inject(ctx, client, ca.Cert)
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// inject tells the API server the CA: late when it has known none, at once when this is another run of an installed webhook.
func inject(ctx context.Context, client kubernetes.Interface, ca []byte) {
	configurations := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	for {
		live, err := configurations.Get(ctx, configuration, metav1.GetOptions{})
		if err == nil {
			if len(live.Webhooks) == 0 || len(live.Webhooks[0].ClientConfig.CABundle) == 0 {
				if !sleep(ctx, hesitation) {
					return
				}
			}
			change := applyadmission.ValidatingWebhookConfiguration(configuration).WithWebhooks(applyadmission.ValidatingWebhook().
				WithName(webhook).WithClientConfig(applyadmission.WebhookClientConfig().WithCABundle(ca...)))
			_, err = configurations.Apply(ctx, change, metav1.ApplyOptions{FieldManager: "cert-manager-cainjector", Force: true})
		}
		if err == nil {
			log.Print("the API server knows the webhook's CA")
			return
		}
		log.Print(err)
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// allow answers the API server, and the kubelet's probes.
func allow(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost {
		fmt.Fprintln(w, "ok")
		return
	}
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no AdmissionReview", http.StatusBadRequest)
		return
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // the client has gone: nobody to tell
}
