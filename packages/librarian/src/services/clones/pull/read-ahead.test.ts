import { expect, test } from 'vitest'
import { type Begin, readAhead } from './read-ahead.ts'

function sourcesOf(counts: readonly number[], seen: string[]): Begin<string>[] {
  return counts.map(
    (count, at) =>
      async function* (signal) {
        seen.push(`begin ${at}`)
        try {
          for (let n = 0; n < count; n++) {
            signal.throwIfAborted()
            yield `${at}.${n}`
          }
        } finally {
          seen.push(`end ${at}`)
        }
      },
  )
}

test('readAhead() gives what each source gives in order, and begins so many at once', async () => {
  const seen: string[] = []
  const items = readAhead(sourcesOf([2, 0, 3, 1], seen), 2)
  expect(await items.next()).toEqual({ done: false, value: '0.0' })
  expect(seen.filter(one => one.startsWith('begin'))).toEqual(['begin 0', 'begin 1'])
  expect(await Array.fromAsync(items)).toEqual(['0.1', '2.0', '2.1', '2.2', '3.0'])
  expect(seen.filter(one => one.startsWith('end'))).toHaveLength(4)
})

test('readAhead() ends all that have begun when nobody reads any more, and throws what its turn brings', async () => {
  const seen: string[] = []
  for await (const item of readAhead(sourcesOf([2, 2, 2], seen), 2)) {
    expect(item).toBe('0.0')
    break
  }
  expect(seen.toSorted()).toEqual(['begin 0', 'begin 1', 'end 0', 'end 1'])
  const failing: Begin<string>[] = [
    ...sourcesOf([1], seen),
    // biome-ignore lint/correctness/useYield: it fails before
    async function* () {
      throw new Error('gone')
    },
  ]
  const met: string[] = []
  const reading = (async () => {
    for await (const item of readAhead(failing, 2)) met.push(item)
  })()
  await expect(reading).rejects.toThrow('gone')
  expect(met).toEqual(['0.0'])
})
