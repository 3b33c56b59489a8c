import { type AddedLabels, definePlugin, type PluginDefinition, type Veto } from "@silkvm/core";

export interface LabelPolicy {
  /** Labels that every VM must have, each with what a value must look like. */
  readonly required: Readonly<Record<string, RegExp>>;
  /** Labels that every VM gets, whatever was asked for. */
  readonly added: Readonly<Record<string, string>>;
}

/** Holds every VM, also a clone, to a policy for labels: what lacks one is not made, and what is made is marked. */
export function labelPolicy({ required, added }: LabelPolicy): PluginDefinition {
  const judge = (labels: Readonly<Record<string, string>>): Veto | AddedLabels => {
    const missing = Object.entries(required).filter(([key, form]) => !form.test(labels[key] ?? ""));
    return missing.length === 0
      ? { labels: added }
      : { veto: missing.map(([key, form]) => `--label ${key}=… like ${form.source}`).join(", ") };
  };
  return definePlugin({
    name: "label-policy",
    apiVersion: 1,
    hooks: {
      "vm:before-create": ({ spec }) => judge(spec.labels),
      "vm:before-clone": ({ labels }) => judge(labels),
    },
  });
}
