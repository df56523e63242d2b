/**
 * Reads local files: `file:` URLs and plain paths (retrieval 14).
 *
 * Device, inode, time of change and size stand for the version. That is weak: a file rewritten in place within the
 * clock's resolution, or with its time set back, is not noticed. Each piece lands only if the version was still the
 * same after it was read.
 */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { abortable } from '../abortable.ts'
import { TransferError } from '../errors.ts'
import { SLASH_HINT } from '../listing/slash-hint.ts'
import { walk } from '../listing/walk.ts'
import type { Range, Resource } from '../resource.ts'
import type { FetchRequest, Landing, Listed, ListRequest, Source } from '../source.ts'
import { boundsOf, changed, checkRange } from './local-answer.ts'

/** Most bytes read at once: an abort is noticed between two reads. */
const READ = 1 << 20

export function createFileSource(uri: string): Source {
  return new FileSource(uri)
}

class FileSource implements Source {
  readonly uri: string
  readonly origin = 'file:'
  readonly capabilities = { parallel: true, list: true } as const
  readonly #path: string

  constructor(uri: string) {
    this.uri = uri
    this.#path = pathOf(uri)
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    signal.throwIfAborted()
    const stats = await stat(this.#path, { bigint: true }).catch(error => this.#fail(error))
    return this.#describe(stats)
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { signal } = request
    signal.throwIfAborted()
    checkRange(request.range, this.uri)
    // Without O_NONBLOCK, opening a FIFO would wait for a writer for ever.
    const handle = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK).catch(error => this.#fail(error))
    try {
      const resource = this.#describe(await handle.stat({ bigint: true }))
      signal.throwIfAborted()
      const { start, end } = boundsOf(request, resource, resource.size as number, this.uri)
      const landing = request.answered({ resource, start, end, framing: 'length' })
      await this.#pour(handle, { start, end }, resource, landing, signal)
    } finally {
      await handle.close()
    }
  }

  list(request: ListRequest): AsyncIterable<readonly Listed[]> {
    return walk((directory, signal) => this.#read(directory, signal), request, { uri: this.uri, atOnce: 4 })
  }

  async close(): Promise<void> {}

  async #read(directory: string, signal: AbortSignal): Promise<Listed[]> {
    const entries = await readdir(join(this.#path, directory), { withFileTypes: true }).catch(error =>
      this.#fail(error),
    )
    const found: Listed[] = []
    for (const entry of entries) {
      signal.throwIfAborted()
      const path = `${directory}${entry.name}`
      if (entry.isDirectory()) found.push({ uri: `${this.#uriOf(path)}/`, path: `${path}/` })
      else if (entry.isFile() || entry.isSymbolicLink()) await this.#add(path, found)
    }
    return found
  }

  /** What a symbolic link leads to counts if it is a file; what is gone since the directory was read does not. */
  async #add(path: string, found: Listed[]): Promise<void> {
    const stats = await stat(join(this.#path, path)).catch(() => undefined)
    if (stats?.isFile()) found.push({ uri: this.#uriOf(path), path, size: stats.size, lastModified: stats.mtimeMs })
  }

  #uriOf(path: string): string {
    const full = join(this.#path, path)
    return /^file:/i.test(this.uri) ? pathToFileURL(full).href : full
  }

  async #pour(handle: FileHandle, { start, end }: Range, resource: Resource, landing: Landing, signal: AbortSignal) {
    let position = start
    while (position < end && !landing.isComplete) {
      const room = landing.room()
      if (room.length === 0) {
        await abortable(landing.whenRoom(), signal)
        continue
      }
      const length = Math.min(room.length, end - position, READ)
      // Awaited also when the signal aborts: nothing may write into the landing's memory after this promise settled.
      const { bytesRead } = await handle.read(room, 0, length, position).catch(error => this.#fail(error))
      signal.throwIfAborted()
      const now = this.#describe(await handle.stat({ bigint: true }))
      if (bytesRead === 0 || now.version !== resource.version)
        throw changed(this.uri, 'it was changed while it was read')
      // The limit may have been lowered while the disk was busy.
      const wanted = Math.min(bytesRead, landing.room().length)
      landing.advance(wanted)
      position += wanted
      signal.throwIfAborted()
    }
  }

  #describe(stats: BigIntStats): Resource {
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'it is a directory' : 'it is not a regular file'
      const remedy = stats.isDirectory() ? SLASH_HINT : undefined
      throw new TransferError('Unsupported', `Cannot fetch ${this.uri}: ${what}`, { url: this.uri, remedy })
    }
    return {
      size: Number(stats.size),
      ranges: 'yes',
      lastModified: Number(stats.mtimeMs),
      version: `${stats.dev}-${stats.ino}-${stats.mtimeNs}-${stats.size}`,
      checksums: [],
      name: basename(this.#path),
    }
  }

  #fail(cause: unknown): never {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    const details = { url: this.uri, cause }
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const remedy = /^file:.*[#%?]/is.test(this.uri) ? ENCODED : undefined
      throw new TransferError('NotFound', `Cannot fetch ${this.uri}: there is no such file`, { ...details, remedy })
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new TransferError('Denied', `Cannot fetch ${this.uri}: it may not be read (${code})`, details)
    }
    throw new TransferError('Disk', `Cannot fetch ${this.uri}: reading failed (${code})`, details)
  }
}

/** Characters of names that a URL takes for its own. */
const ENCODED = 'Check the name; in a file: URL, # is written %23, % is %25 and ? is %3F.'

function pathOf(uri: string): string {
  if (uri.includes('\0')) throw new TransferError('Usage', 'Cannot fetch a path with a NUL character')
  if (!/^file:/i.test(uri)) return resolve(uri)
  const refuse = (rule: string, remedy: string, cause?: unknown) =>
    new TransferError('Usage', `Cannot fetch ${uri}: a file URL must ${rule}`, { url: uri, remedy, cause })
  // As a URL, what has no slash begins at the root, which is never what was meant.
  if (!/^file:\//i.test(uri)) {
    throw refuse('be of the form file:///path', `Write ${pathToFileURL(uri.slice('file:'.length)).href}`)
  }
  try {
    return fileURLToPath(uri)
  } catch (cause) {
    if (cause instanceof URIError) throw refuse('be percent-encoded', ENCODED, cause)
    throw refuse('be of the form file:///path', 'Write file:// and the whole path from / on.', cause)
  }
}
