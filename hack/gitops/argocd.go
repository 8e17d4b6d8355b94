package main

import (
	"context"
	"fmt"

	"github.com/argoproj/argo-cd/v3/util/argo/managedfields"
	"github.com/argoproj/gitops-engine/pkg/diff"
	argoio "github.com/argoproj/gitops-engine/pkg/utils/io"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/kube/scheme"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apimanagedfields "k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

const (
	// Names and options are those of Argo CD 3.2: common/common.go, controller/state.go, controller/sync.go, gitops-engine's pkg/sync/common.
	argoManager       = "argocd-controller"
	migratedManager   = "kubectl-client-side-apply"
	trackingID        = "argocd.argoproj.io/tracking-id"
	argoApplication   = "shop"
	ignoreNoWebhooks  = true
	validateManifests = true
)

type argo struct {
	config  *rest.Config
	kubectl *kube.KubectlCmd
	parser  *apimanagedfields.GvkParser
	dryRuns diff.KubeApplier
	apply   kube.ResourceOperations
}

// noStatus is what of its normalization Argo CD does by default: by ignoreResourceStatusField, no kind's status is compared.
type noStatus struct{}

func (noStatus) Normalize(object *unstructured.Unstructured) error {
	unstructured.RemoveNestedField(object.Object, "status")
	return nil
}

func newArgo(config *rest.Config) (*argo, error) {
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	schema, parser, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, err
	}
	// What these two leave behind is a copy of the kubeconfig: not in memory that stays, but in the folder for temporary files, which the test removes.
	argoio.TempDir = ""
	dryRuns, _, err := kube.ManageServerSideDiffDryRuns(config, schema, kubectl.Tracer, kubectl.Log, nil)
	if err != nil {
		return nil, err
	}
	apply, _, err := kubectl.ManageResources(config, schema)
	if err != nil {
		return nil, err
	}
	return &argo{config, kubectl, parser, dryRuns, apply}, nil
}

// target is the manifest as the repository server gives it out: with the mark of its Application.
func target(manifest *unstructured.Unstructured) *unstructured.Unstructured {
	marked := manifest.DeepCopy()
	annotations := marked.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	gvk := marked.GroupVersionKind()
	annotations[trackingID] = fmt.Sprintf("%s:%s/%s:%s/%s", argoApplication, gvk.Group, gvk.Kind, marked.GetNamespace(), marked.GetName())
	marked.SetAnnotations(annotations)
	return marked
}

func (a *argo) live(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return a.kubectl.GetResource(ctx, a.config, object.GroupVersionKind(), object.GetName(), object.GetNamespace())
}

// diff is what CompareAppState does for an object that is both in git and in the cluster.
func (a *argo) diff(ctx context.Context, asked request, manifest *unstructured.Unstructured) (outcome, error) {
	live, err := a.live(ctx, manifest)
	if err != nil {
		return outcome{}, err
	}
	wanted := target(manifest)
	if len(asked.IgnoredManagers) > 0 {
		schema := scheme.ResolveParseableType(wanted.GroupVersionKind(), a.parser)
		live, wanted, err = managedfields.Normalize(live, wanted, asked.IgnoredManagers, schema)
		if err != nil {
			return outcome{}, err
		}
	}
	result, err := diff.Diff(
		wanted, live,
		diff.WithLogr(logr.Discard()),
		diff.WithNormalizer(noStatus{}),
		diff.WithStructuredMergeDiff(asked.ServerSideApply),
		diff.WithGVKParser(a.parser),
		diff.WithManager(argoManager),
		diff.WithServerSideDiff(asked.ServerSideDiff),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(a.dryRuns)),
		diff.WithIgnoreMutationWebhook(ignoreNoWebhooks),
	)
	if err != nil {
		return outcome{}, err
	}
	return outcome{Modified: result.Modified, Live: result.NormalizedLive, Wanted: result.PredictedLive}, nil
}

// sync is what applyObject of the sync context does; it applies whatever a comparison says, as a sync of a whole Application does.
func (a *argo) sync(ctx context.Context, asked request, manifest *unstructured.Unstructured) (outcome, error) {
	wanted := target(manifest)
	if asked.ServerSideApply {
		if err := a.migrate(ctx, wanted); err != nil {
			return outcome{}, err
		}
	}
	_, err := a.apply.ApplyResource(ctx, wanted, cmdutil.DryRunNone, false, validateManifests, asked.ServerSideApply, argoManager)
	return outcome{}, err
}

// migrate is the first step of a server-side apply to what somebody applied by `kubectl apply`, as Argo CD does it unless told not to.
func (a *argo) migrate(ctx context.Context, wanted *unstructured.Unstructured) error {
	live, err := a.live(ctx, wanted)
	if err != nil {
		return nil // There is none yet.
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == migratedManager {
			_, err = a.apply.ApplyResource(ctx, wanted, cmdutil.DryRunNone, false, false, false, migratedManager)
			return err
		}
	}
	return nil
}
