/** Other ways to a directory: a file system may be mounted at several places, and so may a part of one. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface Mount {
  readonly device: string
  /** Which directory of its file system is mounted. */
  readonly root: string
  /** Where. */
  readonly point: string
}

/** Of this process; none where procfs is not there. */
export async function readMounts(): Promise<Mount[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return parseMounts(text)
}

/** `36 35 98:0 /root /point options …`, the order being that in which they were mounted. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const [, , device, root, point] = line.split(' ')
    if (device === undefined || root === undefined || point === undefined) return []
    return [{ device, root: unescaped(root), point: unescaped(point) }]
  })
}

function unescaped(field: string): string {
  if (!field.includes('\\')) return field
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Every path that leads to a directory, its own without links first. One that is not there has its own path only. */
export async function waysTo(path: string): Promise<string[]> {
  const [own, here, mounts] = [await realpath(path).catch(() => undefined), await identityOf(path), await readMounts()]
  if (own === undefined || here === undefined) return [path]
  const ways = new Set([own])
  for (const way of otherPaths(own, mounts)) {
    // Another file system may be mounted over it.
    if ((await identityOf(way)) === here) ways.add(way)
  }
  return [...ways]
}

/** Where the mounts say that the same directory is too. */
export function otherPaths(path: string, mounts: readonly Mount[]): string[] {
  const above = mounts.filter(({ point }) => below(path, point) !== undefined)
  // Of those at one point the last counts.
  const mount = above.reduce<Mount | undefined>(
    (best, one) => (best && best.point.length > one.point.length ? best : one),
    undefined,
  )
  if (!mount) return []
  const inside = join(mount.root, below(path, mount.point)!)
  return mounts.flatMap(({ device, root, point }) => {
    const rest = device === mount.device ? below(inside, root) : undefined
    const other = rest === undefined ? path : join(point, rest)
    return other === path ? [] : [other]
  })
}

/** Undefined where there is nothing. */
export async function identityOf(path: string): Promise<string | undefined> {
  return await stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  )
}

/** What follows of a path below another one; empty for itself. */
export function below(path: string, above: string): string | undefined {
  if (path === above) return ''
  const stem = above === '/' ? '/' : `${above}/`
  return path.startsWith(stem) ? path.slice(stem.length) : undefined
}
