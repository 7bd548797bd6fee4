//go:build !unix

package load

import "time"

// cpuOwn is not known here.
func cpuOwn() time.Duration { return 0 }
