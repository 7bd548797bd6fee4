// Package fault is the house's one error type: a code a program can act on, a
// text for people, and the cause for the log. The codes are a closed list; they
// are part of the API.
package fault

import (
	"errors"
	"fmt"
)

// Code says what kind of failure it was. Doors turn codes into statuses.
type Code string

const (
	Invalid         Code = "invalid"         // the request is wrong; repeating it will not help
	Unauthenticated Code = "unauthenticated" // we do not know who asks
	Forbidden       Code = "forbidden"       // we know, and the answer is no
	NotFound        Code = "not_found"       // no such thing, or not yours to know about
	Conflict        Code = "conflict"        // it changed, or exists already
	TooLarge        Code = "too_large"       // past a documented bound
	RateLimited     Code = "rate_limited"    // too often; later it will do
	Unavailable     Code = "unavailable"     // we cannot now; later it will do
	Internal        Code = "internal"        // our fault
)

// Codes lists every code, in the order of the documentation.
var Codes = []Code{Invalid, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge, RateLimited, Unavailable, Internal}

// Error is a failure with an operation ("crash.Family"), a code, a text that may
// be shown to people, and the cause, which may not.
type Error struct {
	Op   string
	Code Code
	Text string
	Err  error
}

// E makes an error. The text must be safe to show: it never repeats input.
func E(op string, code Code, text string, err error) error {
	return &Error{Op: op, Code: code, Text: text, Err: err}
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Text
	if e.Text == "" {
		s = e.Op + ": " + string(e.Code)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the outermost code in the chain of err, Internal when it has
// none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// TextOf returns the text for people, or a neutral sentence.
func TextOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Text != "" {
		return e.Text
	}
	return "Something went wrong on our side."
}

// Wrap adds an operation and keeps the code and text of err.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}
