/** An uploader as simple as can be: announces, copies into the staging area, commits, and keeps to itself what it was told. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Librarian } from './librarian.ts'

export type Content = Uint8Array | ReadonlyMap<string, Uint8Array | null>

export interface Upload {
  readonly name: string
  readonly content: Content
}

export type Told =
  | { readonly outcome: 'acknowledged' }
  /** Kept under this name already. */
  | { readonly outcome: 'exists' }
  | { readonly outcome: 'refused'; readonly status: number; readonly reason: string }
  /** The connection broke: nobody knows. */
  | { readonly outcome: 'unknown'; readonly reason: string }

export async function upload(librarian: Librarian, { name, content }: Upload): Promise<Told> {
  try {
    const uploadName = name.slice(name.lastIndexOf('/') + 1)
    const announced = { upload_size: sizeOf(content), upload_checksum: checksumOf(content), upload_name: uploadName }
    const staged = await call(librarian, 'upload/stage', {
      ...announced,
      destination_location: name,
      uploader: 'admin',
    })
    if (staged.status === 409) return { outcome: 'exists' }
    if (staged.status !== 201) return refused(staged)
    const told = staged.body as Record<string, unknown>
    put(String(told.staging_location), content)
    const committed = await call(librarian, 'upload/commit', {
      store_name: told.store_name,
      staging_name: told.staging_name,
      staging_location: told.staging_location,
      upload_name: uploadName,
      destination_location: name,
      transfer_provider_name: 'local',
      transfer_provider: { hostnames: [] },
      meta_mode: 'infer',
      deletion_policy: '0',
      uploader: 'admin',
      transfer_id: told.transfer_id,
    })
    return committed.status === 200 ? { outcome: 'acknowledged' } : refused(committed)
  } catch (error) {
    return { outcome: 'unknown', reason: String((error as Error).cause ?? error) }
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

export async function call({ url, authorization }: Librarian, path: string, body: object): Promise<Answer> {
  const headers = { authorization, 'content-type': 'application/json', connection: 'close' }
  const response = await fetch(`${url}/api/v2/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

function refused({ status, body }: Answer): Told {
  return { outcome: 'refused', status, reason: JSON.stringify(body) }
}

function put(location: string, content: Content): void {
  if (content instanceof Uint8Array) {
    writeFileSync(location, content)
    return
  }
  mkdirSync(location, { recursive: true })
  for (const [path, bytes] of content) {
    const at = join(location, path)
    mkdirSync(bytes ? dirname(at) : at, { recursive: true })
    if (bytes) writeFileSync(at, bytes)
  }
}

export function checksumOf(content: Content): string {
  if (content instanceof Uint8Array) return `md5:::${md5(content)}`
  const hex = [...content.values()].flatMap(bytes => (bytes ? [md5(bytes)] : [])).sort()
  return `md5:::${md5(Buffer.from(hex.join('')))}`
}

function sizeOf(content: Content): number {
  if (content instanceof Uint8Array) return content.length
  return [...content.values()].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}
