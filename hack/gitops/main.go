// Command gitops looks at a cluster with the eyes of Argo CD and Flux, and syncs it with their hands: by the libraries by which these two decide and
// apply. It reads requests from its input, one JSON document each, and answers each with one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"
)

// request asks one of the two to look at manifests, or to sync them.
type request struct {
	// Engine is argocd or flux.
	Engine string `json:"engine"`
	// Sync applies; else it is only looked at.
	Sync bool `json:"sync"`
	// ServerSideApply and ServerSideDiff are the options of an Application of that name.
	ServerSideApply bool `json:"serverSideApply"`
	ServerSideDiff  bool `json:"serverSideDiff"`
	// IgnoredManagers are the managedFieldsManagers of the Application's ignoreDifferences.
	IgnoredManagers []string `json:"ignoredManagers"`
	// Manifests are as git has them.
	Manifests []map[string]any `json:"manifests"`
}

// outcome says of an object whether it is as git has it, as the engine sees it, and which it compared.
type outcome struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Modified bool   `json:"modified"`
	// Live and Wanted are what the engine compared; absent where it does not tell.
	Live   json.RawMessage `json:"live,omitempty"`
	Wanted json.RawMessage `json:"wanted,omitempty"`
}

type answer struct {
	Outcomes []outcome `json:"outcomes"`
	Error    string    `json:"error,omitempty"`
}

// engine is what both can do.
type engine interface {
	diff(ctx context.Context, asked request, object *unstructured.Unstructured) (outcome, error)
	sync(ctx context.Context, asked request, object *unstructured.Unstructured) (outcome, error)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	flag.Parse()
	ctrllog.SetLogger(logr.Discard())
	// Of admission: in a test's output they would look like its own.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	if err := serve(*kubeconfig, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(kubeconfig string, in io.Reader, out io.Writer) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 200, 400
	argo, err := newArgo(config)
	if err != nil {
		return fmt.Errorf("Argo CD: %w", err)
	}
	flux, err := newFlux(config)
	if err != nil {
		return fmt.Errorf("Flux: %w", err)
	}
	engines := map[string]engine{"argocd": argo, "flux": flux}
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked request
		if err := requests.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		if err := answers.Encode(answerTo(context.Background(), engines[asked.Engine], asked)); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}

func answerTo(ctx context.Context, asked engine, request request) answer {
	if asked == nil {
		return answer{Error: fmt.Sprintf("there is no engine %q", request.Engine)}
	}
	act := asked.diff
	if request.Sync {
		act = asked.sync
	}
	said := answer{Outcomes: []outcome{}}
	for _, manifest := range request.Manifests {
		object := &unstructured.Unstructured{Object: manifest}
		one, err := act(ctx, request, object)
		if err != nil {
			return answer{Error: fmt.Sprintf("%s/%s: %v", object.GetKind(), object.GetName(), err)}
		}
		one.Kind, one.Name = object.GetKind(), object.GetName()
		said.Outcomes = append(said.Outcomes, one)
	}
	return said
}
