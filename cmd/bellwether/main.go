// Command bellwether is the server and its tools; `bellwether help` lists them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/bellwether-project/bellwether/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
