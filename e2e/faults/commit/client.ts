/** An uploader as simple as can be: announces, brings the bytes, commits, and keeps to itself what it was told. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { archiveOf } from './archive.ts'

export type Content = Uint8Array | ReadonlyMap<string, Uint8Array | null>

export interface Upload {
  readonly name: string
  readonly content: Content
}

/** An upload on its way: what one attempt has learnt, the next one uses. */
export interface Sending {
  readonly upload: Upload
  announced?: Announced | undefined
  /** Of bytes that lie in the store already, what their writer still holds open. */
  held?: readonly number[] | undefined
  /** Of a copy that is to rot: what lies there then. */
  readonly bad?: Content | undefined
  /** Of a copy that is there already, by what it is asked for. */
  readonly copy?: { readonly instanceId: number; readonly trashId: string | undefined } | undefined
}

export interface Announced {
  readonly store_name: string
  readonly staging_name: string
  readonly staging_location: string
  readonly transfer_id: number
  readonly transfer_providers: Readonly<Record<string, { readonly url?: string }>>
}

export type Told =
  | { readonly outcome: 'acknowledged' }
  /** Kept under this name already. */
  | { readonly outcome: 'exists' }
  | { readonly outcome: 'refused'; readonly status: number; readonly reason: string }
  /** The connection broke: nobody knows. */
  | { readonly outcome: 'unknown'; readonly reason: string }

/** Where a librarian answers, and as whom. */
export interface Door {
  readonly url: string
  readonly authorization: string
  /** Where its store is. */
  readonly root: string
  /** Absent: nobody knows whether it runs. */
  readonly isRunning?: (() => boolean) | undefined
  /** Another librarian that it knows, and that nobody disturbs. */
  readonly beside?: Beside | undefined
}

export interface Beside extends Door {
  /** Of a person with logins at both librarians, `here` and `beside`: home, and disks. */
  readonly person: string
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

/** Longer than anything takes that still goes on. */
const patienceMs = 60_000

/** Brings bytes through a staging area that both sides see. */
export function sendByCopy(door: Door, sending: Sending): Promise<Told> {
  return telling(async () => {
    if (sending.announced) {
      // First the very request whose answer was lost.
      const told = await commit(door, sending, 'local')
      if (told.outcome !== 'refused' || isLater(told)) return told
    }
    const told = await announce(door, sending)
    if (told) return told
    put(sending.announced!.staging_location, sending.upload.content)
    return await commit(door, sending, 'local')
  })
}

/** Several at once: one announcement, one commit. */
export async function sendBatch(door: Door, sendings: readonly Sending[]): Promise<Told[]> {
  const told = new Map<Sending, Told>()
  const lost = await telling(async () => {
    const wanted = sendings.filter(({ announced }) => !announced)
    if (wanted.length > 0) {
      const uploads = wanted.map(({ upload }) => announcementOf(upload))
      const answer = await call(door, 'upload/batch_stage', { uploader: 'admin', uploads })
      if (answer.status >= 300) return refused(answer)
      for (const [index, outcome] of outcomesOf(answer).entries()) {
        const sending = wanted[index]!
        if (outcome.success) sending.announced = outcome as unknown as Announced
        else told.set(sending, failureOf(outcome))
      }
      for (const sending of wanted) {
        if (sending.announced) put(sending.announced.staging_location, sending.upload.content)
      }
    }
    const open = sendings.filter(({ announced }) => announced)
    if (open.length === 0) return
    const commits = open.map(({ announced }) => ({
      transfer_id: announced!.transfer_id,
      transfer_provider_name: 'local',
      deletion_policy: 'DISALLOWED',
    }))
    const answer = await call(door, 'upload/batch_commit', { commits })
    if (answer.status >= 300) return refused(answer)
    for (const [index, outcome] of outcomesOf(answer).entries()) {
      const sending = open[index]!
      if (outcome.success) told.set(sending, { outcome: 'acknowledged' })
      else {
        const failure = failureOf(outcome)
        told.set(sending, failure)
        if (failure.outcome === 'refused' && !isLater(failure)) sending.announced = undefined
      }
    }
    return
  })
  return sendings.map(sending => told.get(sending) ?? lost ?? { outcome: 'unknown', reason: 'no word of it' })
}

/** Brings bytes over HTTP in two pieces (tus), going on from where the librarian says that it is; a tree as an archive. */
export function sendByTus(door: Door, sending: Sending): Promise<Told> {
  return telling(async () => {
    const content = bytesOf(sending.upload)
    let offset = sending.announced ? await offsetOf(door, sending) : undefined
    if (offset === undefined) {
      sending.announced = undefined
      const told = await announce(door, sending)
      if (told) return told
      offset = 0
    }
    const middle = Math.floor(content.length / 2)
    for (const end of [middle, content.length]) {
      if (offset >= end) continue
      const answer = await patch(door, sending, offset, content.subarray(offset, end))
      if (answer.status !== 204) return refused(answer)
      const met = Number(answer.headers.get('upload-offset'))
      if (met !== end) return { outcome: 'refused', status: 204, reason: `offset must be ${end}, got ${met}` }
      offset = end
    }
    const told = await commit(door, sending, 'http')
    if (told.outcome === 'refused' && !isLater(told)) sending.announced = undefined
    return told
  })
}

/** Registers what lies in the store already. Its writer still has it open, and writes once more when it was told: kept. */
export function sendInPlace(door: Door, sending: Sending): Promise<Told> {
  return telling(async () => {
    const { name, content } = sending.upload
    const path = join(door.root, name)
    if (!existsSync(path)) sending.held = layOut(path, content)
    const answer = await call(door, 'admin/add_file', {
      name,
      create_time: '2026-01-01T00:00:00',
      size: sizeOf(content),
      checksum: checksumOf(content),
      uploader: 'admin',
      source: 'here',
      path,
      store_name: 'files',
    })
    if (answer.status >= 300) return refused(answer)
    for (const file of sending.held ?? []) {
      writeSync(file, 'written after it was kept', 0)
      closeSync(file)
    }
    sending.held = undefined
    return (answer.body as { already_exists: boolean }).already_exists
      ? { outcome: 'exists' }
      : { outcome: 'acknowledged' }
  })
}

/** Has a copy moved into the trash. */
export function sendToTrash(door: Door, { copy }: Sending): Promise<Told> {
  return telling(async () => {
    const what = { instance_id: copy!.instanceId, delete_file: true }
    const answer = await call(door, 'admin/instance/delete_local', what)
    if (answer.status === 200) return { outcome: 'acknowledged' }
    return /does not exist|none with this number/.test(JSON.stringify(answer.body))
      ? { outcome: 'exists' }
      : refused(answer)
  })
}

/** Has a copy brought back from the trash. */
export function sendFromTrash(door: Door, { copy }: Sending): Promise<Told> {
  return telling(async () => {
    const answer = await call(door, 'admin/trash/restore', { trash_id: copy!.trashId })
    if (answer.status === 200) return { outcome: 'acknowledged' }
    return /it is restored/.test(JSON.stringify(answer.body)) ? { outcome: 'exists' } : refused(answer)
  })
}

export async function enableStore(door: Door): Promise<void> {
  await call(door, 'admin/stores/state_change', { store_name: 'files', enabled: true })
}

/** Worth asking again for. */
export function isLater(told: Told): boolean {
  return told.outcome === 'unknown' || (told.outcome === 'refused' && (told.status === 503 || told.status === 429))
}

export function isKept({ outcome }: Told): boolean {
  return outcome === 'acknowledged' || outcome === 'exists'
}

export function checksumOf(content: Content): string {
  if (content instanceof Uint8Array) return `md5:::${md5(content)}`
  const hex = [...content.values()].flatMap(bytes => (bytes ? [md5(bytes)] : [])).sort()
  return `md5:::${md5(Buffer.from(hex.join('')))}`
}

/** @returns why it goes no further; undefined: it may */
async function announce(door: Door, sending: Sending): Promise<Told | undefined> {
  const answer = await call(door, 'upload/stage', { ...announcementOf(sending.upload), uploader: 'admin' })
  if (answer.status === 409) return isExisting(answer.body) ? { outcome: 'exists' } : refused(answer)
  if (answer.status !== 201) return refused(answer)
  sending.announced = answer.body as Announced
  return undefined
}

export function announcementOf({ name, content }: Upload) {
  return {
    upload_size: sizeOf(content),
    upload_checksum: checksumOf(content),
    upload_name: uploadNameOf(name),
    destination_location: name,
  }
}

export async function commit(door: Door, { upload: { name }, announced }: Sending, provider: string): Promise<Told> {
  const { store_name, staging_name, staging_location, transfer_id } = announced!
  const answer = await call(door, 'upload/commit', {
    store_name,
    staging_name,
    staging_location,
    upload_name: uploadNameOf(name),
    destination_location: name,
    transfer_provider_name: provider,
    transfer_provider: { hostnames: [] },
    meta_mode: 'infer',
    deletion_policy: '0',
    uploader: 'admin',
    transfer_id,
  })
  return answer.status === 200 ? { outcome: 'acknowledged' } : refused(answer)
}

async function offsetOf(door: Door, { announced, upload }: Sending): Promise<number | undefined> {
  const { status, headers } = await request(door, 'HEAD', urlOf(announced!), tusHeadersOf(upload))
  if (status === 200) return Number(headers.get('upload-offset'))
  if (status < 500) return undefined
  throw new Error(`the offset of an upload was answered by ${status}`)
}

export function patch(door: Door, { announced, upload }: Sending, offset: number, piece: Uint8Array): Promise<Answer> {
  const what = { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }
  return request(door, 'PATCH', urlOf(announced!), { ...tusHeadersOf(upload), ...what }, piece)
}

/** Only an archive's length is not what was announced. */
function tusHeadersOf(upload: Upload): Record<string, string> {
  const headers = { 'tus-resumable': '1.0.0' }
  if (upload.content instanceof Uint8Array) return headers
  const archive = { 'upload-length': String(bytesOf(upload).length), 'upload-metadata': `archive ${btoa('tar')}` }
  return { ...headers, ...archive }
}

export function bytesOf({ content }: Upload): Uint8Array {
  return content instanceof Uint8Array ? content : archiveOf(content)
}

function urlOf({ transfer_providers: { http } }: Announced): string {
  if (http?.url) return http.url
  throw new Error('an upload over HTTP is not offered')
}

export function call(door: Door, path: string, body: object): Promise<Answer> {
  return request(door, 'POST', `/api/v2/${path}`, { 'content-type': 'application/json' }, JSON.stringify(body))
}

async function request(
  { url, authorization }: Door,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...headers, authorization, connection: 'close' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
    signal: AbortSignal.timeout(patienceMs),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
}

async function telling<T extends Told | undefined>(act: () => Promise<T>): Promise<T | Told> {
  try {
    return await act()
  } catch (error) {
    return { outcome: 'unknown', reason: String((error as Error).cause ?? error) }
  }
}

interface Outcome {
  readonly success: boolean
  readonly status?: number
  readonly code?: string
  readonly reason?: string
}

function outcomesOf({ body }: Answer): Outcome[] {
  return (body as { outcomes: Outcome[] }).outcomes
}

function failureOf({ status = 0, code, reason = '' }: Outcome): Told {
  return code === 'FileExists' ? { outcome: 'exists' } : { outcome: 'refused', status, reason: `${code}: ${reason}` }
}

/** A name that a commit under way has reserved is not kept yet. */
function isExisting(body: unknown): boolean {
  return /already exists/i.test(JSON.stringify(body))
}

export function refused({ status, body }: Answer): Told {
  return { outcome: 'refused', status, reason: JSON.stringify(body) }
}

function uploadNameOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** Content where a store keeps this name, written by somebody who has it open. */
function layOut(path: string, content: Content): number[] {
  mkdirSync(dirname(path), { recursive: true })
  put(path, content)
  const files =
    content instanceof Uint8Array ? [path] : [...content].flatMap(([at, bytes]) => (bytes ? [join(path, at)] : []))
  return files.map(file => openSync(file, 'r+'))
}

export function put(location: string, content: Content): void {
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

function sizeOf(content: Content): number {
  if (content instanceof Uint8Array) return content.length
  return [...content.values()].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}
