# The two commands of the README, and a few for developers.
.PHONY: demo test build static
demo: build
	./bellwether demo
test:
	./check
build:
	go build -o bellwether ./cmd/bellwether
static:
	CGO_ENABLED=0 go build -o bellwether-static ./cmd/bellwether
