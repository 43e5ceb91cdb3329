package storage

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"
)

// A raw block volume is a file; pods see it through a loop device, one for all pods of the node, as they would share a disk.

// publishDevice binds the volume's device to the file that kubelet wants it at.
func publishDevice(source, target string) error {
	device, err := attach(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE, 0o660)
	if err != nil {
		return err
	}
	file.Close()
	var wanted, there unix.Stat_t
	if err := unix.Stat(device, &wanted); err != nil {
		return err
	}
	if unix.Stat(target, &there) == nil && there.Rdev == wanted.Rdev {
		return nil
	}
	return unix.Mount(device, target, "", unix.MS_BIND, "")
}

// attach returns the loop device of a file, and makes one if there is none.
func attach(source string) (string, error) {
	if devices, err := losetup("--associated", source, "--noheadings", "--output", "NAME"); err != nil || len(devices) > 0 {
		return strings.Join(devices[:min(len(devices), 1)], ""), err
	}
	devices, err := losetup("--find", "--show", source)
	if err != nil {
		return "", err
	}
	if len(devices) != 1 {
		return "", fmt.Errorf("losetup named %d devices", len(devices))
	}
	return devices[0], nil
}

// detachUnused frees the loop devices of a file that no pod has any more; what is written reaches the file by that.
func detachUnused(source string) {
	devices, err := losetup("--associated", source, "--noheadings", "--output", "NAME")
	if err != nil {
		return // it is a folder
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	for _, device := range devices {
		if strings.Contains(string(mounts), " /"+filepath.Base(device)+" ") {
			continue
		}
		if _, err := losetup("--detach", device); err != nil {
			klog.ErrorS(err, "the device stays", "device", device)
		}
	}
}

func losetup(arguments ...string) ([]string, error) {
	out, err := exec.Command("losetup", arguments...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("losetup: %w: %s", err, out)
	}
	return strings.Fields(string(out)), nil
}
