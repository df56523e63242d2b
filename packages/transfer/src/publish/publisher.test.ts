import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contentOf } from '../../test/source-suite.ts'
import { type Slot, Slots } from '../slots.ts'
import { Publisher, type PublishRequest } from './publisher.ts'

let directory: string
let slots: Slots
let publisher: Publisher
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-publisher-'))
  await mkdir(join(directory, '.arriero'))
  slots = new Slots({ budget: 4 << 20 })
  publisher = new Publisher(slots.buffer)
})
afterEach(async () => {
  await publisher.close()
  await rm(directory, { recursive: true })
})

let next = 0
function request(name: string, slot?: Slot, length = slot?.length ?? 0): PublishRequest {
  return {
    content: { slot, length },
    temp: join(directory, '.arriero', `t${next++}`),
    final: join(directory, name),
    conflict: 'error',
    mtimeMs: undefined,
    isDurable: true,
  }
}

function filled(length: number, seed = 1): Slot {
  const slot = slots.tryReserve(length) as Slot
  slot.bytes.set(contentOf(length, seed))
  return slot
}

/** Publishes a slot's bytes as the file sink does: its own hold ends with the publishing. */
async function publish(name: string, slot: Slot): Promise<string> {
  try {
    return await publisher.publish(request(name, slot))
  } finally {
    slot.release()
  }
}

describe('Publisher', () => {
  test('publishes what is in memory, and gives the memory back', async () => {
    expect(await publish('a', filled(100_000))).toBe(join(directory, 'a'))
    expect((await readFile(join(directory, 'a'))).equals(contentOf(100_000))).toBe(true)
    expect(slots.reserved).toBe(0)
    expect(publisher.pending).toBe(0)
  })

  test('publishes an empty file', async () => {
    await publisher.publish(request('empty'))
    expect((await readFile(join(directory, 'empty'))).length).toBe(0)
  })

  test('publishes hundreds, each with its own bytes, while others are announced', async () => {
    const unexpect = publisher.expect()
    const all = Promise.all(
      [...Array(300).keys()].map(async index => {
        if (index % 50 === 49) await new Promise(resolve => setTimeout(resolve, 3))
        await publish(`f${index}`, filled(1000 + index, index + 1))
      }),
    )
    setTimeout(unexpect, 30)
    await all
    for (let index = 0; index < 300; index++) {
      expect((await readFile(join(directory, `f${index}`))).equals(contentOf(1000 + index, index + 1))).toBe(true)
    }
    expect(slots.reserved).toBe(0)
    expect(await readdir(join(directory, '.arriero'))).toEqual([])
  })

  test('does not wait for ever for a file that was announced and never comes', async () => {
    publisher.expect()
    const startedAt = performance.now()
    await publish('alone', filled(10))
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })

  test('an announcement may be taken back twice and counts once', async () => {
    const one = publisher.expect()
    const other = publisher.expect()
    one()
    one()
    const publishing = publish('a', filled(10))
    other()
    await publishing
  })

  test('rejects with Exists for a name that is taken, and gives the memory back', async () => {
    await writeFile(join(directory, 'taken'), 'mine')
    await expect(publish('taken', filled(10))).rejects.toMatchObject({
      name: 'TransferError',
      code: 'Exists',
      details: { file: join(directory, 'taken') },
    })
    expect(slots.reserved).toBe(0)
    expect(await readFile(join(directory, 'taken'), 'utf8')).toBe('mine')
  })

  test('rejects with Disk where a directory cannot be made', async () => {
    await writeFile(join(directory, 'file'), '')
    await expect(publish('file/x', filled(10))).rejects.toMatchObject({ code: 'Disk' })
  })

  test('close publishes what was handed over, also in the same turn', async () => {
    const slot = filled(10)
    const publishing = publish('last', slot)
    await publisher.close()
    expect(await publishing).toBe(join(directory, 'last'))
    await publisher.close()
  })

  test('after close it refuses, instead of starting another thread', async () => {
    await publisher.close()
    const slot = filled(10)
    await expect(publish('late', slot)).rejects.toMatchObject({ code: 'Cancelled' })
    expect(slots.reserved).toBe(0)
  })

  test('two publishers that want one name: exactly one gets it, and its bytes are whole', async () => {
    const other = new Publisher(slots.buffer)
    for (let round = 0; round < 10; round++) {
      const [a, b] = [filled(5000, 1), filled(5000, 2)]
      const settled = await Promise.allSettled([
        publisher.publish(request(`race${round}`, a)),
        other.publish(request(`race${round}`, b)),
      ])
      a.release()
      b.release()
      expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      const winner = settled[0]?.status === 'fulfilled' ? 1 : 2
      expect((await readFile(join(directory, `race${round}`))).equals(contentOf(5000, winner))).toBe(true)
    }
    await other.close()
    expect(slots.reserved).toBe(0)
  })

  test('a thread that dies rejects with a TransferError, and nothing that it was given appears later', async () => {
    // No such memory: the thread fails as soon as it looks at it.
    const broken = new Publisher(-1 as never)
    const slot = filled(10)
    const publishing = [broken.publish(request('a', slot)), broken.publish(request('b', slot))]
    for (const one of await Promise.allSettled(publishing)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { name: 'TransferError', code: 'Disk' } })
    }
    // The next one is tried by another thread.
    await expect(broken.publish(request('c', slot))).rejects.toMatchObject({ code: 'Disk' })
    slot.release()
    expect(slots.reserved).toBe(0)
    await broken.close()
    expect(await readdir(directory)).toEqual(['.arriero'])
  })
})
