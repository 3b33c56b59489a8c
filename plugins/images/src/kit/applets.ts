/** What the programs of the boot need of busybox. */
export const applets: readonly string[] =
  "[ base64 cat chmod chown chroot cmp cp dd echo env grep hostname insmod ip kill ln mkdir mkfifo mount mv poweroff printf readlink rm setsid sh sleep start-stop-daemon stat stty switch_root sync test tty udhcpc umount uname unshare".split(
    " ",
  );
