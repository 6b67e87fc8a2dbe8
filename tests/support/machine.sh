#!/bin/sh
# Boots a real systemd as the first process of a machine of its own: namespaces over a copy-on-write view of this
# machine's root. Nothing outside changes, and it ends when standard input does, however its starter ends.
#
# Needs root. Prints the process id of the new systemd, by which `nsenter` gets in, and on standard error what systemd
# says while it boots.
set -eu

# A group of its own below the root of the control groups, which is all that the new systemd gets to see of them.
outside() {
    exec unshare --mount --propagation private sh "$0" group
}

group() {
    mount -t cgroup2 cgroup2 /mnt
    group=/mnt/bproxy-test-$$
    mkdir "$group"
    sh -c 'echo 0 >"$1/cgroup.procs" && exec unshare --pid --fork --kill-child=KILL \
        --mount --uts --ipc --cgroup --net sh "$0" inside' "$0" "$group" &
    cat >/dev/null
    kill -KILL $! 2>/dev/null || true
    wait
    # The kernel takes a moment to let go of the processes that it has just killed.
    until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do
        sleep 0.05
    done
}

inside() {
    # The number outside: the old /proc is still there.
    read -r pid _ </proc/self/stat
    mount --make-rprivate /
    umount /mnt
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
    root=/mnt/root
    mount -t proc proc "$root/proc"
    # Read-only, so that no device manager starts.
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    # Devices are bound one by one: systemd makes files in /dev, which must not be the real one.
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    # None of the services of the machine around: only what systemd brings with it, less what waits for hardware.
    rm -rf "$root/etc/systemd/system" "$root/etc/systemd/user"
    mkdir -p "$root/etc/systemd/system" "$root/var/log/journal"
    for unit in getty.target systemd-networkd.service systemd-resolved.service systemd-timesyncd.service \
        systemd-udevd.service systemd-firstboot.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
        e2scrub_all.timer fstrim.timer man-db.timer logrotate.timer; do
        ln -s /dev/null "$root/etc/systemd/system/$unit"
    done
    : >"$root/etc/fstab"
    : >"$root/etc/machine-id"
    # Tests fill a journal faster than any person would.
    mkdir -p "$root/etc/systemd/journald.conf.d"
    printf '[Journal]\nRateLimitIntervalSec=0\n' >"$root/etc/systemd/journald.conf.d/tests.conf"
    ip link set lo up
    export container=bproxy-test
    cd "$root"
    mkdir .old
    # Not chroot: in one, no process may make a user namespace, which the sandbox of services needs.
    pivot_root . .old
    umount -l /.old
    echo "$pid"
    exec /lib/systemd/systemd --unit=multi-user.target --log-target=console --show-status=no </dev/null >/dev/null
}

"${1:-outside}"
