// Makes a key in a TPM, over its Unix socket, and prints the key's name.
//
//	go mod init example && go mod tidy
//	swtpm run -- go run .
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

func main() {
	tpm, err := linuxudstpm.Open(os.Getenv("SWTPM_SOCK"))
	if err != nil {
		log.Fatal(err)
	}
	defer tpm.Close()

	key, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.TPMRHOwner,
		InPublic:      tpm2.New2B(tpm2.ECCSRKTemplate),
	}.Execute(tpm)
	if err != nil {
		log.Fatal(err)
	}
	defer tpm2.FlushContext{FlushHandle: key.ObjectHandle}.Execute(tpm)
	fmt.Printf("%x\n", key.Name.Buffer)
}
