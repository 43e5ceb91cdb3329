package storage

import (
	"context"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// What the controller manager writes into a claim when a provisioner shall act: at once, or, of a class that waits for its first
// consumer, as soon as the scheduler has chosen a node.
const wantedFrom = "volume.kubernetes.io/storage-provisioner"

// By this the controller manager knows that somebody else deletes the volume.
const provisionedBy = "pv.kubernetes.io/provisioned-by"

// provisioner makes a volume for every claim of the driver's classes, and removes it when its claim is gone. What fails is tried
// again at the next resync.
type provisioner struct {
	client    kubernetes.Interface
	node      string
	volumes   volumes
	snapshots *snapshotter
	informers informers.SharedInformerFactory
}

func newProvisioner(client kubernetes.Interface, node string, volumes volumes, snapshots *snapshotter) *provisioner {
	return &provisioner{client, node, volumes, snapshots, informers.NewSharedInformerFactory(client, 3*time.Second)}
}

func (p *provisioner) run(ctx context.Context) {
	watch(p.informers.Core().V1().PersistentVolumeClaims().Informer(), func(claim *core.PersistentVolumeClaim) error { return p.provision(ctx, claim) })
	watch(p.informers.Core().V1().PersistentVolumes().Informer(), func(volume *core.PersistentVolume) error { return p.reclaim(ctx, volume) })
	p.informers.Start(ctx.Done())
	<-ctx.Done()
}

// watch calls act for each object that appears, changes, or is seen again at a resync; one at a time.
func watch[T meta.Object](informer cache.SharedIndexInformer, act func(T) error) {
	seen := func(thing any) {
		object := thing.(T)
		if err := act(object); err != nil {
			klog.ErrorS(err, "will be tried again", "namespace", object.GetNamespace(), "name", object.GetName())
		}
	}
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: seen, UpdateFunc: func(_, thing any) { seen(thing) }})
}

func (p *provisioner) provision(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	if claim.Annotations[wantedFrom] != driverName || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return nil
	}
	class, err := p.client.StorageV1().StorageClasses().Get(ctx, *claim.Spec.StorageClassName, meta.GetOptions{})
	if err != nil {
		return err
	}
	name := "pvc-" + string(claim.UID)
	if err := p.create(ctx, name, claim); err != nil {
		return err
	}
	volume := &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: driverName}},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      claim.Spec.Resources.Requests,
			ClaimRef:                      &core.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			MountOptions:                  class.MountOptions,
			NodeAffinity:                  p.here(),
			PersistentVolumeReclaimPolicy: *class.ReclaimPolicy,
			PersistentVolumeSource:        core.PersistentVolumeSource{CSI: &core.CSIPersistentVolumeSource{Driver: driverName, VolumeHandle: name}},
			StorageClassName:              class.Name,
			VolumeMode:                    claim.Spec.VolumeMode,
		},
	}
	if _, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{}); !errors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

func (p *provisioner) create(ctx context.Context, name string, claim *core.PersistentVolumeClaim) error {
	if source := claim.Spec.DataSource; source != nil && source.Kind == "VolumeSnapshot" {
		handle, err := p.snapshots.handleOf(ctx, claim.Namespace, source.Name)
		if err != nil {
			return err
		}
		return clone(p.snapshots.path(handle), p.volumes.path(name))
	}
	if mode := claim.Spec.VolumeMode; mode != nil && *mode == core.PersistentVolumeBlock {
		size := claim.Spec.Resources.Requests[core.ResourceStorage]
		return p.volumes.createDevice(name, size.Value())
	}
	return p.volumes.create(name)
}

// here says that a volume is on this node and on no other.
func (p *provisioner) here() *core.VolumeNodeAffinity {
	hostname := core.NodeSelectorRequirement{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{p.node}}
	return &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{hostname}}}}}
}

func (p *provisioner) reclaim(ctx context.Context, volume *core.PersistentVolume) error {
	ours := volume.Annotations[provisionedBy] == driverName && volume.Spec.CSI != nil && volume.Spec.CSI.Driver == driverName
	if !ours || volume.Status.Phase != core.VolumeReleased || volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete || volume.DeletionTimestamp != nil {
		return nil
	}
	if err := p.volumes.remove(volume.Spec.CSI.VolumeHandle); err != nil {
		return err
	}
	if err := p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{}); !errors.IsNotFound(err) {
		return err
	}
	return nil
}
