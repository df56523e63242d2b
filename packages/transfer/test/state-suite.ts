/**
 * What every state of a pipeline must do (contract in src/pipeline/state/state.ts). A state's own tests call
 * `describeState` with a factory.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Commit, PipelineState, StateRecord } from '../src/pipeline/state/state.ts'

export interface StateSubject extends AsyncDisposable {
  /** As the next run opens it. */
  open(): Promise<PipelineState>
  /** The appended output. */
  output(): Promise<string>
}

export const done = (key: string, more: Partial<StateRecord> = {}): StateRecord => ({ key, status: 'done', ...more })

const commitOf = (key: string, nth = 1): Commit => ({
  record: done(key, nth === 1 ? {} : { nth }),
  line: Buffer.from(`${JSON.stringify([key, nth])}\n`),
})

/** Which items of the list a run would pass over. */
export function passedOver(state: PipelineState, keys: readonly string[]): boolean[] {
  return keys.map(key => state.find(key).record !== undefined)
}

/** What an honest run does: asks for each item in order, and commits those that it chooses and that are not done. */
export async function doSome(
  state: PipelineState,
  keys: readonly string[],
  isWanted: (index: number) => boolean,
  perGroup = 3,
): Promise<number> {
  const commits = keys.flatMap((key, index) => {
    const { nth, record } = state.find(key)
    return record || !isWanted(index) ? [] : [commitOf(key, nth)]
  })
  for (let at = 0; at < commits.length; at += perGroup) await state.commit(commits.slice(at, at + perGroup))
  return commits.length
}

export function describeState(name: string, make: () => Promise<StateSubject>): void {
  describe(`${name} (state contract)`, () => {
    test('knows nothing at first, and what was committed the next time', async () => {
      await using subject = await make()
      const first = await subject.open()
      expect(first.find('a')).toEqual({ nth: 1, record: undefined })
      const version = { size: 3, etag: '"e"', lastModified: 1_700_000_000_000, version: 'v' }
      const dropped = { key: 'b', status: 'dropped', reason: 'no use' } as const
      await first.commit([{ record: done('a', { version }) }, { record: dropped }])
      await first.close(true)
      const second = await subject.open()
      expect(second.find('a').record).toMatchObject(done('a', { version }))
      expect(second.find('b').record).toMatchObject(dropped)
      expect(second.find('c').record).toBeUndefined()
      await second.close(true)
    })

    test('counts items with the same key', async () => {
      await using subject = await make()
      const first = await subject.open()
      expect(['x', 'y', 'x', 'x'].map(key => first.find(key).nth)).toEqual([1, 1, 2, 3])
      await first.commit([commitOf('x', 2)])
      await first.close(false)
      const second = await subject.open()
      expect(passedOver(second, ['x', 'x', 'x', 'y'])).toEqual([false, true, false, false])
      await second.close(false)
    })

    test('the newest record of an item counts', async () => {
      await using subject = await make()
      const first = await subject.open()
      await first.commit([{ record: done('a', { version: { etag: 'old' } }) }])
      await first.commit([{ record: done('a', { version: { etag: 'new' } }) }])
      await first.close(true)
      const second = await subject.open()
      expect(second.find('a').record?.version).toEqual({ etag: 'new' })
      await second.close(true)
    })

    test.each([
      ['long', 'k'.repeat(200_000)],
      ['beyond ASCII', 'Ñandú 🦙 e\u0301 \u2028'],
      ['with line breaks and quotes', 'a\r\n"b"\\\u0000'],
      ['half of a pair', '\ud800'],
      ['that name what every object has', '__proto__'],
    ])('takes keys that are %s', async (_, key) => {
      await using subject = await make()
      const first = await subject.open()
      await first.commit([commitOf(key), commitOf('next')])
      await first.close(true)
      const second = await subject.open()
      expect(passedOver(second, [key, 'next', 'other'])).toEqual([true, true, false])
      expect(second.find(key).nth).toBe(2)
      await second.close(true)
    })

    test('each item is done once over any number of runs, with its line once, in the order of the commits', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom('a', 'b', 'ä', 'a\u00002', ''), { maxLength: 12 }),
          fc.array(fc.func(fc.boolean()), { maxLength: 4 }),
          async (keys, runs) => {
            await using subject = await make()
            let total = 0
            for (const isWanted of [...runs, () => true]) {
              const state = await subject.open()
              total += await doSome(state, keys, isWanted)
              await state.close(false)
            }
            expect(total).toBe(keys.length)
            const lines = (await subject.output()).split('\n').slice(0, -1)
            expect(lines).toHaveLength(keys.length)
            expect(lines.map(line => JSON.parse(line)[0]).toSorted()).toEqual(keys.toSorted())
            const last = await subject.open()
            expect(passedOver(last, keys)).toEqual(keys.map(() => true))
            await last.close(true)
          },
        ),
        { numRuns: 40 },
      )
    })
  })
}
