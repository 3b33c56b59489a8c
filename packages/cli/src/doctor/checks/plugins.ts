import { defaultBackend } from "../context.ts";
import type { Check } from "../finding.ts";

/** Whether the plugins could be loaded, those that are required among them, and bring the backend that VMs are made with. */
export const plugins: Check = {
  id: "plugins",
  title: "plugins",
  group: "silk",
  async run(context) {
    const {
      plugins: { loaded, failed },
      engine,
      engineProblem,
    } = context;
    const backend = defaultBackend(context);
    const isUsable = engine?.backends.includes(backend) ?? false;
    const [broken] = failed;
    const names = loaded.length === 0 ? "none" : loaded.join(", ");
    const required = engine?.config.requiredPlugins.find((name) => !loaded.includes(name));
    if (required !== undefined) {
      const reason = failed.find(({ name }) => name === required)?.error;
      return {
        status: "failed",
        evidence: `the setting requiredPlugins names ${required}: ${reason?.message ?? "it is not there"}`,
        why: "No VM and no snapshot is changed without it.",
        fix: {
          command: `silk plugins install ${required}`,
          description: reason?.hint ?? "Install it, or take it out of the setting.",
          automatic: false,
        },
      };
    }
    if (broken !== undefined)
      return {
        status: isUsable ? "warning" : "failed",
        evidence: failed.map(({ error }) => error.message).join("; "),
        why: isUsable
          ? "What it brings is missing."
          : `No VM can be made: nothing else brings the backend ${backend}.`,
        fix: {
          command: `silk plugins uninstall ${broken.name}`,
          description: broken.error.hint ?? "Update the plugin, or take it away.",
          automatic: false,
        },
      };
    if (engineProblem !== undefined)
      return {
        status: "failed",
        evidence: engineProblem.message,
        why: "No VM can be made.",
        fix: {
          description: engineProblem.hint ?? "Take away the plugin that the message names.",
          automatic: false,
        },
      };
    if (isUsable) return { status: "ok", evidence: names };
    const others = engine?.backends ?? [];
    return {
      status: "failed",
      evidence: `no plugin brings the backend ${backend} (loaded: ${names})`,
      why: "VMs are made with it unless another one is named.",
      fix: {
        ...(others[0] === undefined ? {} : { command: `silk config set backend ${others[0]}` }),
        description: "Install the plugin that brings it, or make another backend the default.",
        automatic: false,
      },
    };
  },
};
