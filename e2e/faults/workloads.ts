/** What is done to the program while it works: one command each, small enough to be run a thousand times. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Workload {
  readonly name: string
  /** Content by its path below the target directory; served under the same path. */
  readonly files: ReadonlyMap<string, Buffer>
  /** The target directory as the command names it. */
  readonly target: string
  /** `--json` rows tell what is acknowledged; else the exit code does. */
  readonly hasRows: boolean
  /** Bytes that may have to be fetched again although a request for them was under way. */
  readonly inFlight: number
  /** ms that the server takes for an answer. */
  readonly paceMs: number
  /** Errors of `close`, too. */
  readonly isCloseSwept: boolean
  /** The state to begin with is what a kill at this call of `large` leaves. */
  readonly startsAfter?: { readonly call: string; readonly name: string; readonly ordinal: number }
  /** Writes what the command reads; returns its arguments. `home` is its working directory. */
  prepare(home: string, url: string): string[]
}

const partSize = 256 << 10
const connections = 2
const bigName = 'big.bin'

export function makeWorkloads(seed: number): readonly Workload[] {
  const big = new Map([[bigName, randomBytes(10 * partSize + 12_345, seed)]])
  return [
    large('large', big),
    { ...large('resume', big), startsAfter: { call: 'write', name: `${bigName}.part.journal`, ordinal: 5 } },
    // From 24 files on, one sync of the file system replaces a sync of each.
    list('many', smallFiles(28, seed + 1), 'absolute'),
    list('few', smallFiles(4, seed + 2), 'relative'),
  ]
}

/** One file of several parts. */
function large(name: string, files: ReadonlyMap<string, Buffer>): Workload {
  return {
    name,
    files,
    target: 'out',
    hasRows: false,
    inFlight: connections * partSize,
    paceMs: 10,
    isCloseSwept: true,
    prepare(home, url) {
      const checksum = `sha256:${sha256(files.get(bigName)!)}`
      const output = join(home, 'out', bigName)
      return ['get', `${url}/${bigName}`, '-o', output, '--checksum', checksum, '--progress', 'none', ...limits]
    },
  }
}

/** Small files in two directories, none of which is there. */
function list(name: string, files: ReadonlyMap<string, Buffer>, form: 'absolute' | 'relative'): Workload {
  return {
    name,
    files,
    target: 'out',
    hasRows: true,
    inFlight: 0,
    paceMs: 0,
    isCloseSwept: files.size < 10,
    prepare(home, url) {
      const rows = [...files].map(([path, bytes]) => ({
        url: `${url}/${path}`,
        filepath: path,
        checksum: sha256(bytes),
        'checksum-algorithm': 'sha256',
      }))
      const manifest = join(home, 'list.jsonl')
      writeFileSync(manifest, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
      const target = form === 'absolute' ? join(home, 'out') : 'out'
      return ['get', '--manifest', manifest, '-d', target, '--json', '--progress', 'none', ...limits]
    },
  }
}

const limits = ['--connections', String(connections), '--part-size', String(partSize)]

function smallFiles(count: number, seed: number): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let index = 0; index < count; index++) {
    files.set(
      `${index % 2 === 0 ? 'even' : 'odd'}/${String(index).padStart(2, '0')}.dat`,
      randomBytes(10_240, seed + index),
    )
  }
  return files
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The same bytes for the same seed: xorshift32. */
function randomBytes(length: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return Buffer.from(words.buffer, 0, length)
}
