package storage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

var (
	snapshotKind = schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshots"}
	contentKind  = schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshotcontents"}
)

// snapshotter is the snapshot controller and the driver's sidecar in one: a snapshot is a copy of a volume's folder, in a folder
// that the drivers of both clusters share. What fails is tried again at the next resync.
type snapshotter struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	volumes volumes
	folder  string
}

func (s *snapshotter) path(handle string) string {
	return filepath.Join(s.folder, filepath.Base(handle))
}

func (s *snapshotter) run(ctx context.Context) {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(s.dynamic, 3*time.Second)
	snapshots := factory.ForResource(snapshotKind).Informer()
	watch(snapshots, func(snapshot *unstructured.Unstructured) error { return s.take(ctx, snapshot) })
	snapshots.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(thing any) { s.forget(ctx, thing) }})
	contents := factory.ForResource(contentKind).Informer()
	contents.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: s.remove})
	factory.Start(ctx.Done())
}

// take makes a snapshot, or adopts one that is in the folder already, and says that it is ready.
func (s *snapshotter) take(ctx context.Context, snapshot *unstructured.Unstructured) error {
	if ready, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse"); ready || snapshot.GetDeletionTimestamp() != nil {
		return nil
	}
	name, adopted, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "volumeSnapshotContentName")
	if !adopted {
		name = contentOf(snapshot)
		if err := s.copy(ctx, snapshot, name); err != nil {
			return err
		}
	}
	content, err := s.dynamic.Resource(contentKind).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return err
	}
	handle, _, _ := unstructured.NestedString(content.Object, "status", "snapshotHandle")
	if handle == "" {
		handle, _, _ = unstructured.NestedString(content.Object, "spec", "source", "snapshotHandle")
	}
	if _, err := os.Stat(s.path(handle)); err != nil {
		return err
	}
	content.Object["status"] = map[string]any{"snapshotHandle": handle, "readyToUse": true, "creationTime": time.Now().UnixNano(), "restoreSize": int64(0)}
	if _, err := s.dynamic.Resource(contentKind).UpdateStatus(ctx, content, meta.UpdateOptions{}); err != nil {
		return err
	}
	fresh := snapshot.DeepCopy()
	fresh.Object["status"] = map[string]any{"boundVolumeSnapshotContentName": name, "readyToUse": true, "restoreSize": "0", "creationTime": time.Now().UTC().Format(time.RFC3339)}
	_, err = s.dynamic.Resource(snapshotKind).Namespace(snapshot.GetNamespace()).UpdateStatus(ctx, fresh, meta.UpdateOptions{})
	if errors.IsNotFound(err) {
		s.discard(ctx, name) // it was deleted while it was taken, when there was no content yet to forget
		return nil
	}
	return err
}

// contentOf names the content of a snapshot that is taken here.
func contentOf(snapshot *unstructured.Unstructured) string {
	return "snapcontent-" + string(snapshot.GetUID())
}

// copy copies the volume of the snapshot's claim, and stores the VolumeSnapshotContent of that name.
func (s *snapshotter) copy(ctx context.Context, snapshot *unstructured.Unstructured, name string) error {
	claimName, _, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "persistentVolumeClaimName")
	class, _, _ := unstructured.NestedString(snapshot.Object, "spec", "volumeSnapshotClassName")
	claim, err := s.client.CoreV1().PersistentVolumeClaims(snapshot.GetNamespace()).Get(ctx, claimName, meta.GetOptions{})
	if err != nil {
		return err
	}
	volume, err := s.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != driverName {
		return fmt.Errorf("volume %s is not of this driver", volume.Name)
	}
	handle := "snapshot-" + string(snapshot.GetUID())
	if err := clone(s.volumes.path(volume.Spec.CSI.VolumeHandle), s.path(handle)); err != nil {
		return err
	}
	content := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"deletionPolicy": "Delete", "driver": driverName, "volumeSnapshotClassName": class,
			"source":            map[string]any{"volumeHandle": volume.Spec.CSI.VolumeHandle},
			"volumeSnapshotRef": map[string]any{"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "namespace": snapshot.GetNamespace(), "name": snapshot.GetName(), "uid": string(snapshot.GetUID())},
		}}}
	created, err := s.dynamic.Resource(contentKind).Create(ctx, content, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	} else if err != nil {
		return err
	}
	created.Object["status"] = map[string]any{"snapshotHandle": handle, "readyToUse": true}
	_, err = s.dynamic.Resource(contentKind).UpdateStatus(ctx, created, meta.UpdateOptions{})
	return err
}

// handleOf names the folder of a snapshot that is ready.
func (s *snapshotter) handleOf(ctx context.Context, namespace, name string) (string, error) {
	snapshot, err := s.dynamic.Resource(snapshotKind).Namespace(namespace).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return "", err
	}
	bound, _, _ := unstructured.NestedString(snapshot.Object, "status", "boundVolumeSnapshotContentName")
	if bound == "" {
		return "", fmt.Errorf("snapshot %s/%s is not ready", namespace, name)
	}
	content, err := s.dynamic.Resource(contentKind).Get(ctx, bound, meta.GetOptions{})
	if err != nil {
		return "", err
	}
	handle, _, _ := unstructured.NestedString(content.Object, "status", "snapshotHandle")
	return handle, nil
}

// deleted is what an informer says of an object that is gone; nil if that is none.
func deleted(thing any) *unstructured.Unstructured {
	if unknown, ok := thing.(cache.DeletedFinalStateUnknown); ok {
		thing = unknown.Obj
	}
	object, _ := thing.(*unstructured.Unstructured)
	return object
}

// forget deletes the content of a snapshot that was deleted, unless that shall be kept.
func (s *snapshotter) forget(ctx context.Context, thing any) {
	snapshot := deleted(thing)
	if snapshot == nil {
		return
	}
	name, _, _ := unstructured.NestedString(snapshot.Object, "status", "boundVolumeSnapshotContentName")
	if name == "" {
		name = contentOf(snapshot)
	}
	s.discard(ctx, name)
}

// discard deletes a content, if it is there and need not be kept.
func (s *snapshotter) discard(ctx context.Context, name string) {
	content, err := s.dynamic.Resource(contentKind).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return
	}
	if policy, _, _ := unstructured.NestedString(content.Object, "spec", "deletionPolicy"); policy == "Delete" {
		if err := s.dynamic.Resource(contentKind).Delete(ctx, name, meta.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
			klog.ErrorS(err, "the content of a snapshot stays", "name", name)
		}
	}
}

// remove removes the folder of a content that was deleted, unless that shall be kept.
func (s *snapshotter) remove(thing any) {
	content := deleted(thing)
	if content == nil {
		return
	}
	policy, _, _ := unstructured.NestedString(content.Object, "spec", "deletionPolicy")
	handle, _, _ := unstructured.NestedString(content.Object, "status", "snapshotHandle")
	if policy == "Delete" && handle != "" {
		if err := os.RemoveAll(s.path(handle)); err != nil {
			klog.ErrorS(err, "the folder of a snapshot stays", "handle", handle)
		}
	}
}

// clone copies a folder or a device's file whole, or not at all.
func clone(source, target string) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	part := target + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if out, err := exec.Command("cp", "--archive", "--reflink=auto", source, part).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	return os.Rename(part, target)
}
