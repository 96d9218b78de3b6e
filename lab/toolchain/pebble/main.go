// Command pebble is Let's Encrypt's small ACME server as the lab runs it: Pebble's own parts, but with the directory
// where Let's Encrypt has it, checks on ports 80 and 443, a CSR's common name taken for a name, and none of the faults that Pebble puts in to test its clients.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// root is the descriptor that gets the certificate of the issuing root, which is new at each start, once clients are answered.
const root = 3

func main() {
	listen := flag.String("listen", "", "address to serve on")
	certificate := flag.String("certificate", "", "file with the certificate to serve with")
	key := flag.String("key", "", "file with its key")
	flag.Parse()
	logger := log.New(os.Stdout, "", log.Ltime|log.Lmicroseconds)
	for name, value := range map[string]string{
		"PEBBLE_VA_NOSLEEP":      "1", // check at once
		"PEBBLE_WFE_NONCEREJECT": "0", // each good request is served
		"PEBBLE_AUTHZREUSE":      "0", // each order is checked
	} {
		if err := os.Setenv(name, value); err != nil {
			logger.Fatal(err)
		}
	}
	store := db.NewMemoryStore()
	authority := ca.New(logger, store, "", 0, 1, map[string]ca.Profile{"classic": {Description: "90 days"}})
	front := wfe.New(logger, store, va.New(logger, 80, 443, false, "", store), authority, false, false, 0, 0)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		logger.Fatal(err)
	}
	told := os.NewFile(root, "root")
	if _, err := told.Write(authority.GetRootCert(0).PEM()); err != nil {
		logger.Fatal(err)
	}
	told.Close()
	logger.Fatal(http.ServeTLS(listener, withDirectory(byCommonName(front.Handler(), store, authority)), *certificate, *key))
}

// withDirectory serves /directory, too: the one path of an ACME server that clients know before they ask.
func withDirectory(pebble http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/directory" {
			r.URL.Path = wfe.DirectoryPath
		}
		pebble.ServeHTTP(w, r)
	})
}
