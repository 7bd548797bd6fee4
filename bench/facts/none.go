//go:build !cgo

// Command facts measures the embedded facts engine, which needs cgo.
package main

import "fmt"

func main() { fmt.Println("this build has no embedded facts engine: build with cgo") }
