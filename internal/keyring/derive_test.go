package keyring

import (
	"bytes"
	"testing"
)

func TestDerive(t *testing.T) {
	r, err := Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Derive("receipt", "sign")
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	again, _ := r.Derive("receipt", "sign")
	other, _ := r.Derive("receipt", "push")
	if !bytes.Equal(a, again) || bytes.Equal(a, other) {
		t.Error("a key is that of its scope and use")
	}
	for _, use := range []string{"", "seal", "hash", "pseudonym"} {
		if _, err := r.Derive("receipt", use); err == nil {
			t.Errorf("%q is the ring's own use", use)
		}
	}
	if err := r.Destroy("receipt"); err != nil {
		t.Fatal(err)
	}
	if new, _ := r.Derive("receipt", "sign"); bytes.Equal(a, new) {
		t.Error("a destroyed key came back")
	}
}
