package dump

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault/needs"
)

func TestXZ(t *testing.T) {
	xz := needs.Program(t, "xz")
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	mixed := append(append(bytes.Repeat([]byte("Bellwether rings. "), 9000), noise...), make([]byte, 3<<20)...)
	for name, in := range map[string][]byte{"empty": {}, "one": {7}, "text": bytes.Repeat([]byte("abcabcabd"), 500), "noise": noise, "mixed": mixed} {
		for _, args := range [][]string{{"-0"}, {"-6"}, {"-9e"}, {"--check=crc32"}, {"--check=sha256"}, {"--check=none"}, {"--lzma2=lc=1,lp=2,pb=0"}, {"--block-size=65536", "-T2"}} {
			cmd := exec.Command(xz, append(args, "-c")...)
			cmd.Stdin = bytes.NewReader(in)
			packed, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got, err := unxz(packed, 8<<20)
			if err != nil || !bytes.Equal(got, in) {
				t.Fatalf("%s %v: %d bytes of %d, %v", name, args, len(got), len(in), err)
			}
			if len(in) > 0 {
				if _, err := unxz(packed, len(in)-1); err != errXZBig {
					t.Errorf("%s %v: past the bound: %v", name, args, err)
				}
			}
			for n := 0; n < len(packed)-1; n += 1 + len(packed)/50 {
				if got, err := unxz(packed[:n], 8<<20); err == nil && !bytes.Equal(got, in) {
					t.Errorf("%s: cut at %d: no error", name, n)
				}
			}
		}
	}
}
