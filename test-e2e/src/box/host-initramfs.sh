#!/bin/busybox sh
# Makes the machine's own / the host's root: it is only read, and what the host writes stays in its memory.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "$module"; done </modules
mkdir /lower /upper /new
mount -t virtiofs -o ro machine /lower &&
  mount -t tmpfs tmpfs /upper &&
  mkdir /upper/upper /upper/work &&
  mount -t overlay -o lowerdir=/lower,upperdir=/upper/upper,workdir=/upper/work overlay /new ||
  poweroff -f
for word in $(cat /proc/cmdline); do
  case $word in BOX_INIT=*) init=${word#BOX_INIT=} ;; esac
done
umount /dev /proc
exec switch_root /new /bin/sh "$init"
