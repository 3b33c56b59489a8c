# In the image's root directory, as the program's user: becomes the program.
export PATH=/dev/.silk
path=
silk_mount() { :; }
silk_env() {
  for variable; do
    case $variable in
      PATH=*) path=${variable#PATH=} ;;
      HOSTNAME=*) named=1 ;;
    esac
  done
}

# Sets `program` to the path of a command: by the PATH that it will have.
silk_find() {
  program= refused=
  case $1 in
    */*)
      program=$1
      [ -e "$1" ] || fail 127 "$1: there is no such program in the image"
      ;;
    *)
      set -f
      IFS=:
      for directory in $path; do
        unset IFS
        [ -f "${directory:-.}/$1" ] || continue
        if [ -x "${directory:-.}/$1" ]; then program=${directory:-.}/$1 && break; fi
        refused=$directory/$1
      done
      unset IFS
      set +f
      if [ -z "$program" ]; then
        [ -n "$refused" ] && fail 126 "$refused: permission denied"
        fail 127 "$1: there is no such program in the image's PATH"
      fi
      ;;
  esac
  [ -d "$program" ] && fail 126 "$program: is a directory"
  [ -x "$program" ] || fail 126 "$program: permission denied"
}
fail() {
  echo "silk: $2" >&2
  exit "$1"
}
silk_exec() {
  [ -n "$named" ] && unset host
  echo >/dev/.silk/dropped
  read -r _ </dev/.silk/go
  exec /dev/.silk/busybox env -i ${SILK_HOME+"HOME=$SILK_HOME"} ${host+"HOSTNAME=$host"} "$@"
}
host=$(hostname)
. /dev/.silk/run
