/** One value, with the labels that tell it from its siblings. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as Prometheus knows it. */
export interface Metric {
  /** `silk_…`; the name of a counter ends with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  /** Of a histogram: with the suffix of each sample's name, `_bucket`, `_sum` or `_count`. */
  readonly samples: readonly (Sample & { readonly suffix?: string })[];
}

/** The text format of Prometheus, version 0.0.4. A metric without samples is left out. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${name} ${escape(help, /[\\\n]/g)}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(
          ({ labels, value, suffix = "" }) => `${name}${suffix}${renderLabels(labels)} ${value}`,
        ),
        "",
      ].join("\n"),
    )
    .join("");
}

function renderLabels(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escape(value, /[\\\n"]/g)}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(text: string, special: RegExp): string {
  return text.replaceAll(special, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
