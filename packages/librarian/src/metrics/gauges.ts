/** Gauges that are told anew, all values at once, before each scrape. */
import { Gauge, type Registry } from '@prometheus-io/client'

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** Values that it has from now on, and no others. */
export type Tell = (samples: Iterable<Sample>) => void

/** Makes a gauge by its name, a sentence of help, and names of labels. */
export function gaugesOf(registry: Registry) {
  return (name: string, help: string, ...labelNames: string[]): Tell => {
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] })
    // Without labels there is always one value: of what is not known it is none that could be taken for a number.
    const clear = () => (labelNames.length === 0 ? gauge.set(Number.NaN) : gauge.reset())
    clear()
    return samples => {
      clear()
      for (const [labels, value] of samples) {
        if (labelNames.length === 0) gauge.set(value)
        else gauge.set(labels, value)
      }
    }
  }
}

/** A value without labels; undefined: it is not known. */
export function one(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[{}, value]]
}
