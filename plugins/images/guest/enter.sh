# Goes from the boot's root directory to that of the image, which becomes the real root of a mount namespace: what only may be done outside of a chroot
# works there.
if [ "$1" = inside ]; then
  [ "$own_pids" = 1 ] && mount -t proc -o nosuid,nodev,noexec proc /root/proc
  cd /root
  mount --move . /
  exec chroot . /dev/.silk/busybox sh /dev/.silk/start.sh
fi
exec >"$output"
if [ -n "$errors" ]; then exec 2>"$errors"; else exec 2>&1; fi
echo $$ >/program.pid
unshare -m true 2>/dev/null || exec chroot /root /dev/.silk/busybox sh /dev/.silk/start.sh
[ "$own_pids" = 1 ] && exec unshare -m -p -f sh /enter.sh inside
exec unshare -m sh /enter.sh inside
