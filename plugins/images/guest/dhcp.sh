#!/bin/sh
# What udhcpc tells: an address, a gateway, DNS servers.
export PATH=/bin
case $1 in
  deconfig) ip addr flush dev "$interface" ;;
  bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/$mask" broadcast + dev "$interface"
    for one in $router; do
      ip route add default via "$one" dev "$interface" metric $((100 + $(cat "/sys/class/net/$interface/ifindex"))) 2>/dev/null
      break
    done
    if [ -n "$dns" ] && ! [ -L /root/etc ] && ! grep -qs '^nameserver' /root/etc/resolv.conf; then
      rm -f /root/etc/resolv.conf
      for one in $dns; do echo "nameserver $one"; done >/root/etc/resolv.conf
    fi
    ;;
esac
