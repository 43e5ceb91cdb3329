// Package storage is the lab's storage: a CSI driver whose volumes are folders of the node, and the provisioner that makes and
// removes them. One process a node.
package storage

import (
	"context"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// driverName is what StorageClasses, CSINodes and PersistentVolumes call it.
const driverName = "files.lab.mtc"

// NewCommand is `lab-storage`.
func NewCommand() *cobra.Command {
	var kubeconfig, node, folder, snapshots, kubelet string
	command := &cobra.Command{Use: "lab-storage", SilenceUsage: true, RunE: func(command *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return run(ctx, kubeconfig, node, folder, snapshots, kubelet)
	}}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "of an administrator")
	command.Flags().StringVar(&node, "node", "", "name of the node")
	command.Flags().StringVar(&folder, "folder", "", "where the volumes are, one folder each")
	command.Flags().StringVar(&snapshots, "snapshots", "", "where the snapshots are, one folder each")
	command.Flags().StringVar(&kubelet, "kubelet", "/var/lib/kubelet", "kubelet's folder")
	return command
}

func run(ctx context.Context, kubeconfig, node, folder, snapshots, kubelet string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)

	endpoint := filepath.Join(kubelet, "plugins", driverName, "csi.sock")
	plugin := grpc.NewServer()
	csi.RegisterIdentityServer(plugin, &identity{})
	csi.RegisterNodeServer(plugin, &mounter{node: node, volumes: volumes{folder}})
	if err := serve(plugin, endpoint, failed); err != nil {
		return err
	}
	registrar := grpc.NewServer()
	registration.RegisterRegistrationServer(registrar, &registered{endpoint: endpoint})
	if err := serve(registrar, filepath.Join(kubelet, "plugins_registry", driverName+"-reg.sock"), failed); err != nil {
		return err
	}
	snapshotter := &snapshotter{client: client, dynamic: objects, volumes: volumes{folder}, folder: snapshots}
	snapshotter.run(ctx)
	go newProvisioner(client, node, volumes{folder}, snapshotter).run(ctx)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// serve listens on a socket of that name, which a predecessor may have left behind.
func serve(server *grpc.Server, socket string, failed chan<- error) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() { failed <- server.Serve(listener) }()
	return nil
}
