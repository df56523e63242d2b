/** A pipeline whose program is killed at random instants and run again until it comes to its end (reliability A3). */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startArriero } from './program.ts'

/** Enough that most kills find it at work. */
const ITEMS = 300

/** Fetches, computes in a thread, writes a file for each item, and appends a line for each. */
const PIPELINE = `import { pipeline } from '@arriero/transfer'
export default pipeline(Array.from({ length: ${ITEMS} }, (_, n) => n))
  .locate(n => new URL('in/' + n, import.meta.url))
  .fetch()
  .map(new URL('./work.ts', import.meta.url), 'work')
  .write((_, { item }) => item + '.txt', { directory: 'out', ifExists: 'error' })
  .map((_, { item }) => ({ item }))
  .append('lines.jsonl')
`
/** So much that even the last kills find something to do. */
const workOf = (times: number) => `export function work({ bytes }: { bytes: Uint8Array }): Uint8Array {
  for (const end = performance.now() + ${times / 4}; performance.now() < end; );
  return Uint8Array.from(bytes, byte => byte ^ 255)
}
`

export interface KillsOutcome {
  /** Kills that found the program at work. */
  readonly kills: number
  /** What the promise did not hold for. */
  readonly problems: readonly string[]
}

/** @param folder empty @param random from 0 to 1 */
export async function killAndResume(folder: string, times: number, random: () => number): Promise<KillsOutcome> {
  await mkdir(join(folder, 'in'))
  for (let n = 0; n < ITEMS; n++) await writeFile(join(folder, 'in', String(n)), contentOf(n))
  await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
  await writeFile(join(folder, 'work.ts'), workOf(times))
  const args = ['run', 'pipeline.ts', '--state', 'state.jsonl', '--max-items', '24', '--workers', '1', '--quiet']
  const problems: string[] = []
  let kills = 0
  for (let number = 0; number < times; number++) {
    const { process, outcome } = startArriero(args, { cwd: folder })
    // From before its first line to when it is at work.
    await Promise.race([sleep(random() * 500), outcome])
    process.kill('SIGKILL')
    const { code, stderr } = await outcome
    if (code === 137) kills++
    else if (code !== 0) problems.push(`run ${number}: exit code ${code}: ${stderr}`)
  }
  const { code, stderr } = await startArriero(args, { cwd: folder }).outcome
  if (code !== 0) problems.push(`the last run: exit code ${code}: ${stderr}`)
  problems.push(...(await inspect(folder)))
  return { kills, problems }
}

async function inspect(folder: string): Promise<string[]> {
  const problems: string[] = []
  const lines = (await readFile(join(folder, 'lines.jsonl'), 'utf8')).split('\n').filter(line => line !== '')
  const items = lines.map(line => (JSON.parse(line) as { item: number }).item).toSorted((a, b) => a - b)
  if (items.length !== ITEMS || items.some((item, at) => item !== at)) {
    problems.push(
      `${items.length} lines for ${ITEMS} items: ${items.filter((item, at) => items[at + 1] === item)} twice`,
    )
  }
  for (let n = 0; n < ITEMS; n++) {
    const made = await readFile(join(folder, 'out', `${n}.txt`)).catch(() => Buffer.alloc(0))
    if (!made.equals(contentOf(n).map(byte => byte ^ 255))) problems.push(`out/${n}.txt is not what it must be`)
  }
  const known = new Set(['in', 'out', 'lines.jsonl', 'pipeline.ts', 'state.jsonl', 'work.ts'])
  const left = (await readdir(folder)).filter(name => !known.has(name))
  const inside = (await readdir(join(folder, 'out'))).filter(name => !/^\d+\.txt$/.test(name))
  if (left.length + inside.length > 0) problems.push(`left behind: ${[...left, ...inside]}`)
  return problems
}

function contentOf(n: number): Buffer {
  return Buffer.alloc(2000 + n, `item ${n};`)
}

/** Repeatable random numbers (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
