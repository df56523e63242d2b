/**
 * Pages as a build leaves them in a directory, read once and kept: what is served is what was there, by its exact name, and
 * nothing else of the disk can be asked for.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export interface BuiltPage {
  readonly body: Buffer
  /** Undefined: it would not be smaller. */
  readonly gzipped: Buffer | undefined
  readonly type: string
  /** With its quotes. */
  readonly etag: string
}

/** By the path below the directory, with slashes. */
export type BuiltPages = ReadonlyMap<string, BuiltPage>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

const packed = promisify(gzip)

/** Rejects where there is no such directory. Links are not followed. */
export async function readBuiltPages(directory: string): Promise<BuiltPages> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const pages = entries
    .filter(entry => entry.isFile())
    .map(async entry => {
      const path = join(entry.parentPath, entry.name)
      return [relative(directory, path).replaceAll(sep, '/'), pageOf(path, await readFile(path))] as const
    })
  const read = await Promise.all(pages)
  return new Map(await Promise.all(read.map(async ([path, page]) => [path, await page] as const)))
}

async function pageOf(path: string, body: Buffer): Promise<BuiltPage> {
  const type = types[extname(path)] ?? 'application/octet-stream'
  const small = await packed(body, { level: 9 })
  return {
    body,
    gzipped: small.length < body.length ? small : undefined,
    type,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  }
}
