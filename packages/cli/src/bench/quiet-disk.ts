import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const LOOK_MS = 100
/** So many looks in a row without a change. */
const ENOUGH = 4
const USUAL_MS = 20_000

/**
 * Waits until what earlier runs left for the disk is done: dirty pages, and the discards of files that were deleted,
 * which some mounts send long after the deletion. Whoever syncs would pay for them, and whoever does not would not.
 */
export async function quietDisk(
  directory: string,
  { settleMs = USUAL_MS, signal }: { settleMs?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  // Only GNU knows -f; elsewhere the wait has to do.
  await promisify(execFile)('sync', ['-f', directory]).catch(() => {})
  let before = ''
  let same = 0
  for (let look = 0; look * LOOK_MS < settleMs && same < ENOUGH; look++) {
    const now = await work()
    if (now === undefined) return
    same = now === before && isIdle(now) ? same + 1 : 0
    before = now
    await sleep(LOOK_MS, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
}

/** Writes, requests in flight and discards of every disk so far; undefined where the system does not tell. */
async function work(): Promise<string | undefined> {
  const text = await readFile('/proc/diskstats', 'utf8').catch(() => undefined)
  return text
    ?.trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .map(fields => [fields[7], fields[11], fields[14]].join(' '))
    .join(',')
}

function isIdle(counts: string): boolean {
  return counts.split(',').every(disk => disk.split(' ')[1] === '0')
}
