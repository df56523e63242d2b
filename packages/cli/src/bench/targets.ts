/** The local targets that come with the program, for whoever has no server at hand. */

export const targetNames = ['plain', 'tls', 'capped', 'latency', 'faults'] as const
export type TargetName = (typeof targetNames)[number]

export interface Target {
  readonly about: string
  /** Of the file, unless told otherwise. */
  readonly bytes: number
}

/** Bytes per second of one connection to `capped`. */
export const cappedRate = 20e6
/** Before each answer of `latency`. */
export const latencyMs = 50
/** Of `faults`: every so many-th answer with a body is cut in its middle, and every so many-th request refused. */
export const cutEvery = 5
export const refuseEvery = 7

export const targets: Readonly<Record<TargetName, Target>> = {
  plain: { about: 'http over loopback', bytes: 256 * 2 ** 20 },
  tls: { about: 'https over loopback', bytes: 256 * 2 ** 20 },
  capped: { about: `each connection held to ${cappedRate / 1e6} MB/s`, bytes: 64 * 2 ** 20 },
  latency: { about: `each answer begins ${latencyMs} ms late`, bytes: 64 * 2 ** 20 },
  faults: {
    about: `every ${cutEvery}th answer breaks off in the middle, every ${refuseEvery}th request is refused with 503`,
    bytes: 64 * 2 ** 20,
  },
}

/** The line that tells the parent where it listens. */
export interface Served {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}
