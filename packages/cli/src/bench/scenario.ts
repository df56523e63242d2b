/** One address, fetched by everybody to the same place: how it is checked that all of them got the same bytes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Contender } from './contender.ts'
import type { Destination } from './contenders.ts'
import { outputOf } from './peers.ts'
import type { Scenario } from './rounds.ts'
import { parseRunReport } from './run-report.ts'

export interface ScenarioOptions {
  /** What the records call it. */
  readonly id: string
  readonly to: Destination
  readonly bytes: number
  /** SHA-256 in hex. Undefined: the first run says what it is. */
  readonly sha256: string | undefined
}

export function createScenario({ id, to, bytes, sha256 }: ScenarioOptions): Scenario {
  let expected = sha256
  const holds = (actual: string | undefined): string | undefined => {
    expected ??= actual
    if (actual === expected) return undefined
    return `WRONG BYTES: their SHA-256 is ${actual ?? 'unknown'}, that of ${sha256 ? 'the file' : 'the first run'} ${expected}`
  }
  return {
    id,
    keepsOutputs: false,
    async check(directory, stdout, isWarmUp, { program }: Contender) {
      if (to === 'file') return holds(await sha256Of(outputOf(directory)))
      const report = program === 'arriero' ? parseRunReport(stdout) : undefined
      if (isWarmUp) return holds(report ? report.sha256 : stdout)
      if (report && report.bytes !== bytes) return `WRONG BYTES: ${report.bytes} of them instead of ${bytes}`
      return undefined
    },
  }
}

/** Undefined when it is not there. */
async function sha256Of(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}
