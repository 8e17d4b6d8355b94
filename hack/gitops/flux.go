package main

import (
	"context"
	"encoding/json"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// Names and options are those of kustomize-controller 1.9: internal/controller/kustomization_controller.go.
	fluxManager   = "kustomize-controller"
	fluxGroup     = "kustomize.toolkit.fluxcd.io"
	kustomization = "shop"
	fluxNamespace = "flux-system"
)

type flux struct {
	manager *ssa.ResourceManager
}

func newFlux(config *rest.Config) (*flux, error) {
	kube, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	// What it would poll for are definitions and namespaces, of which there are none among the manifests.
	return &flux{ssa.NewResourceManager(kube, nil, ssa.Owner{Field: fluxManager, Group: fluxGroup})}, nil
}

// owned are the manifests as a Kustomization applies them: with its labels.
func (f *flux) owned(manifest *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	objects := []*unstructured.Unstructured{manifest.DeepCopy()}
	f.manager.SetOwnerLabels(objects, kustomization, fluxNamespace)
	return objects, normalize.UnstructuredList(objects)
}

func (f *flux) diff(ctx context.Context, _ request, manifest *unstructured.Unstructured) (outcome, error) {
	objects, err := f.owned(manifest)
	if err != nil {
		return outcome{}, err
	}
	entry, live, wanted, err := f.manager.Diff(ctx, objects[0], ssa.DefaultDiffOptions())
	if err != nil {
		return outcome{}, err
	}
	found := outcome{Modified: entry.Action != ssa.UnchangedAction}
	if live == nil || wanted == nil {
		return found, nil
	}
	// This counts changes; it is not compared.
	for _, object := range []*unstructured.Unstructured{live, wanted} {
		unstructured.RemoveNestedField(object.Object, "metadata", "generation")
	}
	if found.Live, err = json.Marshal(live); err != nil {
		return outcome{}, err
	}
	found.Wanted, err = json.Marshal(wanted)
	return found, err
}

// sync is what a reconciliation does; it tells whether it found drift.
func (f *flux) sync(ctx context.Context, _ request, manifest *unstructured.Unstructured) (outcome, error) {
	objects, err := f.owned(manifest)
	if err != nil {
		return outcome{}, err
	}
	changes, err := f.manager.ApplyAllStaged(ctx, objects, applyOptions())
	if err != nil {
		return outcome{}, err
	}
	found := outcome{}
	for _, entry := range changes.Entries {
		found.Modified = found.Modified || entry.Action != ssa.UnchangedAction
	}
	return found, nil
}

// applyOptions are those of a Kustomization that sets none: what kubectl has left behind goes.
func applyOptions() ssa.ApplyOptions {
	options := ssa.DefaultApplyOptions()
	options.ExclusionSelector = map[string]string{
		fluxGroup + "/reconcile": "disabled",
		fluxGroup + "/ssa":       "Ignore",
	}
	options.IfNotPresentSelector = map[string]string{fluxGroup + "/ssa": "IfNotPresent"}
	options.ForceSelector = map[string]string{fluxGroup + "/force": "enabled"}
	options.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: fluxManager, OperationType: metav1.ManagedFieldsOperationUpdate},
		},
		Exclusions: map[string]string{fluxGroup + "/ssa": "Merge"},
	}
	return options
}
