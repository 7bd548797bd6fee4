package app

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// How memory of Go is spent, unless GOGC or GOMEMLIMIT say otherwise. Garbage is
// collected a quarter as often as Go would, since little is live, but the heap of a
// busy door is held near memoryFloor: what DuckDB and the files need comes beside
// it. The limit follows what is really in use, so that a large ecosystem does not
// collect all the time.
const (
	gcPercent   = 400
	memoryFloor = 256 << 20
	memoryRoom  = 2 // times what is live
)

func setMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryFloor)
	}
}

// leaveStart gives back what starting needed, which is more than what stays.
func leaveStart() error {
	debug.FreeOSMemory()
	return nil
}

// tendMemory moves the limit that setMemory made.
func tendMemory(context.Context) (string, error) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return "", nil
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/memory/classes/metadata/other:bytes"}}
	metrics.Read(live)
	debug.SetMemoryLimit(memoryLimit(live[0].Value.Uint64(), live[1].Value.Uint64()+live[2].Value.Uint64()))
	return "", nil
}

// memoryLimit is the limit for so many bytes of live heap and of other things.
func memoryLimit(live, other uint64) int64 {
	return int64(min(max(memoryFloor, memoryRoom*live+other), math.MaxInt64))
}
