#!/bin/sh
# The first program of a VM that is made of a container image. It stacks the image's layers and the VM's own disk, gives the machine its name and
# addresses, runs the image's program, writes down how that ended, and turns the machine off. `busybox` is all that it has.
export PATH=/bin
umask 022
cd /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
# What the program writes is all that shall be on the console.
echo 1 >/proc/sys/kernel/printk

console=/dev/console exit_disk= run_disk= layers= cow= name= addresses= relay= stop_signal=15 tty=0 attach=0
. /attach.sh

say() { echo "silk: $*" >"$console"; }

# Ends the machine. $1: `exit` or `signal`; $2: its number.
finish() {
  # Whatever still runs; who relays the output ends by himself once nobody writes to it any more.
  tries=0
  while [ $tries -lt 100 ] || [ -n "$attached" ]; do
    for process in /proc/[0-9]*; do
      process=${process#/proc/}
      parent=
      while read -r key value; do [ "$key" = PPid: ] && parent=$value && break; done 2>/dev/null <"/proc/$process/status"
      case $process in 1 | $$) continue ;; esac
      case " $relay $complainer $control " in *" $process "* | *" ${parent:-none} "*) continue ;; esac
      # Threads of the kernel have no program.
      readlink "/proc/$process/exe" >/dev/null 2>&1 && kill -9 "$process" 2>/dev/null
    done
    [ -z "$relay" ] && break
    kill -0 "$relay" 2>/dev/null || break
    tries=$((tries + 1))
    sleep 0.05
  done
  # Setting a terminal waits until all that was written has left.
  # What somebody who has attached still says must not come back to him.
  if [ -n "$attached" ]; then stty -F "$console" raw -echo; else stty -F "$console" sane; fi 2>/dev/null
  sync
  for at in dev/.silk dev/pts dev/shm dev run sys/fs/cgroup sys proc; do umount "/root/$at" 2>/dev/null; done
  umount /root 2>/dev/null || mount -o remount,ro /root 2>/dev/null
  umount /cow 2>/dev/null || mount -o remount,ro /cow 2>/dev/null
  sync
  # The last thing: whoever reads it knows that all else is on the disks.
  [ -n "$exit_disk" ] && echo "$1 $2" | dd of="$exit_disk" bs=512 conv=sync,fsync 2>/dev/null
  part "$1" "$2"
  poweroff -f
  # Without ACPI there is no power to turn off.
  echo o >/proc/sysrq-trigger
  while :; do sleep 60; done
}

die() {
  say "$*"
  # The terminal of a VMM that has ended is empty, and somebody may read it.
  sleep 1
  finish exit 125
}

has_file_system() { grep -q "[[:space:]]$1\$" /proc/filesystems; }

# Sets `found` to the device of the disk with a serial.
find_disk() {
  for serial_file in /sys/block/*/serial; do
    serial=
    read -r serial <"$serial_file" 2>/dev/null
    [ "$serial" = "$1" ] || continue
    found=${serial_file#/sys/block/}
    found=/dev/${found%/serial}
    [ -b "$found" ] && return 0
  done
  return 1
}

# As above, for one that must be there: disks may come up a moment later.
need_disk() {
  tries=0
  until find_disk "$1"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || die "the disk with the serial $1 is not there"
    sleep 0.05
  done
}

while read -r module; do insmod "/modules/$module" 2>/dev/null; done </modules.order

read -r words </proc/cmdline
set -f
for word in $words; do
  case $word in
    console=*) console_name=${word#console=} ;;
    cocoon.layers=*) layers=${word#*=} ;;
    cocoon.cow=*) cow=${word#*=} ;;
    cocoon.hostname=*) name=${word#*=} ;;
    ip=*) addresses="$addresses $word" ;;
  esac
done
set +f
if [ -n "$console_name" ]; then
  console_name=${console_name%%,*}
  tries=0
  until [ -c "/dev/$console_name" ] || [ $tries -ge 60 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  [ -c "/dev/$console_name" ] && console=/dev/$console_name
fi
exec <"$console" >"$console" 2>&1
stty -F "$console" raw -echo

if find_disk silk-exit; then
  exit_disk=$found
  dd if=/dev/zero of="$exit_disk" bs=512 count=1 conv=fsync 2>/dev/null
fi
for system in erofs overlay ext4; do
  has_file_system $system || die "this kernel ($(uname -r)) has no $system: boot this VM with another one"
done

[ -n "$layers" ] || die "the kernel's command line names no layers (cocoon.layers=)"
[ -n "$cow" ] || die "the kernel's command line names no disk of the VM's own (cocoon.cow=)"
lower= count=0
IFS=,
for serial in $layers; do
  unset IFS
  need_disk "$serial"
  mkdir "/layers/$count"
  mount -t erofs -o ro "$found" "/layers/$count" || die "the layer $serial cannot be mounted"
  lower=$lower${lower:+:}$count
  count=$((count + 1))
done
unset IFS
need_disk "$cow"
mount -t ext4 "$found" /cow || die "the VM's own disk $cow cannot be mounted: is there an ext4 on it?"
if ! [ -d /cow/upper ]; then
  # The root directory is the upper one's: it looks like that of the image.
  rm -rf /cow/upper.new
  mkdir /cow/upper.new
  chmod "$(stat -c %a /layers/0)" /cow/upper.new
  chown "$(stat -c %u:%g /layers/0)" /cow/upper.new
  mkdir -p /cow/work /cow/silk
  mv /cow/upper.new /cow/upper
fi
cd /layers
stack="lowerdir=$lower,upperdir=/cow/upper,workdir=/cow/work"
mount -t overlay -o "$stack,index=on,redirect_dir=on,xino=on" overlay /root 2>/dev/null ||
  mount -t overlay -o "$stack" overlay /root || die "the layers cannot be stacked"
cd /

# What the run disk says; all of its words are quoted.
own_pids=0 hostname=
silk_mount() { :; }
silk_env() { :; }
# A program of that name expects to be the first one of all.
silk_find() { case ${1##*/} in init | systemd) own_pids=1 ;; esac }
silk_exec() { :; }
if find_disk silk-run; then
  run_disk=$found
  read -r first <"$run_disk"
  [ "$first" = "#silk-run 1" ] || die "the disk silk-run is of another version of silk"
  . "$run_disk"
fi
[ -n "$hostname" ] && name=$hostname
[ -n "$name" ] && hostname "$name"

in_root() { [ -d "/root/$1" ] || mkdir -p "/root/$1"; }
in_root proc && mount -t proc -o nosuid,nodev,noexec proc /root/proc
in_root sys && mount -t sysfs -o nosuid,nodev,noexec sysfs /root/sys
[ -d /sys/fs/cgroup ] && mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /root/sys/fs/cgroup
in_root dev && mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /root/dev
mkdir -p /dev/pts /dev/shm /dev/.silk
mount -t devpts -o nosuid,noexec,gid=5,mode=0620,ptmxmode=0666 devpts /root/dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 shm /root/dev/shm
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
  [ -e "/dev/${link%:*}" ] || ln -s "/proc/self/${link#*:}" "/dev/${link%:*}"
done
# What an image brings in /run is there at every boot, and what was there at the last one is not.
if ! [ -L /root/run ] && in_root run; then
  mount -t tmpfs -o nosuid,nodev,mode=0755 run /run
  cp -a /root/run/. /run/ 2>/dev/null
  mount --move /run /root/run
fi

# Writes a file of /etc where the image has none, or where it is still as it was written here before.
own() {
  [ -L "/root/etc/$1" ] && return
  if [ -s "/root/etc/$1" ]; then cmp -s "/root/etc/$1" "/cow/silk/$1" || return; fi
  echo "$2" >"/cow/silk/$1"
  echo "$2" >"/root/etc/$1"
}
if ! [ -L /root/etc ] && in_root etc; then
  mkdir -p /cow/silk
  [ -n "$name" ] && own hostname "$name"
  own hosts "127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback${name:+
127.0.1.1 $name}"
fi

# The number of ones in a netmask.
prefix_of() {
  bits=0
  IFS=.
  for octet in $1; do
    while [ "$octet" -gt 0 ]; do
      bits=$((bits + (octet & 1)))
      octet=$((octet >> 1))
    done
  done
  unset IFS
}

servers= configured=" " metric=0
# $1 address, $3 gateway, $4 netmask, $6 device, $8 and $9 DNS servers: as the kernel's own `ip=` has them.
address() {
  ip link set "$6" up
  prefix_of "$4"
  ip addr add "$1/$bits" broadcast + dev "$6"
  if [ -n "$3" ]; then
    # A gateway of another network is reached through the NIC, too.
    ip route add "$3" dev "$6" 2>/dev/null
    ip route add default via "$3" dev "$6" metric $metric
    metric=$((metric + 1))
  fi
  configured="$configured$6 "
  servers="$servers $8 $9"
}
ip link set lo up
for word in $addresses; do
  IFS=:
  set -- ${word#ip=}
  unset IFS
  [ $# -ge 6 ] && address "$@" 2>/cow/silk/address.err
done
asked=
for device in /sys/class/net/eth*; do
  [ -e "$device" ] || continue
  device=${device#/sys/class/net/}
  case $configured in *" $device "*) continue ;; esac
  ip link set "$device" up
  # Who has no answer after some seconds goes on asking while the program runs.
  udhcpc -i "$device" -t 3 -T 1 -A 5 -b -s /dhcp.sh >/dev/null 2>&1 &
  asked="$asked $!"
done
[ -n "$asked" ] && wait $asked
set -- $servers
if [ $# -gt 0 ] && ! [ -L /root/etc ]; then
  rm -f /root/etc/resolv.conf
  for server; do echo "nameserver $server"; done >/root/etc/resolv.conf
fi

if [ -z "$run_disk" ]; then
  [ -x /root/sbin/init ] || [ -L /root/sbin/init ] || die "there is nothing to run: the VM has no disk silk-run, and the image no /sbin/init"
  umount /layers/* 2>/dev/null
  stty -F "$console" sane
  exec switch_root -c "$console" /root /sbin/init
fi

export own_pids
cp /bin/busybox /start.sh /go.sh /dev/.silk/
for applet in $(cat /applets); do ln -s busybox "/dev/.silk/$applet"; done
cat "$run_disk" >/dev/.silk/run
chmod 0400 /dev/.silk/run
mkfifo -m 0666 /dev/.silk/dropped /dev/.silk/go

# The power button of a VMM: the program is asked to end, and made to after a while.
press() {
  tries=0
  until [ -s /program.pid ] || [ $tries -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  read -r program </program.pid
  # In a namespace of its own it is the child of the one who made that.
  [ "$own_pids" = 1 ] && read -r program </proc/"$program"/task/"$program"/children
  kill -"$stop_signal" $program
  sleep 10
  kill -9 $program
}
for event in /sys/class/input/event*; do
  [ "$(cat "$event/device/name" 2>/dev/null)" = "Power Button" ] || continue
  ( dd if="/dev/input/${event##*/}" of=/dev/null bs=24 count=1 && press ) >/dev/null 2>&1 &
done

# What the shell says of the program's end goes to /notes: nothing where it ended by itself. (Of SIGINT and SIGPIPE it never says anything.) The program's own
# output is turned elsewhere by enter.sh: turned here, what the shell says would go there, too.
[ "$attach" = 1 ] && meet
if [ "$tty" = 1 ]; then
  stty -F "$console" sane
  [ "${rows:-0}" -gt 0 ] && [ "${columns:-0}" -gt 0 ] && stty -F "$console" rows "$rows" cols "$columns"
  # What is typed sooner would be taken for what it is not: in a raw terminal Enter ends no line.
  [ -n "$attached" ] && echo "silk-ready $nonce"
  export output="$console"
  { setsid -c sh /enter.sh <"$console"; code=$?; } 2>/notes
else
  export output=/out
  mkfifo -m 0666 /out
  stdin=/dev/null
  if [ -n "$attached" ]; then
    mkfifo /taken /input /stdin /bye
    # Both ways, so that none of its writers waits or finds nobody.
    exec 5<>/taken 6<>/bye
    listen <"$console" &
    control=$!
    if [ "$input" = 1 ]; then
      stdin=/stdin
      pump &
      pump=$!
    fi
  fi
  if [ "$apart" = 1 ]; then
    export errors=/err
    mkfifo -m 0666 /err
    complain &
    complainer=$!
  fi
  if [ "$window" -gt 0 ]; then send /out </taken & else cat /out >"$console" & fi
  relay=$!
  { setsid sh /enter.sh <"$stdin" 5<&- 6<&-; code=$?; } 2>/notes
fi
if [ $code -gt 128 ] && [ -s /notes ]; then finish signal $((code - 128)); fi
finish exit $code
