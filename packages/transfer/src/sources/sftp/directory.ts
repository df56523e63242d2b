/** Reads one directory over SFTP. */
import { abortable } from '../../abortable.ts'
import type { Listed } from '../../source.ts'
import { encodeSegment } from './address.ts'
import type { Attributes } from './attributes.ts'
import { malformed } from './packets.ts'
import { type Named, type SftpSession, StatusError } from './session.ts'

export interface Place {
  /** As the server takes it. */
  readonly path: Buffer
  /** URI of it, ends with `/`. */
  readonly uri: string
  /** Relative to what is listed: empty or ends with `/`. */
  readonly relative: string
}

export interface Found extends Listed {
  /** Of directories: as the server takes it. */
  readonly bytes: Buffer
}

/** Requests for names at once: the server has the next batch ready when the first has come. */
const BATCHES = 4
/** Symbolic links asked for at once. */
const LINKS = 64

/** Files and directories, with what the listing itself says of them; symbolic links if they lead to files. */
export async function readDirectory(session: SftpSession, place: Place, signal: AbortSignal): Promise<Found[]> {
  const handle = await abortable(session.opendir(place.path), signal)
  try {
    const found: Found[] = []
    const unsure: Named[] = []
    for await (const batch of batchesOf(session, handle, signal)) {
      for (const named of batch) {
        if (isItselfOrAbove(named)) continue
        checkName(named)
        const { kind } = named.attributes
        if (kind === 'link' || kind === undefined) unsure.push(named)
        else if (kind !== 'other') found.push(toFound(place, named, named.attributes))
      }
    }
    for (let at = 0; at < unsure.length; at += LINKS) {
      found.push(...(await followed(session, place, unsure.slice(at, at + LINKS), signal)))
    }
    return found
  } finally {
    session.close(handle)
  }
}

async function* batchesOf(session: SftpSession, handle: Buffer, signal: AbortSignal): AsyncGenerator<readonly Named[]> {
  const asked: Promise<readonly Named[] | undefined>[] = []
  for (;;) {
    while (asked.length < BATCHES) {
      const batch = session.readdir(handle)
      batch.catch(() => {})
      asked.push(batch)
    }
    const batch = await abortable(asked.shift() as Promise<readonly Named[] | undefined>, signal)
    if (!batch) return
    yield batch
  }
}

/** Directories behind links are not entered: they may lead around in a circle. */
async function followed(
  session: SftpSession,
  place: Place,
  links: readonly Named[],
  signal: AbortSignal,
): Promise<Found[]> {
  const targets = links.map(async named => {
    const attributes = await session.stat(pathOf(place, named.name)).catch(error => {
      // It leads nowhere, or is gone by now, or leads to where we may not look.
      if (error instanceof StatusError) return undefined
      throw error
    })
    if (!attributes) return undefined
    const isDirectory = attributes.kind === 'directory' && named.attributes.kind === undefined
    return attributes.kind === 'file' || isDirectory ? toFound(place, named, attributes) : undefined
  })
  const found = await abortable(Promise.all(targets), signal)
  return found.filter(one => one !== undefined)
}

function toFound(place: Place, { name }: Named, { kind, size, mtime }: Attributes): Found {
  const slash = kind === 'directory' ? '/' : ''
  const common = {
    uri: `${place.uri}${encodeSegment(name)}${slash}`,
    path: `${place.relative}${textOf(name)}${slash}`,
    bytes: pathOf(place, name),
  }
  if (kind === 'directory') return common
  return { ...common, size, lastModified: mtime === undefined ? undefined : mtime * 1000 }
}

function pathOf({ path }: Place, name: Buffer): Buffer {
  return Buffer.concat([path, path.at(-1) === SLASH ? Buffer.alloc(0) : Buffer.from('/'), name])
}

const SLASH = 0x2f

/** Names are bytes: those that are no UTF-8 are shown as if they were Latin-1, so that no two become one. */
function textOf(name: Buffer): string {
  const text = name.toString('utf8')
  return Buffer.from(text).equals(name) ? text : name.toString('latin1')
}

function isItselfOrAbove({ name }: Named): boolean {
  return (name.length === 1 && name[0] === 0x2e) || (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e)
}

function checkName({ name }: Named): void {
  if (name.length === 0 || name.includes(SLASH) || name.includes(0)) throw malformed('a name that no file can have')
}
