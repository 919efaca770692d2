// A registry of OCI artifacts on loopback: the Distribution project's handlers over memory, with a password or without,
// over TLS with a certificate of its own or plainly. It prints its address when it listens.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	user := flag.String("user", "", "who may read and write; everybody by default")
	password := flag.String("password", "", "that user's password")
	certificate := flag.String("certificate", "", "where to write the certificate of a server with TLS; plain HTTP by default")
	flag.Parse()

	config := &configuration.Configuration{Storage: configuration.Storage{"inmemory": configuration.Parameters{}}}
	config.Catalog.MaxEntries = 100
	if *user != "" {
		config.Auth = configuration.Auth{"htpasswd": configuration.Parameters{
			"realm": "registry", "path": passwords(*user, *password),
		}}
	}
	logrus.SetOutput(io.Discard)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	if *certificate != "" {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{own(*certificate)}})
	}
	// A client that does not trust the certificate is what a test wants.
	quiet := log.New(io.Discard, "", 0)
	server := &http.Server{Handler: handlers.NewApp(context.Background(), config), ErrorLog: quiet}
	log.Fatal(server.Serve(listener))
}

// passwords writes the file that the registry reads users from.
func passwords(user, password string) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.CreateTemp("", "htpasswd-")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, "%s:%s\n", user, hash); err != nil {
		log.Fatal(err)
	}
	return file.Name()
}

// own makes a certificate for loopback that signs itself, and writes it for those who shall trust it.
func own(path string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
