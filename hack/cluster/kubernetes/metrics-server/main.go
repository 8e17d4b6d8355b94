// Command metrics-server is Kubernetes' metrics server, as its own main has it: it asks each kubelet how much CPU and memory pods use, and serves that as
// metrics.k8s.io to the API server.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

func main() {
	os.Exit(cli.Run(app.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())))
}
