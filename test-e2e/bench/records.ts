import { join } from "node:path";
import { createEngine, definePlugin, type Hypervisor } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";

/** A backend that makes nothing, so that a record can be made without a VMM. */
const nothing = definePlugin({
  name: "bench",
  apiVersion: 1,
  backends: [
    {
      name: "cloud-hypervisor",
      description: "makes nothing",
      open: async () =>
        ({
          plan: async () => ({ disks: [] }),
          create: async () => {},
          [Symbol.asyncDispose]: async () => {},
        }) as unknown as Hypervisor,
    },
  ],
});

/**
 * Makes a store with so many VMs: the engine makes the first one, the others are copies of its record that differ as VMs do, written in
 * one transaction. They have been stopped, or were never started.
 */
export async function makeRecords(rootDir: string, count: number): Promise<void> {
  const host = linuxHost();
  const places = { rootDir, runDir: join(rootDir, "run"), logDir: join(rootDir, "log") };
  await using engine = await createEngine({ host, plugins: [nothing], config: places });
  await engine.gc();
  if (count === 0) return;
  await engine.create({
    name: "web-1",
    boot: { kernel: process.execPath },
    storageBytes: 10 * 2 ** 30,
  });
  using database = host.openDatabase(join(rootDir, "silk.db"), { readOnly: false });
  database.transaction(() => {
    database.exec(copies(count));
    database.prepare("UPDATE counters SET value = ? WHERE name = 'vm'").run(count);
  });
}

/** A VM every ten minutes, in four sizes, one in three never started, one in ten with a label. */
function copies(count: number): string {
  const values = `
    WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}),
    made AS (SELECT n, lower(hex(randomblob(8))) AS id, 'web-' || n AS name,
      iif(n % 3 = 0, 'created', 'stopped') AS state, 1 << (n % 4) AS cpus, (1 << (n % 4)) * 536870912 AS memory,
      iif(n % 10 = 0, '{"team":"web"}', '{}') AS labels,
      strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ((${count} - n) * 10) || ' minutes') AS at FROM numbers)`;
  return `
    CREATE TEMP TABLE made AS ${values} SELECT * FROM made WHERE ${count} > 1;
    INSERT INTO vms SELECT n, made.id, made.name, backend, made.state, made.cpus, memory, storage_bytes, image, made.labels,
      at, NULL, NULL, NULL, NULL, NULL, nics, NULL FROM made, vms WHERE seq = 1 ORDER BY n;
    INSERT INTO vm_records SELECT n, json_set(record, '$.seq', n, '$.id', made.id, '$.name', made.name, '$.state', state,
      '$.config.cpus', cpus, '$.config.memoryBytes', memory, '$.labels', json(labels), '$.createdAt', at, '$.updatedAt', at)
      FROM made, vm_records WHERE seq = 1 ORDER BY n;
    DROP TABLE made;`;
}
