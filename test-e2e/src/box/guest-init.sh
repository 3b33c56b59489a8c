#!/bin/busybox sh
# Init of the Linux guest. Its command line says on which terminal its shell is: BOX_TTY=hvc0
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
while read -r module; do insmod "$module"; done </modules

mkdir -p /etc/acpi/PWRF
cat >/etc/acpi/PWRF/00000080 <<'END'
#!/bin/sh
# What it has heard is told where the host finds it: on a disk of the serial "button".
for disk in /sys/block/vd*; do
  [ "$(cat "$disk/serial")" != button ] || echo "the power button was pressed" >"/dev/${disk##*/}"
done
sync
poweroff -f
END
chmod +x /etc/acpi/PWRF/00000080
acpid -d >/tmp/acpid.log 2>&1 &

# Runs as long as the guest does: whoever asks twice sees whether it went on, or began anew.
count=0
while :; do
  count=$((count + 1))
  echo "$count" >/tmp/.count
  mv /tmp/.count /tmp/count
  usleep 100000
done &

# Kept open: a terminal that everybody has closed forgets how it was set.
exec 3<>/dev/"$BOX_TTY"
stty -echo -opost <&3
# From now on the terminal is the shell's alone: what the kernel says, dmesg has.
dmesg -n 1
echo "box guest is up" >&3
while :; do
  # What it prints goes through a pipe: on a terminal it would print prompts.
  setsid sh <&3 2>&1 | cat >&3
done
