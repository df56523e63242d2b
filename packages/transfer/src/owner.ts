import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Owner } from './journal.ts'

/** A journal or temporary file whose owner showed no life for this long may be taken over, ms (retrieval 12). */
export const STALE_MS = 60_000

/** This process, with a new token. */
export function newOwner(): Owner {
  return {
    host: hostname(),
    pid: process.pid,
    start: startOf(process.pid) ?? '?',
    token: randomBytes(8).toString('hex'),
  }
}

/** As a piece of a file name. */
export function formatOwner({ host, pid, start, token }: Owner): string {
  return [Buffer.from(host).toString('base64url'), pid, start, token].join('.')
}

/** Of a text that begins as `formatOwner` writes it; undefined for any other. */
export function parseOwner(text: string): Owner | undefined {
  const [host, pid, start, token] = text.split('.')
  if (!host || !pid || !start || !token || !/^\d+$/.test(pid)) return undefined
  return { host: Buffer.from(host, 'base64url').toString(), pid: Number(pid), start, token }
}

/** `unknown`: another machine's process, of which only its heartbeat can tell. */
export function lifeOf(owner: Owner): 'alive' | 'dead' | 'unknown' {
  if (owner.host !== hostname()) return 'unknown'
  const start = startOf(owner.pid)
  if (start !== undefined) return start === owner.start ? 'alive' : 'dead'
  return isRunning(owner.pid) ? 'alive' : 'dead'
}

/** Start time in clock ticks since boot, with the boot's id, where the system tells. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses and may hold anything; field 22 is the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}-${fields[19]}`
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
