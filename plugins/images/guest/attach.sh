# How the boot's script gets along with somebody at the other side of the console, whom the run disk has announced. He says `silk-attach NONCE` until he is
# answered by `silk-begin NONCE`, and then `silk-go NONCE WINDOW INPUT ROWS COLUMNS APART`. What comes from then on is the program's, up to `silk-end NONCE HOW NUMBER`.
# For a program with a terminal `silk-ready NONCE` comes first, and what he says then is what is typed. Without a terminal he says in lines what becomes of that: `a BYTES` for so much that he has got, `d BASE64` for what the program is to read, `e` for its end;
# he is told by `silk-more NONCE BYTES` that so much of it was read and, where he wants stderr apart, by `silk-err NONCE BYTES` that so much of what follows is of it.
attached= nonce= window=0 input=0 rows= columns= apart=0 control= pump= complainer=

# Who does not come is not waited for for ever.
meet() {
  tries=0
  while [ $tries -lt 30 ]; do
    tries=$((tries + 1))
    read -r -t 1 word nonce _ && [ "$word" = silk-attach ] && break
    nonce=
  done
  [ -n "$nonce" ] || return
  echo "silk-begin $nonce"
  # He may have said it once more meanwhile.
  while read -r -t 10 word other window input rows columns apart; do
    [ "$word $other" = "silk-go $nonce" ] && attached=1 && return
  done
  window=0 input=0 apart=0
}

# Takes what is there to be read, and sets `size` to its number of bytes. $1: a file for it; $2: how many bytes at most. False at the end of the input.
piece() {
  dd bs="${2:-4096}" count=1 >"$1" 2>/dev/null
  # Not every busybox's dd says how much that was.
  stat -c %s "$1" >"$1.size"
  read -r size <"$1.size"
  [ "$size" -gt 0 ]
}

# The console of some VMMs throws away what nobody takes in time: there is never more on the way than it can hold.
send() {
  exec 3<"$1"
  left=$window
  while piece /sending <&3; do
    cat /sending >"$console"
    left=$((left - size))
    while [ $left -lt 4096 ]; do
      # Who does not say for so long that he is there has gone.
      if read -r -t 60 taken; then left=$((left + taken)); else left=1000000000000; fi
    done
  done
}

# He never has more on the way than fits into the FIFO between here and the pump, so that this loop does not wait for the program.
listen() {
  [ "$input" = 1 ] && exec 4>/input
  while read -r word data; do
    case $word in
      a) echo "$data" >/taken ;;
      d) echo "$data" | base64 -d >&4 ;;
      e) exec 4>&- ;;
      silk-bye) [ "$data" = "$nonce" ] && echo >/bye ;;
    esac
  done
}

# Whoever says something among what the program writes says it by one short write: the kernel never mixes such a one with others in a FIFO.
pump() {
  exec 3</input
  exec 4>/stdin
  exec 7>/out
  while piece /pumping <&3; do
    cat /pumping >&4 || return
    echo "silk-more $nonce $size" >&7
  done
}

complain() {
  exec 3</err
  exec 7>/out
  while piece /complaint 4000 <&3; do
    { echo "silk-err $nonce $size"; cat /complaint; } >/complaint.whole
    dd if=/complaint.whole bs=4096 count=1 >&7 2>/dev/null
  done
}

# The console of a VMM that has ended is empty: it ends only when all that was said has arrived.
part() {
  [ -n "$attached" ] || return
  # The console that was open until now has hung up with the program that had it for its terminal.
  exec <"$console" >"$console"
  tries=0
  while [ $tries -lt 300 ]; do
    tries=$((tries + 1))
    # Said again, it pushes on what may be stuck in the VMM.
    echo "silk-end $nonce $1 $2"
    if [ -n "$control" ]; then
      read -r -t 0.2 _ <>/bye && return
    else
      read -r -t 0.2 word data _ && [ "$word $data" = "silk-bye $nonce" ] && return
    fi
  done
}
