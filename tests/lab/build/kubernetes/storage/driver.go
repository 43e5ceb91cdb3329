package storage

import (
	"context"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// volumes is the folder that holds one folder a volume, named by its handle; of a raw block volume, a file.
type volumes struct{ folder string }

func (v volumes) path(handle string) string { return filepath.Join(v.folder, filepath.Base(handle)) }

// createDevice is idempotent. What was never written takes no room.
func (v volumes) createDevice(handle string, size int64) error {
	file, err := os.OpenFile(v.path(handle), os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Truncate(size)
}

// create is idempotent. Everybody may write, as in most drivers' fresh volumes: a pod need not be root.
func (v volumes) create(handle string) error {
	if err := os.Mkdir(v.path(handle), 0o777); err != nil {
		if os.IsExist(err) {
			return nil
		}
		return err
	}
	return os.Chmod(v.path(handle), 0o777)
}

func (v volumes) remove(handle string) error { return os.RemoveAll(v.path(handle)) }

// registered answers kubelet, which finds drivers by their sockets in plugins_registry.
type registered struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r *registered) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: driverName, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"}}, nil
}

func (r *registered) NotifyRegistrationStatus(context.Context, *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	return &registration.RegistrationStatusResponse{}, nil
}

type identity struct {
	csi.UnimplementedIdentityServer
}

func (*identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "1"}, nil
}

func (*identity) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (*identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

// mounter binds a volume's folder to where kubelet wants it for a pod.
type mounter struct {
	csi.UnimplementedNodeServer
	node    string
	volumes volumes
}

func (m *mounter) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: m.node}, nil
}

func (m *mounter) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (m *mounter) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	source, target := m.volumes.path(request.VolumeId), request.TargetPath
	var volume, there unix.Stat_t
	if err := unix.Stat(source, &volume); err != nil {
		return nil, status.Errorf(codes.NotFound, "volume %s: %v", request.VolumeId, err)
	}
	if request.VolumeCapability.GetBlock() != nil {
		if err := publishDevice(source, target); err != nil {
			return nil, status.Errorf(codes.Internal, "volume %s: %v", request.VolumeId, err)
		}
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if unix.Stat(target, &there) == nil && there.Dev == volume.Dev && there.Ino == volume.Ino {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return nil, status.Errorf(codes.Internal, "bind %s to %s: %v", source, target, err)
	}
	if request.Readonly {
		if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			return nil, status.Errorf(codes.Internal, "make %s read-only: %v", target, err)
		}
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (m *mounter) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	defer detachUnused(m.volumes.path(request.VolumeId))
	if err := unix.Unmount(request.TargetPath, 0); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return nil, status.Errorf(codes.Internal, "unmount %s: %v", request.TargetPath, err)
	}
	if err := os.Remove(request.TargetPath); err != nil && !os.IsNotExist(err) {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
