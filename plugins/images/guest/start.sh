# In the image's root directory, as root: finds out who the program's user is, mounts the volumes, and becomes that user.
export PATH=/dev/.silk
umask 022
fail() {
  echo "silk: $2" >&2
  exit "$1"
}

# A volume may be plugged in a moment after the boot.
silk_mount() {
  grep -q '[[:space:]]virtiofs$' /proc/filesystems || fail 125 "the volume for $2 cannot be mounted: this kernel has no virtiofs"
  mkdir -p -- "$2" || fail 125 "the volume for $2 cannot be mounted there"
  tries=0
  until mount -t virtiofs -o "$3" -- "$1" "$2" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail 125 "the volume for $2 ($1) did not come within 30 seconds"
    sleep 0.1
  done
}
silk_env() {
  for variable; do case $variable in HOME=*) SILK_HOME= ;; esac done
}
silk_find() { :; }
silk_exec() { :; }
SILK_HOME=/
user= workdir=/
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac }
# What is larger would be cut by whoever takes it: to root's, say.
is_id() { case $1 in 0?*) return 1 ;; esac; is_number "$1" && [ ${#1} -le 10 ] && [ "$1" -lt 4294967295 ]; }

# Mounts are made by reading this.
. /dev/.silk/run
user_home=$SILK_HOME

group=
case $user in *:*) group=${user#*:} user=${user%%:*} ;; esac
[ -n "$user" ] || user=0
uid= gid= login= home=
if [ -r /etc/passwd ]; then
  while IFS=: read -r entry_name _ entry_uid entry_gid _ entry_home _ || [ -n "$entry_name" ]; do
    if [ "$entry_name" = "$user" ] || { [ -z "$uid" ] && is_number "$user" && [ "$entry_uid" = "$user" ]; }; then
      uid=$entry_uid gid=$entry_gid login=$entry_name home=$entry_home
      [ "$entry_name" = "$user" ] && break
    fi
  done </etc/passwd
fi
if [ -z "$uid" ]; then
  is_number "$user" || fail 125 "there is no user $user in the image's /etc/passwd"
  uid=$user gid=0
fi
groups=
if [ -r /etc/group ]; then
  while IFS=: read -r entry_name _ entry_gid entry_members _ || [ -n "$entry_name" ]; do
    if [ -n "$group" ]; then
      [ "$entry_name" = "$group" ] && gid=$entry_gid found_group=1
    else
      case ,$entry_members, in *",$login,"*) [ -n "$login" ] && groups="$groups $entry_gid" ;; esac
    fi
  done </etc/group
fi
if [ -n "$group" ] && [ -z "$found_group" ]; then
  is_number "$group" || fail 125 "there is no group $group in the image's /etc/group"
  gid=$group
fi
for id in "$uid" "$gid" $groups; do is_id "$id" || fail 125 "${id:-an empty word} is no number of a user or a group"; done
[ -n "$user_home" ] && export SILK_HOME="${home:-/}" || unset SILK_HOME

if ! [ -d "$workdir" ]; then
  mkdir -p -- "$workdir" && chown "$uid:$gid" -- "$workdir" || fail 126 "the working directory $workdir cannot be made"
fi
cd -- "$workdir" || fail 126 "the working directory $workdir cannot be entered"
[ "$tty" = 1 ] && chown "$uid" "$(tty)" 2>/dev/null

# Whom to become is told to busybox by files of its own in place of /etc, which are gone again before the program is there.
mkdir -p /etc
mount -t tmpfs -o mode=0755 silk /etc || fail 125 "the user cannot be set"
echo "silk:x:$uid:$gid:::" >/etc/passwd
{
  echo "silk:x:$gid:"
  for one in $groups; do echo "g$one:x:$one:silk"; done
} >/etc/group
chown "$uid" /dev/.silk/run || fail 125 "the user cannot be set"
# A child of nobody that the program knows.
(
  (
    read -r _ </dev/.silk/dropped
    umount /etc
    echo >/dev/.silk/go
  ) </dev/null >/dev/null 2>&1 &
)
exec start-stop-daemon -S -q -p /dev/.silk/none -x /dev/.silk/busybox -a busybox -c silk -- sh /dev/.silk/go.sh
