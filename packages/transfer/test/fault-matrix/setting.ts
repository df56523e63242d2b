/** What the tests of the fault matrix (retrieval 19) share: a directory, an engine, and ways to take a resource. */
import { createHash } from 'node:crypto'
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import {
  createEngine,
  type DownloadOptions,
  download,
  type Engine,
  iterate,
  readAll,
  TransferError,
  type TransferEvent,
} from '../../src/index.ts'
import type { EngineOptions } from '../../src/options.ts'
import { patternContent, wholeOf } from '../fault-server/content.ts'

export const KIB = 1024
export const MIB = 1024 * KIB

/** The two larger vectors of retrieval 18: an odd size, and a whole number of parts. */
export const ODD = 13_631_489
export const EVEN = 16 * MIB

/** One test's place in the world; everything is closed and removed when the test ends. */
export interface Setting {
  readonly directory: string
  readonly engine: Engine
  readonly events: TransferEvent[]
  /** Absolute path of a name in the directory. */
  path(name: string): string
  /** Names of the events so far. */
  eventNames(): string[]
}

/** Timeouts are short, because a test that waits for a silent server must not take half a minute. */
export async function setUp(options: EngineOptions = {}): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-matrix-'))
  const events: TransferEvent[] = []
  const engine = createEngine({
    timeouts: { connectMs: 2000, firstByteMs: 2000, idleMs: 2000 },
    onEvent: event => events.push(event),
    ...options,
  })
  onTestFinished(async () => {
    await engine.close()
    await rm(directory, { recursive: true, force: true })
  })
  const path = (name: string) => join(directory, name)
  return { directory, engine, events, path, eventNames: () => events.map(({ event }) => event) }
}

/** The ways to consume one resource: each row of the matrix holds for all of them. */
export const ways = ['download', 'readAll', 'iterate'] as const
export type Way = (typeof ways)[number]

/** All bytes of a resource, whichever way they come. */
export async function take(
  way: Way,
  url: string,
  { engine, path }: Setting,
  options: DownloadOptions = {},
): Promise<Uint8Array> {
  const all = { engine, ...options }
  if (way === 'readAll') return readAll(url, all)
  if (way === 'iterate') {
    const pieces: Uint8Array[] = []
    for await (const piece of iterate(url, { ...all, copy: true })) pieces.push(piece)
    return Buffer.concat(pieces)
  }
  await download(url, path('data'), all)
  return readFile(path('data'))
}

/** Why it failed; asserts that nothing but what a resume may use is left, and no final name. */
export async function failing(
  way: Way,
  url: string,
  setting: Setting,
  options: DownloadOptions = {},
): Promise<TransferError> {
  const error = await take(way, url, setting, options).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error, 'it should have failed').toBeInstanceOf(TransferError)
  await expectOnlyResumable(setting.directory)
  return error as TransferError
}

/** D(size), or another version of it. */
export function dataOf(size: number, version = 0): Uint8Array {
  return wholeOf(patternContent(size, version))
}

/** Byte for byte; a difference is told by its offset, not by megabytes of output. */
export function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(bytes.length).toBe(expected.length)
  if (Buffer.compare(bytes, expected) === 0) return
  const at = bytes.findIndex((byte, index) => byte !== expected[index])
  expect.fail(`byte ${at} is ${bytes[at]} and must be ${expected[at]}`)
}

/** Reads a file of any size and holds it to D(size). */
export async function expectFile(path: string, size: number, version = 0): Promise<void> {
  const file = await open(path)
  try {
    expect((await file.stat()).size).toBe(size)
    const step = 16 * MIB
    const content = patternContent(size, version)
    for (let at = 0; at < size; at += step) {
      const bytes = Buffer.alloc(Math.min(step, size - at))
      await file.read(bytes, 0, bytes.length, at)
      for (let done = 0; done < bytes.length; ) {
        const piece = content.piece(at + done, bytes.length - done)
        const isSame = bytes.subarray(done, done + piece.length).equals(piece)
        if (!isSame) expect.fail(`a byte in ${at + done}-${at + done + piece.length} of ${path} is wrong`)
        done += piece.length
      }
    }
  } finally {
    await file.close()
  }
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function md5(bytes: Uint8Array): string {
  return `md5:${createHash('md5').update(bytes).digest('hex')}`
}

/** Names below a directory, sorted. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).sort()
}

/** Nothing but NAME.part with its journal, or an empty staging directory, is there. */
async function expectOnlyResumable(directory: string): Promise<void> {
  const debris = (await namesIn(directory)).filter(name => !/\.part(\.journal)?$|^\.arriero$/.test(name))
  expect(debris).toEqual([])
}

/** A seed to print and to repeat a run with. */
export function seedOfRun(): number {
  const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.info(`ARRIERO_SEED=${seed}`)
  return seed
}

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
