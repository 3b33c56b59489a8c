import { describe, expect, it } from "vitest";
import { apiRoot, operations, type Operation } from "../src/index.ts";
import {
  openApiFound,
  readOpenApi,
  refName,
  type OpenApi,
  type OpenApiCall,
  type OpenApiProperty,
} from "./support/openapi.ts";
import { schemaFields, schemaWords, type FieldKind } from "./support/schema-fields.ts";

/** Schemas that are maps and not records of fields; our types for them are maps too. */
const maps = ["VmCounters"];

/** Where the OpenAPI file is wrong about the program: its field, and what the program calls it. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  VmConfig: { "generic-vhost-user": "generic_vhost_user" },
};

/** Fields that the program has and the file lacks. */
const unlisted: Readonly<Record<string, readonly string[]>> = {
  CpusConfig: ["profile"],
  DeviceConfig: ["fd"],
  DeviceNode: ["parent"],
  DiskConfig: ["disable_aio", "disable_io_uring"],
  FsConfig: ["iommu"],
  GenericVhostUserConfig: ["id", "iommu"],
  NetConfig: ["fds"],
  PlatformConfig: ["iommufd_fd"],
  RestoreConfig: ["net_fds"],
  UserDeviceConfig: ["iommu"],
  VmAddUserDevice: ["id"],
};

/** Words that the program has and the file lacks. */
const unlistedWords: Readonly<Record<string, readonly string[]>> = { VmState: ["BreakPoint"] };

describe.skipIf(!openApiFound)("the VMM's OpenAPI file", () => {
  const api: OpenApi = openApiFound
    ? readOpenApi()
    : { servers: [], paths: {}, components: { schemas: {} } };
  const schemas = Object.entries(api.components.schemas);

  it("has the calls that the client has, with the same methods, requests and answers", () => {
    expect(`${new URL(api.servers[0]?.url ?? "").pathname}/`).toBe(apiRoot);
    const listed = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, call]): [string, object] => [
        path.slice(1),
        { method: method.toUpperCase(), request: requestOf(call), response: responseOf(call) },
      ]),
    );
    const ours = Object.entries(operations).map(
      ([name, operation]: [string, Operation]): [string, object] => [
        name,
        { method: operation.method, request: operation.request, response: operation.response },
      ],
    );
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(listed));
  });

  it("has a type of ours for each of its schemas", () => {
    const ours = [...Object.keys(schemaFields), ...Object.keys(schemaWords), ...maps].toSorted();
    expect(ours).toEqual(schemas.map(([name]) => name).toSorted());
  });

  it.each(schemas.filter(([, { properties }]) => properties !== undefined))(
    "has the fields of our type for %s",
    (name, schema) => {
      const listed = Object.entries(schema.properties ?? {}).map(
        ([field, property]): [string, string] => [
          renamed[name]?.[field] ?? field,
          kindOf(api, property),
        ],
      );
      const ours: Record<string, FieldKind> = { ...schemaFields[name] };
      for (const field of unlisted[name] ?? []) {
        expect(listed.map(([key]) => key)).not.toContain(field);
        delete ours[field];
      }
      expect(ours).toEqual(Object.fromEntries(listed));
    },
  );

  it.each(schemas.filter(([, schema]) => schema.enum !== undefined))(
    "has the words of our type for %s",
    (name, schema) => {
      const ours = Object.keys(schemaWords[name] ?? {}).filter(
        (word) => unlistedWords[name]?.includes(word) !== true,
      );
      expect(ours.toSorted()).toEqual(schema.enum?.toSorted());
    },
  );
});

function requestOf(call: OpenApiCall): string | undefined {
  return refName(call.requestBody?.content["application/json"].schema.$ref);
}

function responseOf(call: OpenApiCall): string | undefined {
  return refName(call.responses["200"]?.content?.["application/json"].schema.$ref);
}

function kindOf(api: OpenApi, property: OpenApiProperty): string {
  const type = property.type ?? api.components.schemas[refName(property.$ref) ?? ""]?.type;
  return type ?? "missing";
}
