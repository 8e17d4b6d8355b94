// Command tiny is what images without a shell need, in one static binary. It does what the name it is called by says:
// `pause` holds a pod's namespaces and reaps orphans; `docker-entrypoint` starts Envoy as the public image's script does.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func pause() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return 0
		}
		// One signal may stand for several children.
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
	return 0
}

const envoy = "/usr/local/bin/envoy"

// entrypoint runs its arguments; flags alone, or nothing, mean Envoy with them.
func entrypoint(args []string) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"envoy"}, args...)
	}
	program := args[0]
	if program == "envoy" {
		program = envoy
	}
	err := syscall.Exec(program, args, os.Environ())
	fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	return 127
}

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "pause":
		os.Exit(pause())
	case "docker-entrypoint", "docker-entrypoint.sh":
		os.Exit(entrypoint(os.Args[1:]))
	default:
		fmt.Fprintf(os.Stderr, "%s: call this as pause or docker-entrypoint\n", name)
		os.Exit(2)
	}
}
