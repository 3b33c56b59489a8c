import { type Box } from "./box.ts";

/** What VMs could leave behind in the box: processes, network devices, files. */
export function traces(box: Box): Promise<string> {
  return box.sh(`
    busybox pgrep -l 'cloud-hyperviso|virtiofsd' || true
    ls /sys/class/net
    find /var/lib/silk /run/silk /var/log/silk -mindepth 2 ! -name '*.log' 2>/dev/null || true
    grep nvme /proc/mounts
    readlink /sys/bus/pci/devices/*/driver
  `);
}

/** What there is to be read about a test that has failed: the box's own logs, those of the VMMs in it, and what its guests' kernels say. */
export async function story(box: Box): Promise<string> {
  const script = `
    dmesg | tail -n 15
    tail -n 20 /var/log/silk/*/*.log 2>/dev/null
    ${box.silkCommand} vm list --all
    for vm in $(${box.silkCommand} vm list --quiet); do
      echo "--- $vm"
      printf '\\ndmesg | tail -n 20\\n' | ${box.silkCommand} vm console "$vm" --idle-timeout 3s
    done`;
  const { stdout, stderr } = await box
    .run(["sh", "-c", script], { timeoutMs: 60_000 })
    .catch((error: unknown) => ({ stdout: "", stderr: String(error) }));
  return `${box.logs()}\n--- in the box\n${stdout}${stderr}`;
}
