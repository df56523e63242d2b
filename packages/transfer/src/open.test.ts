import { describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { abortable } from './abortable.ts'
import { open } from './open.ts'
import type { FetchRequest } from './source.ts'

const a = 'memory:/a'
const partSize = 64 * 1024
const content = contentOf(5 * partSize + 123)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function opened(options: Parameters<typeof open>[1] = {}) {
  const setting = memoryEngine({ [a]: content }, {})
  return { ...setting, reader: await open(a, { engine: setting.engine, partSize, ...options }) }
}

describe('open()', () => {
  test('resolves when size and version are known', async () => {
    const { reader } = await opened()
    expect(reader.size).toBe(content.length)
    expect(reader.info).toMatchObject({ size: content.length, ranges: 'yes' })
    await reader.close()
  })

  test('rejects when there is nothing, and leaves nothing behind', async () => {
    const { engine } = memoryEngine({})
    await expect(open(a, { engine })).rejects.toMatchObject({ code: 'NotFound' })
    await expect(open(a, { engine, signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    expect(engine.slots.reserved).toBe(0)
  })

  test('read() gives at most what was asked for, in order, and undefined at the end, again and again', async () => {
    const { reader, engine } = await opened()
    let at = 0
    for (let bytes = await reader.read(1000); bytes; bytes = await reader.read(1000)) {
      expect(bytes.length).toBeGreaterThan(0)
      expect(bytes.length).toBeLessThanOrEqual(1000)
      expectSame(bytes, content.subarray(at, at + bytes.length))
      at += bytes.length
    }
    expect(at).toBe(content.length)
    expect(await reader.read()).toBeUndefined()
    expect(await reader.read(1)).toBeUndefined()
    expect(engine.slots.reserved).toBe(0)
    await reader.close()
  })

  test('read() without a limit gives what is at hand', async () => {
    const { reader } = await opened()
    expect((await reader.read())?.length).toBe(partSize)
    await reader.close()
  })

  test('readInto() fills across parts, then gives the rest, then 0', async () => {
    const { reader } = await opened()
    const all = new Uint8Array(content.length + 100)
    expect(await reader.readInto(all.subarray(0, 10))).toBe(10)
    expect(await reader.readInto(all.subarray(10, 3 * partSize))).toBe(3 * partSize - 10)
    expect(await reader.readInto(all.subarray(3 * partSize))).toBe(content.length - 3 * partSize)
    expect(await reader.readInto(new Uint8Array(5))).toBe(0)
    expectSame(all.subarray(0, content.length), content)
    await reader.close()
  })

  test('iterates, and goes on where read() stopped', async () => {
    const { reader } = await opened()
    const first = (await reader.read(77))?.slice() as Uint8Array
    const rest: Uint8Array[] = [first]
    for await (const bytes of reader) rest.push(bytes.slice())
    expectSame(Buffer.concat(rest), content)
  })

  for (const before of [
    'nothing was read',
    'the first piece was read to its end',
    'a piece was read in part',
  ] as const) {
    test(`close() when ${before} cancels at once and gives all memory back`, async () => {
      const { reader, engine, active } = await opened()
      if (before === 'the first piece was read to its end') await reader.read()
      if (before === 'a piece was read in part') await reader.read(5)
      await pause(10)
      await reader.close()
      expect(active()).toBe(0)
      expect(engine.slots.reserved).toBe(0)
      expect(engine.limits.inUse).toBe(0)
      await reader.close()
    })
  }

  test('close() ends a read that waits', async () => {
    const never = ({ range, signal }: FetchRequest) => (range?.start ? abortable(pause(1e6), signal) : undefined)
    const { engine } = memoryEngine({ [a]: content }, { onRequest: never })
    const reader = await open(a, { engine, partSize })
    await reader.read()
    const waiting = reader.read().catch(error => error)
    await pause(10)
    await reader.close()
    expect(await waiting).toMatchObject({ name: 'AbortError' })
  })

  test('after close() a read never looks like the end', async () => {
    const { reader } = await opened()
    await reader.read()
    await reader.close()
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' })
    await expect(reader.readInto(new Uint8Array(10))).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('after a failure every read fails, none looks like the end', async () => {
    const { reader } = await opened({ checksums: ['md5:00000000000000000000000000000000'] })
    const drain = async () => {
      while (await reader.read());
    }
    await expect(drain()).rejects.toMatchObject({ code: 'ChecksumMismatch' })
    await expect(drain()).rejects.toMatchObject({ code: 'ChecksumMismatch' })
    await expect(reader.readInto(new Uint8Array(1))).rejects.toMatchObject({ code: 'ChecksumMismatch' })
    await reader.close()
  })

  test('is closed by `await using`', async () => {
    const setting = memoryEngine({ [a]: content })
    {
      await using reader = await open(a, { engine: setting.engine, partSize })
      await reader.read(1)
    }
    expect(setting.engine.slots.reserved).toBe(0)
  })

  test('toReadable() gives all bytes and keeps none of our memory; destroying it cancels', async () => {
    const { reader, engine } = await opened()
    const pieces: Buffer[] = []
    for await (const piece of reader.toReadable()) pieces.push(piece as Buffer)
    expectSame(Buffer.concat(pieces), content)
    const other = await open(a, { engine, partSize })
    const readable = other.toReadable()
    await new Promise(resolve => readable.once('data', resolve))
    readable.destroy()
    await pause(30)
    expect(engine.slots.reserved).toBe(0)
  })

  test('toReadable() fails where the reading fails', async () => {
    const { reader } = await opened({ checksums: ['md5:00000000000000000000000000000000'] })
    const drain = async () => {
      for await (const _ of reader.toReadable());
    }
    await expect(drain()).rejects.toMatchObject({ code: 'ChecksumMismatch' })
  })

  test('toWeb() gives all bytes; cancelling it cancels', async () => {
    const { reader, engine } = await opened()
    expectSame(new Uint8Array(await new Response(reader.toWeb()).arrayBuffer()), content)
    const other = await open(a, { engine, partSize })
    const web = other.toWeb().getReader()
    await web.read()
    await web.cancel()
    await pause(30)
    expect(engine.slots.reserved).toBe(0)
  })

  test('of an empty resource is at its end', async () => {
    const { engine } = memoryEngine({ [a]: new Uint8Array() })
    await using reader = await open(a, { engine })
    expect(reader.size).toBe(0)
    expect(await reader.read()).toBeUndefined()
  })
})
