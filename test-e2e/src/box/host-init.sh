# Init of the host. Beside it are its settings: $node, $agent, $disk.
. "${0%/*}/host-settings"
export PATH="$path" HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /var/lib/silk
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t cgroup2 cgroup2 /sys/fs/cgroup
modprobe -a virtio_console kvm_amd tun bridge vfio-pci vfio_iommu_type1
# A guest whose memory is shared is slow without them.
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled
ip link set lo up
hostname box
ip link add br0 type bridge
echo 0 >/proc/sys/net/ipv6/conf/br0/accept_dad
ip link set br0 up
for controller in /sys/class/nvme/*; do
  [ "$(tr -d ' ' <"$controller/serial")" != silk ] || mount "/dev/${controller##*/}n1" /var/lib/silk
done
"$node" "$agent"
echo o >/proc/sysrq-trigger
# The kernel panics where its first process ends before it is off.
sleep 60
