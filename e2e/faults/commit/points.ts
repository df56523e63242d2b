/** Where a fault can hit: every durable call of every thread, as a clean run makes them. */
import { type Call, isCreating, isDone } from '../calls.ts'
import type { CommitFault, ThreadPoint } from './attach.ts'

export interface CommitPoint extends ThreadPoint {
  /** What it was about in the clean run, without what differs between runs. */
  readonly about: string
}

/** @param names of threads, by their numbers */
export function pointsOf(calls: readonly Call[], names: ReadonlyMap<number, string>, data: string): CommitPoint[] {
  const counts = new Map<string, number>()
  const points: CommitPoint[] = []
  for (const each of calls) {
    const thread = names.get(each.thread)
    const key = `${each.thread} ${each.name}`
    const ordinal = (counts.get(key) ?? 0) + 1
    counts.set(key, ordinal)
    const isTelling = each.name === 'read' || each.name === 'recvfrom'
    if (thread !== undefined && !isTelling && isDone(each) && isOurs(each, data))
      points.push({ thread, call: each.name, ordinal, about: aboutOf(each, data) })
  }
  return points
}

/** What a fault of this kind can hit: descriptors run out where they are made, disks are full where they are written. */
export function isPossible(fault: CommitFault, { call, about }: CommitPoint): boolean {
  if (fault === 'EMFILE') return call === 'openat'
  if (call === 'openat' && !about.endsWith('+')) return fault === 'EIO'
  if (about === 'socket') return fault === 'SIGKILL'
  return fault !== 'ENOSPC' || !/^(unlink|rmdir)/.test(call)
}

/** Whether it concerns what a librarian keeps, or whom it answers. */
export function isOurs(call: Call, data: string): boolean {
  return pathsOf(call).some(path => path.startsWith(data) || path.startsWith('/proc/self/fd/') || isSocket(path))
}

export function aboutOf(call: Call, data: string): string {
  const paths = pathsOf(call)
  if (paths.some(isSocket)) return 'socket'
  const path = paths.find(each => each.startsWith(data)) ?? paths.at(-1) ?? ''
  const shown = path
    .replace(`${data}/`, '')
    .replace(/^\/proc\/self\/fd\/\d+/, 'held')
    .replaceAll(/[0-9a-f-]{16,}/g, '*')
    .replaceAll(/(^|\/)[0-9a-f]{8}\//g, '$1…/')
    .replaceAll(/[0-9TZ:.-]{20,}/g, '*')
  return isCreating(call) ? `${shown}+` : shown
}

export function showPoint({ thread, call, ordinal, about }: CommitPoint): string {
  return `${thread} ${call}#${ordinal} ${about}`
}

function isSocket(path: string): boolean {
  return path.startsWith('socket:')
}

/** Paths among the arguments, and those that descriptors lead to, a new one's included. */
function pathsOf({ paths, args, name, result }: Call): string[] {
  const fromDescriptors = [...args.matchAll(/\d+<([^>]*)>/g)].map(match => match[1]!)
  const made = name === 'openat' ? (/^\d+<([^>]*)>/.exec(result)?.[1] ?? '') : ''
  return [made, ...paths, ...(/^"|^AT_FDCWD/.test(args) ? [] : fromDescriptors.slice(0, 2))].filter(Boolean)
}
