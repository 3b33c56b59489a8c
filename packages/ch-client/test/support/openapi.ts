import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The VMM's own description of its API, which is not ours to keep: beside the repository, or where CH_OPENAPI says. */
const path =
  process.env["CH_OPENAPI"] ??
  fileURLToPath(
    new URL("../../../../../shared/reference/cloud-hypervisor-openapi.yaml", import.meta.url),
  );

export const openApiFound: boolean = existsSync(path);

export interface OpenApiProperty {
  readonly type?: string;
  readonly $ref?: string;
}

interface OpenApiSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApiProperty>>;
  readonly additionalProperties?: unknown;
}

export interface OpenApiCall {
  readonly requestBody?: { readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, { readonly content?: OpenApiContent }>>;
}

interface OpenApiContent {
  readonly "application/json": { readonly schema: { readonly $ref: string } };
}

export interface OpenApi {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiCall>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, OpenApiSchema>> };
}

export function readOpenApi(): OpenApi {
  return parse(readFileSync(path, "utf8")) as OpenApi;
}

/** `VmConfig` of `#/components/schemas/VmConfig`. */
export function refName(ref: string | undefined): string | undefined {
  return ref?.replace("#/components/schemas/", "");
}
