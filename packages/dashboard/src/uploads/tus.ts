/** tus 1.0 as the librarian speaks it: bytes that go on where they broke off, kept as soon as the last one is there. */
import { fromFailure, LibrarianError } from '@arriero/api'
import type { Response, Send } from './send.ts'

export interface TusUpload {
  readonly file: Blob
  /** The future file’s name. */
  readonly name: string
  /** Of the whole, in the wire’s form. */
  readonly checksum: string
  /** Of an earlier attempt. */
  readonly url: string | undefined
  /** Told where the bytes go, to be remembered. */
  readonly onUrl: (url: string) => void
  /** Bytes that are at the server, or on their way. */
  readonly onSent: (bytes: number) => void
  readonly signal: AbortSignal
}

export interface TusOptions {
  readonly send: Send
  /** Headers that say who asks. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Bytes of one request, so that a proxy with a limit lets it pass. Default 32 MiB. */
  readonly pieceBytes?: number
}

const ADDRESS = '/api/v2/upload/bytes'
/** So often in a row nothing goes forward before it is given up: two minutes in all. */
const MOST_FAILURES = 8

/** Resolves when the file is kept. @throws LibrarianError, or the signal’s reason */
export async function sendByTus(upload: TusUpload, options: TusOptions): Promise<void> {
  const { file, signal } = upload
  const begun = upload.url === undefined ? undefined : await ask(upload.url, upload, options)
  if (upload.url !== undefined && begun !== undefined && begun !== 'gone') return goOn(upload.url, begun)
  const url = await create(upload, options)
  if (url === undefined) return
  return goOn(url, 0)

  async function goOn(url: string, from: number): Promise<void> {
    let offset = from
    let failures = 0
    while (offset < file.size) {
      upload.onSent(offset)
      const answer = await sendPiece(url, offset, upload, options)
      const reached = answer.status === 204 ? offsetOf(answer) : undefined
      if (reached !== undefined && reached > offset) {
        offset = reached
        failures = 0
        continue
      }
      if (!mayGoOn(answer) || ++failures > MOST_FAILURES) throw failureOf(answer)
      await options.sleep(Math.min(30_000, 500 * 2 ** failures), signal)
      const there = await ask(url, upload, options)
      if (there === 'gone') throw failureOf(answer)
      if (there !== undefined && there > offset) failures = 0
      offset = there ?? offset
    }
    upload.onSent(file.size)
  }
}

/** Gives up an upload that was begun. Nobody waits for it: what is left over ends by itself after some time. */
export async function endTus(url: string, { send, headers }: TusOptions): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  await send({ method: 'DELETE', url, headers: { ...headers(), 'tus-resumable': '1.0.0' }, signal }).catch(() => {})
}

/** Undefined: it was kept at once, since it is empty. */
async function create(upload: TusUpload, { send, headers, sleep }: TusOptions): Promise<string | undefined> {
  const { file, name, checksum, signal } = upload
  const metadata = `name ${base64(name)},checksum ${base64(checksum)}`
  for (let attempt = 0; ; attempt++) {
    const answer = await send({
      method: 'POST',
      url: ADDRESS,
      headers: {
        ...headers(),
        'tus-resumable': '1.0.0',
        'upload-length': String(file.size),
        'upload-metadata': metadata,
      },
      signal,
    })
    if (answer.status === 201) {
      const url = answer.header('location') ?? ''
      if (!url.startsWith(`${ADDRESS}/`)) throw new LibrarianError('BadAnswer', `Cannot upload ${name} to ${url}`)
      upload.onUrl(url)
      return file.size === 0 ? undefined : url
    }
    if (!mayPass(answer) || attempt >= 3) throw failureOf(answer)
    await sleep(500 * 2 ** attempt, signal)
  }
}

/** How many bytes are there. Undefined: nobody could be asked. */
async function ask(
  url: string,
  { signal }: TusUpload,
  { send, headers }: TusOptions,
): Promise<number | 'gone' | undefined> {
  const answer = await send({ method: 'HEAD', url, headers: { ...headers(), 'tus-resumable': '1.0.0' }, signal })
  if (answer.status === 200) return offsetOf(answer)
  return answer.status === 404 || answer.status === 410 ? 'gone' : undefined
}

function sendPiece(
  url: string,
  offset: number,
  { file, signal, onSent }: TusUpload,
  { send, headers, pieceBytes = 32 * 2 ** 20 }: TusOptions,
): Promise<Response> {
  return send({
    method: 'PATCH',
    url,
    headers: {
      ...headers(),
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
    },
    body: file.slice(offset, offset + pieceBytes),
    signal,
    onSent: sent => onSent(offset + sent),
  })
}

function offsetOf(answer: Response): number | undefined {
  const offset = Number(answer.header('upload-offset') ?? Number.NaN)
  return Number.isSafeInteger(offset) ? offset : undefined
}

/** No answer, somebody else at it, damaged on the way, or a server that has too much to do; but no disk that is full. */
function mayPass({ status }: Response): boolean {
  return [0, 408, 423, 429, 460].includes(status) || (status >= 500 && status !== 507)
}

/** Besides, fewer or more bytes may be there than we thought. */
function mayGoOn(answer: Response): boolean {
  return mayPass(answer) || answer.status === 204 || answer.status === 409
}

function failureOf({ status, text }: Response): LibrarianError {
  if (status !== 0) return fromFailure(status, text)
  return new LibrarianError('PeerUnreachable', 'The librarian did not answer for two minutes', {
    remedy: 'Check the network, then try again: it goes on where it broke off.',
  })
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
