/** A client as simple as can be, which keeps to itself what it was told. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { Acknowledged } from '../../../packages/librarian/test/check-invariants.ts'
import { authorization } from './server.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

export interface Announced {
  readonly name: string
  readonly content: Uint8Array
  readonly checksum: string
  /** As `upload/stage` answered. */
  readonly told: Readonly<Record<string, unknown>>
  /** Path of its bytes for tus. */
  readonly path: string
}

export interface Drip {
  write(start: number, end: number): void
  /** The answer’s status; undefined: the connection ended without one. */
  readonly ended: Promise<number | undefined>
  end(): void
}

export class Uploader {
  readonly #urls: readonly string[]
  /** What was acknowledged. */
  readonly kept: Acknowledged[] = []
  #turn = 0

  /** @param urls of servers that stand for one another */
  constructor(...urls: string[]) {
    this.#urls = urls
  }

  async post(path: string, body: object, url = this.url): Promise<Answer> {
    const response = await fetch(`${url}/api/v2/${path}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(100_000),
    })
    return answerOf(response)
  }

  /** Each call goes to the next server. */
  get url(): string {
    return this.#urls[this.#turn++ % this.#urls.length]!
  }

  async announce(name: string, content: Uint8Array, url = this.url): Promise<Announced | Answer> {
    const checksum = checksumOf(content)
    const answer = await this.post(
      'upload/stage',
      {
        upload_size: content.length,
        upload_checksum: checksum,
        upload_name: name.slice(name.lastIndexOf('/') + 1),
        destination_location: name,
        uploader: 'admin',
      },
      url,
    )
    if (answer.status !== 201) return answer
    const { http } = answer.body.transfer_providers as { http: { url: string } }
    return { name, content, checksum, told: answer.body, path: http.url }
  }

  async send({ path, content }: Announced, from: number, to = content.length, url = this.url): Promise<Answer> {
    return answerOf(
      await fetch(url + path, {
        method: 'PATCH',
        headers: {
          authorization,
          'tus-resumable': '1.0.0',
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(from),
        },
        body: content.slice(from, to),
        signal: AbortSignal.timeout(100_000),
      }),
    )
  }

  /** A PATCH whose body comes when the test says. */
  drip({ path, content }: Announced, from: number, url = this.url): Drip {
    const sending = request(url + path, {
      method: 'PATCH',
      headers: {
        authorization,
        'tus-resumable': '1.0.0',
        'content-type': 'application/offset+octet-stream',
        'upload-offset': from,
        'content-length': content.length - from,
      },
    })
    const ended = new Promise<number | undefined>(resolve => {
      sending.on('response', response => {
        response.resume()
        resolve(response.statusCode)
      })
      sending.on('error', () => resolve(undefined))
      sending.on('close', () => resolve(undefined))
    })
    return {
      write: (start, end) => void sending.write(content.subarray(start, end)),
      ended,
      end: () => sending.destroy(),
    }
  }

  async offset({ path }: Announced, url = this.url): Promise<number> {
    const response = await fetch(url + path, {
      method: 'HEAD',
      headers: { authorization, 'tus-resumable': '1.0.0' },
      signal: AbortSignal.timeout(100_000),
    })
    if (response.status !== 200) throw new Error(`HEAD was answered ${response.status}`)
    return Number(response.headers.get('upload-offset'))
  }

  /** @param manager `http` for bytes that were sent, `local` for those that were put into staging */
  async commit(announced: Announced, manager: 'http' | 'local' = 'http', url = this.url): Promise<Answer> {
    const { name, content, checksum, told } = announced
    const answer = await this.post(
      'upload/commit',
      {
        store_name: told.store_name,
        staging_name: told.staging_name,
        staging_location: told.staging_location,
        upload_name: told.upload_name,
        destination_location: name,
        transfer_provider_name: manager,
        transfer_provider: { hostnames: [] },
        meta_mode: 'infer',
        deletion_policy: 'DISALLOWED',
        uploader: 'admin',
        transfer_id: told.transfer_id,
      },
      url,
    )
    if (answer.status === 200 && !this.kept.some(known => known.name === name)) {
      this.kept.push({ name, content, checksum })
    }
    return answer
  }

  /** The whole way over HTTP; the answer that ended it. */
  async upload(name: string, content: Uint8Array): Promise<Answer> {
    const announced = await this.announce(name, content)
    if ('status' in announced) return announced
    if (content.length > 0) {
      const sent = await this.send(announced, 0)
      if (sent.status !== 204) return sent
    }
    return this.commit(announced)
  }

  /** The whole way through the staging area. @param seen where a path of the server is for us */
  async uploadStaged(name: string, content: Uint8Array, seen: (path: string) => string): Promise<Answer> {
    const announced = await this.announce(name, content)
    if ('status' in announced) return announced
    writeFileSync(seen(String(announced.told.staging_location)), content)
    return this.commit(announced, 'local')
  }

  async download(name: string): Promise<Answer & { bytes: Buffer }> {
    const response = await fetch(`${this.url}/api/v2/data/${name}`, { headers: { authorization } })
    const { status, headers } = response
    return { status, headers, body: {}, bytes: Buffer.from(await response.arrayBuffer()) }
  }

  async states(): Promise<Readonly<Record<string, unknown>>[]> {
    return (await this.post('admin/stores/list', {})).body as never
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

export function checksumOf(content: Uint8Array): string {
  return `md5:::${createHash('md5').update(content).digest('hex')}`
}

/** Bytes that differ for each seed, without storing them. */
export function bytesOf(seed: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
