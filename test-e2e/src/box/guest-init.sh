#!/bin/busybox sh
# Init of the Linux guest. Its command line says on which terminal its shell is: BOX_TTY=hvc0
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
# There is no console before its driver is there: what goes wrong here is told to the kernel's log.
exec </dev/null >/dev/kmsg 2>&1
# A NIC has an address as soon as it is up, the one that its MAC makes, and answers for its own addresses alone.
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
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

mkdir -p /www/cgi-bin
cat >/www/cgi-bin/sh <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
head -c "$CONTENT_LENGTH" >"/tmp/script.$$"
sh "/tmp/script.$$" </dev/null 2>&1
printf '\n%s' "$?"
rm "/tmp/script.$$"
END
chmod +x /www/cgi-bin/sh
ifconfig lo up
httpd -h /www

# Runs as long as the guest does: whoever asks twice sees whether it went on, or began anew.
count=0
while :; do
  count=$((count + 1))
  echo "$count" >/tmp/.count
  mv /tmp/.count /tmp/count
  for nic in /sys/class/net/eth*; do
    read -r state <"$nic/operstate" || continue
    [ "$state" != down ] || ifconfig "${nic##*/}" up
  done 2>/dev/null
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
