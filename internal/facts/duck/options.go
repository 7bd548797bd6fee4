// Package duck keeps facts in DuckDB, inside the process.
package duck

import (
	"log/slog"
	"time"
)

// Options says where the files are and what they may cost.
type Options struct {
	Dir         string           // folder of the fact files; made when missing
	MemoryLimit int64            // bytes DuckDB may hold; 0 = the smaller of 512 MB and a quarter of the machine's memory
	Threads     int              // 0 = 2
	Now         func() time.Time // decides which days are over; required
	Log         *slog.Logger     // nil = discard
}
