import { context, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import { definePlugin, type OperationReport, type PluginDefinition } from "@silkvm/core";

/**
 * Makes a span of every operation, with one of each of its phases below it. Needs nothing but OpenTelemetry's API: the exporter is the
 * service's own. A span that is active where silk is called is the parent.
 */
export function openTelemetry(tracer: Tracer): PluginDefinition {
  return definePlugin({
    name: "open-telemetry",
    apiVersion: 1,
    hooks: { "operation:end": (report) => record(tracer, report) },
  });
}

function record(tracer: Tracer, report: OperationReport): void {
  const { id, verb, ref, vm, startedAt, tookMs, phases, timings = {}, error } = report;
  const beganMs = Date.parse(startedAt);
  const span = tracer.startSpan(`silk ${verb}`, {
    kind: SpanKind.INTERNAL,
    startTime: beganMs,
    attributes: {
      "silk.operation.id": id,
      "silk.operation.verb": verb,
      ...(ref === undefined ? {} : { "silk.ref": ref }),
      ...(vm === undefined
        ? {}
        : { "silk.vm.id": vm.id, "silk.vm.name": vm.name, "silk.vm.backend": vm.backend }),
      ...Object.fromEntries(Object.entries(timings).map(([part, ms]) => [`silk.${part}`, ms])),
    },
  });
  const below = trace.setSpan(context.active(), span);
  for (const { name, afterMs, tookMs: phaseMs, failed } of phases) {
    const phase = tracer.startSpan(name, { startTime: beganMs + afterMs }, below);
    if (failed) phase.setStatus({ code: SpanStatusCode.ERROR });
    phase.end(beganMs + afterMs + phaseMs);
  }
  if (error !== undefined) {
    span.setAttribute("error.type", error.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  span.end(beganMs + tookMs);
}
