#!/bin/busybox sh
# Init of an image's initramfs. It understands the words by which a VM is told of its image: the read-only disks of its layers, the topmost first, and
# the disk that takes what is written.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/kmsg 2>&1
while read -r module; do insmod "$module"; done </modules
for word in $(cat /proc/cmdline); do
  case $word in
  cocoon.layers=*) layers=${word#*=} ;;
  cocoon.cow=*) cow=${word#*=} ;;
  cocoon.hostname=*) hostname "${word#*=}" ;;
  boot=*) boot=${word#*=} ;;
  esac
done
[ "$boot" = cocoon-overlay ] || echo "boot=$boot is not what this image is made for"

disk() {
  for name in /sys/block/vd*; do
    [ "$(cat "$name/serial")" != "$1" ] || echo "/dev/${name##*/}"
  done
}

lower=
for serial in $(echo "$layers" | tr , ' '); do
  mkdir -p "/layers/$serial"
  mount -t erofs -o ro "$(disk "$serial")" "/layers/$serial"
  lower=$lower${lower:+:}/layers/$serial
done
mkdir -p /cow /new
mount -t ext4 "$(disk "$cow")" /cow
mkdir -p /cow/upper /cow/work
mount -t overlay -o "lowerdir=$lower,upperdir=/cow/upper,workdir=/cow/work" overlay /new
umount /dev /sys /proc
exec switch_root /new /sbin/init
