import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Channel } from './channel.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => {
      settled = true
    },
    () => {
      settled = true
    },
  )
  await turn()
  return settled
}

describe('Channel', () => {
  test('hands over everything in order, whoever is faster', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (sends, takes) => {
          const channel = new Channel<number>()
          const sending = (async () => {
            for (const [index, waits] of sends.entries()) {
              if (waits) await turn()
              await channel.send(index)
            }
            channel.end()
          })()
          const seen: number[] = []
          for await (const item of channel.bytes()) {
            if (takes[seen.length]) await turn()
            seen.push(item)
          }
          await sending
          expect(seen).toEqual([...sends.keys()])
        },
      ),
      { numRuns: 50 },
    )
  })

  test('send is done only when the receiver asks for the next item: that is the back-pressure', async () => {
    const channel = new Channel<number>()
    const items = channel.bytes()
    const first = channel.send(1)
    expect(await isSettled(first)).toBe(false)
    expect((await items.next()).value).toBe(1)
    expect(await isSettled(first)).toBe(false)
    const second = channel.send(2)
    expect((await items.next()).value).toBe(2)
    expect(await isSettled(first)).toBe(true)
    expect(await isSettled(second)).toBe(false)
    await items.return()
    expect(await isSettled(second)).toBe(true)
  })

  test('ends after what was sent before the end', async () => {
    const channel = new Channel<number>()
    void channel.send(1)
    void channel.send(2)
    channel.end()
    const seen: number[] = []
    for await (const item of channel.bytes()) seen.push(item)
    expect(seen).toEqual([1, 2])
  })

  test('a receiver that leaves early lets go of what waits, and nobody can send any more', async () => {
    const channel = new Channel<number>()
    const sends = [channel.send(1), channel.send(2), channel.send(3)]
    for await (const item of channel.bytes()) if (item === 1) break
    await Promise.all(sends)
    await expect(channel.send(4)).rejects.toThrow(/Nobody/)
  })

  test('a failure rejects what was not received, and reaches the receiver at its next step', async () => {
    const channel = new Channel<number>()
    const items = channel.bytes()
    const reason = new Error('broken')
    void channel.send(1)
    const second = channel.send(2)
    await items.next()
    channel.fail(reason)
    await expect(second).rejects.toBe(reason)
    await expect(items.next()).rejects.toBe(reason)
    await expect(channel.send(3)).rejects.toBe(reason)
  })

  test('a failure wakes a receiver that waits; a later end or failure changes nothing', async () => {
    const channel = new Channel<number>()
    const waiting = channel.bytes().next()
    const reason = new Error('broken')
    await turn()
    channel.fail(reason)
    channel.end()
    channel.fail(new Error('later'))
    await expect(waiting).rejects.toBe(reason)
  })
})
