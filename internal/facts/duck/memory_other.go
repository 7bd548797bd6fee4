//go:build cgo && !linux

package duck

// machineMemory is not asked for here: 2 GB are assumed.
func machineMemory() int64 { return 2 << 30 }
