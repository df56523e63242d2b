/** Uploads as the pages in a browser make them, against the real routes. */
import { createHash, randomBytes } from 'node:crypto'
import { loadPathFunctions } from '@arriero/transfer'
import { beforeAll, expect, test } from 'vitest'
import type { Request, Response, Send } from '../../dashboard/src/uploads/send.ts'
import { sendByTus, type TusOptions } from '../../dashboard/src/uploads/tus.ts'
import { type BytesApp, startBytesApp } from './bytes-app.ts'
import { asUser } from './raw-app.ts'

beforeAll(() => loadPathFunctions(['xxh3', 'md5', 'sha256']))

const content = randomBytes(300_000)
const checksum = `sha256:::${createHash('sha256').update(content).digest('hex')}`

const noAnswer: Response = { status: 0, text: '', header: () => null }

/** By fetch, as ada; `change` may come between. */
function sendTo(site: BytesApp, change: (request: Request) => Request | 'lost' = request => request) {
  const asked: string[] = []
  const send: Send = async given => {
    asked.push(given.method)
    const request = change(given)
    if (request === 'lost') return noAnswer
    const { url, method, headers, body, signal } = request
    const answer = await fetch(site.app.origin + url, {
      method,
      headers: { ...headers, ...asUser('ada') },
      signal,
      ...(body ? { body } : {}),
    })
    return { status: answer.status, text: await answer.text(), header: name => answer.headers.get(name) }
  }
  return { send, asked }
}

function options(send: Send, pieceBytes = 100_000): TusOptions {
  return { send, headers: () => ({}), sleep: async () => {}, pieceBytes }
}

function upload(name: string, more: Partial<Parameters<typeof sendByTus>[0]> = {}) {
  const told = { url: undefined as string | undefined, sent: [] as number[] }
  return {
    told,
    wanted: {
      file: new Blob([content]),
      name,
      checksum,
      url: undefined,
      onUrl: (url: string) => {
        told.url = url
      },
      onSent: (bytes: number) => void told.sent.push(bytes),
      signal: new AbortController().signal,
      ...more,
    },
  }
}

async function kept(site: BytesApp, name: string): Promise<Buffer | number> {
  const answer = await fetch(`${site.app.origin}/api/v2/data/${encodeURIComponent(name)}`, { headers: asUser('ada') })
  return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : answer.status
}

test('a file in pieces is kept under its name, with its bytes', async () => {
  await using site = await startBytesApp()
  const { send, asked } = sendTo(site)
  const { wanted, told } = upload('ünï cödé.fits')
  await sendByTus(wanted, options(send))
  expect(await kept(site, 'ünï cödé.fits')).toEqual(content)
  expect(asked).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH'])
  expect(told.sent.at(-1)).toBe(content.length)
})

test('an empty file is kept by its announcement', async () => {
  await using site = await startBytesApp()
  const empty = `sha256:::${createHash('sha256').digest('hex')}`
  const { wanted } = upload('empty', { file: new Blob([]), checksum: empty })
  await sendByTus(wanted, options(sendTo(site).send))
  expect(await kept(site, 'empty')).toEqual(Buffer.of())
})

test('it goes on where it was after requests that were lost and answers that never came', async () => {
  await using site = await startBytesApp()
  let pieces = 0
  const { send } = sendTo(site, request => {
    if (request.method !== 'PATCH') return request
    pieces++
    return pieces === 2 ? 'lost' : request
  })
  let answers = 0
  const forgetful: Send = async request => {
    const answer = await send(request)
    return request.method === 'PATCH' && ++answers === 3 ? noAnswer : answer
  }
  const { wanted } = upload('broken.fits')
  await sendByTus(wanted, options(forgetful))
  expect(await kept(site, 'broken.fits')).toEqual(content)
})

test('an answer that is lost after the last byte does not fail what was kept', async () => {
  await using site = await startBytesApp()
  const { send } = sendTo(site)
  let isLost = false
  const forgetful: Send = async request => {
    const answer = await send(request)
    if (request.method !== 'PATCH' || isLost) return answer
    isLost = true
    return noAnswer
  }
  const { wanted } = upload('last.fits')
  await sendByTus(wanted, options(forgetful, content.length))
  expect(await kept(site, 'last.fits')).toEqual(content)
})

test('another page goes on by the address that was remembered, and begins anew where it is gone', async () => {
  await using site = await startBytesApp()
  const controller = new AbortController()
  const first = sendTo(site, request => {
    if (request.headers['upload-offset'] === '200000') controller.abort(new Error('the page was closed'))
    return request
  })
  const { wanted, told } = upload('later.fits', { signal: controller.signal })
  await expect(sendByTus(wanted, options(first.send))).rejects.toThrow('the page was closed')
  expect(await kept(site, 'later.fits')).toBe(404)

  const second = sendTo(site)
  await sendByTus(upload('later.fits', { url: told.url }).wanted, options(second.send))
  expect(second.asked).toEqual(['HEAD', 'PATCH'])
  expect(await kept(site, 'later.fits')).toEqual(content)

  const third = sendTo(site)
  const gone = `/api/v2/upload/bytes/${'0'.repeat(32)}`
  await sendByTus(upload('anew.fits', { url: gone }).wanted, options(third.send))
  expect(third.asked).toEqual(['HEAD', 'POST', 'PATCH', 'PATCH', 'PATCH'])
  expect(await kept(site, 'anew.fits')).toEqual(content)
})

test('a name that is taken and bytes that are others than announced fail in the words of the librarian', async () => {
  await using site = await startBytesApp()
  const { send } = sendTo(site)
  await sendByTus(upload('taken.fits').wanted, options(send))
  await expect(sendByTus(upload('taken.fits').wanted, options(send))).rejects.toThrow(
    'Cannot take taken.fits: it is kept already',
  )
  const other = upload('other.fits', { checksum: `sha256:::${'0'.repeat(64)}` })
  await expect(sendByTus(other.wanted, options(send))).rejects.toThrow(/checksum|sha256/)
  expect(await kept(site, 'other.fits')).toBe(404)
})

test('a librarian that never answers is given up after a while, and says what to do', async () => {
  await using site = await startBytesApp()
  const { send } = sendTo(site, request => (request.method === 'POST' ? request : 'lost'))
  const failed = sendByTus(upload('silent.fits').wanted, options(send))
  await expect(failed).rejects.toMatchObject({ code: 'PeerUnreachable', isRetriable: true })
})
