import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenFile } from '../stores/store.ts'
import { Buffers } from './buffers.ts'
import { sendBytes } from './send-bytes.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-send-'))
})
afterAll(() => rm(directory, { recursive: true }))

const content = randomBytes(300_000)

async function openedFile(hasDescriptor: boolean, size = content.length): Promise<OpenFile> {
  const path = join(directory, `f${Math.random()}`)
  await writeFile(path, content)
  const handle = await open(path)
  return {
    size,
    fingerprint: 'f',
    fd: hasDescriptor ? handle.fd : undefined,
    async *read(start, end) {
      for (let at = start; at < end; at += 70_000) yield content.subarray(at, Math.min(at + 70_000, end))
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** Sends with buffers of 64 KiB through a real socket; resolves to what arrived, or to the connection's error. */
async function sendThrough(
  file: OpenFile,
  range: { start: number; end: number },
  beforeLast: () => Promise<void> = async () => {},
): Promise<{ body?: Buffer; error?: unknown; thrown?: unknown }> {
  const buffers = new Buffers({ size: 65_536 })
  let thrown: unknown
  const server = createServer((request, response) => {
    const ending = new AbortController()
    request.socket.on('close', () => ending.abort(new Error('gone')))
    response.writeHead(200, { 'content-length': range.end - range.start })
    response.flushHeaders()
    sendBytes({ file, range, response, buffers, signal: ending.signal, beforeLast }).then(
      () => response.end(),
      error => {
        thrown = error
        response.destroy()
      },
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return { body: Buffer.from(await answer.arrayBuffer()), thrown }
  } catch (error) {
    return { error, thrown }
  } finally {
    server.closeAllConnections()
    server.close()
    await file[Symbol.asyncDispose]()
  }
}

describe.each([
  ['from a descriptor', true],
  ['from pieces', false],
])('sendBytes() %s', (_, hasDescriptor) => {
  test('sends any range as it is in the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length), fc.nat(content.length), async (a, b) => {
        const range = { start: Math.min(a, b), end: Math.max(a, b) }
        const { body } = await sendThrough(await openedFile(hasDescriptor), range)
        expect(body && sha(body)).toBe(sha(content.subarray(range.start, range.end)))
      }),
      {
        numRuns: 40,
        examples: [
          [0, content.length],
          [0, 0],
          [65_536, 131_072],
          [0, 65_536],
        ],
      },
    )
  })

  test('ends the connection without the last piece when the file was changed meanwhile', async () => {
    const whole = { start: 0, end: content.length }
    const { body, error, thrown } = await sendThrough(await openedFile(hasDescriptor), whole, async () => {
      throw new Error('changed')
    })
    expect(body).toBeUndefined()
    expect(error).toBeDefined()
    expect(thrown).toMatchObject({ message: 'changed' })
  })
})

test('sendBytes() never ends cleanly where the file is shorter than it must be', async () => {
  const { body, thrown } = await sendThrough(await openedFile(true), { start: 0, end: content.length + 10 })
  expect(body).toBeUndefined()
  expect(thrown).toMatchObject({ message: `the file ends at byte ${content.length}` })
})

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
