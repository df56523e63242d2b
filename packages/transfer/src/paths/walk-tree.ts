import type { BigIntStats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import { printable } from '../redact.ts'

export type Links = 'follow' | 'refuse'

export interface WalkedEntry {
  /** Below the top, with `/`. */
  readonly path: string
  readonly type: 'file' | 'directory'
}

/** Why `checkUnchanged` is needed: what was listed before a directory changed is no tree that ever existed. */
export interface WalkedTree {
  readonly entries: readonly WalkedEntry[]
  /** @throws TransferError ResourceChanged when a directory is not as it was when it was listed. */
  checkUnchanged(): Promise<void>
}

export interface WalkOptions {
  readonly links: Links
  readonly signal?: AbortSignal | undefined
  /** What is done with it, for messages. Default: `digest`. */
  readonly purpose?: string | undefined
}

/**
 * Everything below a directory. Links to directories are not followed: they are told as directories without content
 * (librarian 6.3).
 *
 * @throws TransferError PathUnsafe for what is no file and no directory, and for names that are no UTF-8; NotFound for a link
 *   that leads nowhere; Disk.
 */
export async function walkTree(top: string, { links, signal, purpose = 'digest' }: WalkOptions): Promise<WalkedTree> {
  const entries: WalkedEntry[] = []
  const seen: { readonly full: string; readonly stats: BigIntStats }[] = []
  const waiting = ['']
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    signal?.throwIfAborted()
    const full = below === '' ? top : `${top}/${below}`
    const { stats, listed } = await listDirectory(full)
    seen.push({ full, stats })
    for (const raw of listed) {
      const name = nameOf(raw.name, full, purpose)
      const path = below === '' ? name : `${below}/${name}`
      const type = typeOf(raw) ?? (await typeOfLink(`${top}/${path}`, raw, links, purpose))
      entries.push({ path, type })
      if (type === 'directory' && raw.isDirectory()) waiting.push(path)
    }
  }
  return {
    entries,
    async checkUnchanged() {
      for (const { full, stats } of seen) {
        const now = await lstat(full, { bigint: true }).catch(() => undefined)
        if (now && isSameState(stats, now)) continue
        const message = `Cannot ${purpose} ${top}: ${full} must stay as it is, it was changed`
        throw new TransferError('ResourceChanged', message, { file: full })
      }
    },
  }
}

/** Whether nothing that a file system notes says that somebody wrote. */
export function isSameState(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}

async function listDirectory(full: string) {
  try {
    const stats = await lstat(full, { bigint: true })
    return { stats, listed: await readdir(full, { withFileTypes: true, encoding: 'buffer' }) }
  } catch (error) {
    throw diskError(error, 'list', full)
  }
}

type RawEntry = Awaited<ReturnType<typeof listDirectory>>['listed'][number]

function typeOf(raw: RawEntry): WalkedEntry['type'] | undefined {
  return raw.isFile() ? 'file' : raw.isDirectory() ? 'directory' : undefined
}

async function typeOfLink(full: string, raw: RawEntry, links: Links, purpose: string): Promise<WalkedEntry['type']> {
  if (!raw.isSymbolicLink() || links === 'refuse') throw unsafe(full, 'is none', purpose)
  const target = await stat(full).catch(cause => {
    const message = `Cannot ${purpose} ${printable(full)}: the link must lead to a file, it leads nowhere`
    throw new TransferError('NotFound', message, { file: full, cause })
  })
  if (target.isDirectory()) return 'directory'
  if (!target.isFile()) throw unsafe(full, 'leads to none', purpose)
  return 'file'
}

export function unsafe(full: string, met: string, purpose = 'digest'): TransferError {
  const message = `Cannot ${purpose} ${printable(full)}: a file or a directory is needed, it ${met}`
  return new TransferError('PathUnsafe', message, { file: full })
}

/** Text APIs show a name that is no UTF-8 as one that does not exist. */
function nameOf(raw: Buffer, directory: string, purpose: string): string {
  const name = raw.toString()
  if (Buffer.from(name).equals(raw)) return name
  const message = `Cannot ${purpose} ${printable(`${directory}/${name}`)}: a name must be UTF-8, it has other bytes`
  throw new TransferError('PathUnsafe', message, { file: directory })
}
