/**
 * What every sink must do (contract in src/sink.ts). A sink's own tests call `describeSink` with a factory; everything
 * that does not apply is skipped with the reason in the test's name.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Verification } from '../src/integrity/verification.ts'
import { planParts } from '../src/plan.ts'
import type { Range, Resource } from '../src/resource.ts'
import type { Sink } from '../src/sink.ts'
import { type Slot, Slots } from '../src/slots.ts'
import { contentOf, expectSame } from './source-suite.ts'

export interface SinkSubject<Result> extends AsyncDisposable {
  readonly sink: Sink<Result>
  /** The memory that it knows, if it must know it. */
  readonly slots?: Slots | undefined
  /** The bytes of a result. */
  bytesOf(result: Result): Uint8Array | Promise<Uint8Array>
  /** What others can see under its final name by now. */
  visible(): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Everything that is left behind, by name. */
  traces(): readonly string[] | Promise<readonly string[]>
}

export interface SinkSuiteOptions<Result> {
  /** `content` is what will be written. */
  make(content: Uint8Array): Promise<SinkSubject<Result>>
  /** What cannot be shown of this sink, each with the reason. */
  readonly cannot?: Readonly<Partial<Record<SinkTopic, string>>> | undefined
  /** Bytes per chunk. Default 64 KiB. */
  readonly part?: number | undefined
}

export type SinkTopic = 'hidden' | 'unsized'

export function describeSink<Result>(name: string, { make, cannot = {}, part = 64 * 1024 }: SinkSuiteOptions<Result>) {
  const ownSlots = new Slots({ budget: 32 * part })
  const needs = (topic: SinkTopic) => (cannot[topic] === undefined ? test : test.skip)
  const begin = async (size: number) => {
    const content = contentOf(size)
    const subject = await make(content)
    return { slots: ownSlots, ...subject, content, [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() }
  }

  describe(`${name} (sink contract)`, () => {
    for (const size of [0, 1, part - 1, part, part + 1, 5 * part + 123]) {
      test(`gives back exactly the ${size} bytes that were written`, async () => {
        await using subject = await begin(size)
        const { sink, content, slots } = subject
        await sink.prepare()
        await sink.open(resourceOf(size), { isResumed: false })
        await writeAll(sink, content, planParts(size, part), slots)
        expectSame(await subject.bytesOf(await sink.commit(verified(size))), content)
        expect(slots.reserved).toBe(0)
      })
    }

    test('takes chunks as it declares: ascending, or in any order and several at once', async () => {
      const ranges = planParts(6 * part + 5, part)
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(ranges, { minLength: ranges.length }), async shuffled => {
          await using subject = await begin(6 * part + 5)
          const { sink, content, slots } = subject
          await sink.prepare()
          await sink.open(resourceOf(content.length), { isResumed: false })
          await writeAll(sink, content, sink.capabilities.order === 'any' ? shuffled : ranges, slots)
          expectSame(await subject.bytesOf(await sink.commit(verified(content.length))), content)
          expect(slots.reserved).toBe(0)
        }),
        { numRuns: 8 },
      )
    })

    needs('unsized')('takes a resource whose size only the end tells', async () => {
      for (const size of [0, 3 * part + 7]) {
        await using subject = await begin(size)
        const { sink, content, slots } = subject
        await sink.prepare()
        await sink.open({ ...resourceOf(size), size: undefined }, { isResumed: false })
        await writeAll(sink, content, planParts(size, part), slots)
        expectSame(await subject.bytesOf(await sink.commit(verified(size))), content)
      }
    })

    needs('hidden')('shows nothing under the final name before commit', async () => {
      await using subject = await begin(3 * part)
      const { sink, content, slots } = subject
      expect(await subject.visible()).toBeUndefined()
      await sink.prepare()
      await sink.open(resourceOf(content.length), { isResumed: false })
      expect(await subject.visible()).toBeUndefined()
      await writeAll(sink, content, planParts(content.length, part), slots)
      expect(await subject.visible()).toBeUndefined()
      await sink.commit(verified(content.length))
      expectSame((await subject.visible()) ?? new Uint8Array(), content)
    })

    for (const moment of ['at first', 'after prepare', 'after open', 'in the middle', 'after the last byte'] as const) {
      test(`abort ${moment} leaves nothing under the final name, nor any trace when the bytes are worth nothing`, async () => {
        await using subject = await begin(3 * part)
        const { sink, content, slots } = subject
        const before = await subject.traces()
        const ranges = planParts(content.length, part)
        if (moment !== 'at first') await sink.prepare()
        if (moment !== 'at first' && moment !== 'after prepare')
          await sink.open(resourceOf(content.length), { isResumed: false })
        if (moment === 'in the middle') await writeAll(sink, content, ranges.slice(0, 1), slots)
        if (moment === 'after the last byte') await writeAll(sink, content, ranges, slots)
        const { TransferError } = await import('../src/errors.ts')
        await sink.abort(new TransferError('ChecksumMismatch', 'other bytes'))
        if (!cannot.hidden) expect(await subject.visible()).toBeUndefined()
        expect(await subject.traces()).toEqual(before)
        expect(slots.reserved).toBe(0)
      })
    }

    for (const [topic, reason] of Object.entries(cannot)) test.skip(`${topic}: ${reason}`, () => {})
  })
}

export function resourceOf(size: number | undefined, rest: Partial<Resource> = {}): Resource {
  return { size, ranges: 'yes', checksums: [], etag: { value: 'v1', isWeak: false }, ...rest }
}

export function verified(size: number): Verification {
  return { size, lengthVerified: true, checks: [], proof: 'size', digests: {} }
}

/**
 * Writes as the engine does: from slots, several at once in order `any`; a slot is overwritten by others as soon as its
 * chunk is done with, unless the sink retained it.
 */
export async function writeAll(sink: Sink, content: Uint8Array, ranges: readonly Range[], slots: Slots): Promise<void> {
  const write = async ({ start, end }: Range) => {
    const slot = await slots.reserve(end - start)
    slot.bytes.set(content.subarray(start, end))
    try {
      await sink.write({ offset: start, bytes: slot.bytes, slot })
    } finally {
      spoil(slot)
    }
  }
  if (sink.capabilities.order === 'any') await Promise.all(ranges.map(write))
  else for (const range of ranges) await write(range)
}

function spoil(slot: Slot): void {
  if (!slot.isShared) slot.bytes.fill(0xee)
  slot.release()
}
