/**
 * What every source must do (contract in src/source.ts). A source's own tests call `describeSource` with a factory and
 * what it is able to; everything it cannot do is skipped with the reason in the test's name.
 */
import { describe, expect, test } from 'vitest'
import { isRetriable, TransferError } from '../src/errors.ts'
import type { Range, Resource } from '../src/resource.ts'
import type { Source } from '../src/source.ts'
import { failureOf, fetchBytes } from './fetch-bytes.ts'
import type { RecordingLanding } from './recording-landing.ts'

/** A source whose resource the test controls. */
export interface SourceSubject extends AsyncDisposable {
  readonly source: Source
  /** Other content and another version, from now on. */
  change(content: Uint8Array): void | Promise<void>
  /** The resource is gone. */
  remove(): void | Promise<void>
}

export interface SuiteOptions {
  make(content: Uint8Array): Promise<SourceSubject>
  /** What the source cannot do, each with the reason. */
  readonly cannot?: Readonly<Partial<Record<SuiteTopic, string>>> | undefined
}

export type SuiteTopic = 'ranges' | 'size' | 'versions' | 'parallel'

const PART = 256 * 1024

export function describeSource(name: string, { make, cannot = {} }: SuiteOptions): void {
  const needs = (...topics: SuiteTopic[]) => {
    const missing = topics.find(topic => cannot[topic] !== undefined)
    return missing ? test.skip : test
  }
  const open = async (size: number, seed = 1) => {
    const content = contentOf(size, seed)
    const subject = await make(content)
    return { content, ...subject, source: subject.source, [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() }
  }

  describe(`${name} (source contract)`, () => {
    describe('probe()', () => {
      test('tells the size without taking the body', async () => {
        await using subject = await open(PART)
        const resource = await subject.source.probe({ signal: never() })
        expect(resource.size).toBe(cannot.size ? undefined : PART)
      })

      test('of an empty resource tells size 0', async () => {
        await using subject = await open(0)
        const resource = await subject.source.probe({ signal: never() })
        if (!cannot.size) expect(resource.size).toBe(0)
      })

      test('rejects with NotFound for what is not there', async () => {
        await using subject = await open(10)
        await subject.remove()
        expect(await failureOf(subject.source.probe({ signal: never() }))).toMatchObject({ code: 'NotFound' })
      })

      test('rejects with the reason of a signal that is already aborted', async () => {
        await using subject = await open(10)
        const reason = new Error('no more')
        expect(await failureOf(subject.source.probe({ signal: AbortSignal.abort(reason) }))).toBe(reason)
      })
    })

    describe('fetch()', () => {
      for (const size of [0, 1, PART - 1, PART, PART + 1, 3 * PART + 12_345]) {
        test(`pours the whole of ${size} bytes as one stream`, async () => {
          await using subject = await open(size)
          const { bytes, answer } = await fetchBytes(subject.source)
          expect(answer.start).toBe(0)
          if (answer.end !== undefined) expect(answer.end).toBe(size)
          expectSame(bytes, subject.content)
        })

        test(`pours a first part of ${PART} of ${size} bytes, or what there is`, async () => {
          await using subject = await open(size)
          const { bytes, answer } = await fetchBytes(subject.source, { range: { start: 0, end: PART }, capacity: PART })
          expect(answer.start).toBe(0)
          expectSame(bytes, subject.content.subarray(0, PART))
        })
      }

      needs('ranges')('pours exactly the range that was asked for', async () => {
        await using subject = await open(3 * PART)
        const expected = await contact(subject.source)
        for (const range of [
          { start: 0, end: 1 },
          { start: 3 * PART - 1, end: 3 * PART },
          { start: PART - 1, end: PART + 1 },
          { start: 17, end: 2 * PART + 5 },
          { start: 0, end: 3 * PART },
        ]) {
          const { bytes, answer } = await fetchBytes(subject.source, { range, expected })
          expect(answer).toMatchObject(range)
          expect(answer.resource.ranges).toBe('yes')
          expectSame(bytes, subject.content.subarray(range.start, range.end))
        }
      })

      needs('ranges')('clamps a range that ends beyond the resource', async () => {
        await using subject = await open(PART)
        const expected = await contact(subject.source)
        const { bytes, answer } = await fetchBytes(subject.source, {
          range: { start: PART - 10, end: PART + 10 },
          expected,
        })
        expect(answer.end).toBe(PART)
        expectSame(bytes, subject.content.subarray(PART - 10))
      })

      needs('ranges')('of a range that starts at the very end is complete at once', async () => {
        await using subject = await open(PART)
        const expected = await contact(subject.source)
        const { bytes, answer } = await fetchBytes(subject.source, { range: { start: PART, end: PART + 10 }, expected })
        expect(bytes.length).toBe(0)
        expect(answer).toMatchObject({ start: PART, end: PART })
      })

      needs('ranges', 'parallel')('pours many ranges at once', async () => {
        const size = 16 * PART + 777
        await using subject = await open(size)
        const expected = await contact(subject.source)
        const ranges = Array.from({ length: 17 }, (_, index) => ({
          start: index * PART,
          end: Math.min(size, (index + 1) * PART),
        }))
        const parts = await Promise.all(ranges.map(range => fetchBytes(subject.source, { range, expected })))
        expectSame(Buffer.concat(parts.map(part => part.bytes)), subject.content)
      })

      test('never calls answered before an answer, and once', async () => {
        await using subject = await open(PART)
        // fetchBytes throws when answered is called twice.
        const { answer } = await fetchBytes(subject.source, { range: { start: 0, end: PART } })
        expect(['length', 'chunked', 'close']).toContain(answer.framing)
      })

      test('rejects with what answered throws, and pours nothing', async () => {
        await using subject = await open(PART)
        const refusal = new Error('not wanted')
        const fetching = subject.source.fetch({
          range: { start: 0, end: PART },
          expected: undefined,
          answered: () => {
            throw refusal
          },
          signal: never(),
        })
        expect(await failureOf(fetching)).toBe(refusal)
        expectSame((await fetchBytes(subject.source)).bytes, subject.content)
      })

      test('resolves early when the landing wants no more, and the source stays usable', async () => {
        await using subject = await open(40 * PART)
        const { bytes } = await fetchBytes(subject.source, {
          grant: 10_000,
          onAdvance: landing => landing.position >= PART && landing.lower(landing.position),
        })
        expect(bytes.length).toBeGreaterThanOrEqual(PART)
        expect(bytes.length).toBeLessThan(PART + 10_000)
        expectSame(bytes, subject.content.subarray(0, bytes.length))
        expectSame((await fetchBytes(subject.source)).bytes, subject.content)
      })

      for (const rest of [1000, 4 * PART]) {
        test(`stops at a limit that is lowered in the middle, with ${rest} bytes unwanted`, async () => {
          const size = 4 * PART + rest
          await using subject = await open(size)
          const { bytes } = await fetchBytes(subject.source, {
            range: { start: 0, end: size },
            grant: 50_000,
            onAdvance: landing => landing.position >= PART && landing.limit === size && landing.lower(4 * PART),
          })
          expectSame(bytes, subject.content.subarray(0, 4 * PART))
          expectSame((await fetchBytes(subject.source)).bytes, subject.content)
        })
      }

      test('resolves when the limit is lowered to what has landed while it waits for room', async () => {
        await using subject = await open(8 * PART)
        const { bytes } = await fetchBytes(subject.source, {
          room: PART,
          onAdvance: landing => void (landing.position === PART && setTimeout(() => landing.lower(PART), 50)),
        })
        expectSame(bytes, subject.content.subarray(0, PART))
        expectSame((await fetchBytes(subject.source)).bytes, subject.content)
      })

      test('resolves when the landing is complete although the source did not get to know', async () => {
        await using subject = await open(8 * PART)
        let landing: RecordingLanding | undefined
        await fetchBytes(subject.source, {
          grant: 100_000,
          onLanding: made => {
            landing = made
          },
          onAdvance: made => {
            if (made.position > PART) made.limit = made.position
          },
        })
        expect(landing?.isComplete).toBe(true)
      })

      for (const room of [0, 1, 1000, PART]) {
        test(`waits for room and loses nothing, with room for ${room} bytes at first`, async () => {
          const size = 2 * PART + 321
          await using subject = await open(size)
          const fetching = fetchBytes(subject.source, {
            range: { start: 0, end: size },
            room,
            onLanding: landing => void feed(landing, size, 70_001),
          })
          const { bytes, landing } = await fetching
          expect(landing.waits).toBeGreaterThan(0)
          expectSame(bytes, subject.content)
          expectSame((await fetchBytes(subject.source)).bytes, subject.content)
        })
      }

      test('pours into room that comes a few bytes at a time', async () => {
        await using subject = await open(5000)
        const { bytes } = await fetchBytes(subject.source, { grant: 7 })
        expectSame(bytes, subject.content)
      })

      describe('abort', () => {
        test('before the request rejects with the reason', async () => {
          await using subject = await open(PART)
          const reason = new Error('changed my mind')
          const signal = AbortSignal.abort(reason)
          expect(await failureOf(fetchBytes(subject.source, { signal }))).toBe(reason)
        })

        test('right after the request rejects with the reason', async () => {
          await using subject = await open(PART)
          const abort = new AbortController()
          const reason = new Error('changed my mind')
          const fetching = failureOf(fetchBytes(subject.source, { signal: abort.signal, room: 0 }))
          abort.abort(reason)
          expect(await fetching).toBe(reason)
        })

        test('in answered rejects with the reason', async () => {
          await using subject = await open(8 * PART)
          const abort = new AbortController()
          const reason = new Error('changed my mind')
          const fetching = fetchBytes(subject.source, {
            signal: abort.signal,
            onLanding: () => abort.abort(reason),
            room: 0,
          })
          expect(await failureOf(fetching)).toBe(reason)
        })

        test('in the middle of the body rejects, and nothing lands afterwards', async () => {
          await using subject = await open(40 * PART)
          const abort = new AbortController()
          const reason = new Error('changed my mind')
          let landing: RecordingLanding | undefined
          const fetching = fetchBytes(subject.source, {
            signal: abort.signal,
            grant: 10_000,
            onLanding: made => {
              landing = made
            },
            onAdvance: made => made.position > PART && abort.abort(reason),
          })
          expect(await failureOf(fetching)).toBe(reason)
          const { position, memory } = landing as RecordingLanding
          memory.fill(0xee, position)
          await new Promise(resolve => setTimeout(resolve, 30))
          expect((landing as RecordingLanding).position).toBe(position)
          expect(memory.subarray(position).every(byte => byte === 0xee)).toBe(true)
        })

        test('while waiting for room rejects with the reason, and the source stays usable', async () => {
          await using subject = await open(8 * PART)
          const abort = new AbortController()
          const reason = new Error('changed my mind')
          const fetching = fetchBytes(subject.source, {
            signal: abort.signal,
            room: PART,
            onAdvance: landing => void (landing.position === PART && setTimeout(() => abort.abort(reason), 20)),
          })
          expect(await failureOf(fetching)).toBe(reason)
          expectSame((await fetchBytes(subject.source)).bytes, subject.content)
        })

        test('after the end changes nothing', async () => {
          await using subject = await open(PART)
          const abort = new AbortController()
          const { bytes } = await fetchBytes(subject.source, { signal: abort.signal })
          abort.abort()
          await new Promise(resolve => setTimeout(resolve, 10))
          expectSame(bytes, subject.content)
          expectSame((await fetchBytes(subject.source)).bytes, subject.content)
        })
      })

      describe('another version', () => {
        needs('ranges', 'versions')('between two answers rejects with ResourceChanged before any byte', async () => {
          await using subject = await open(2 * PART)
          const expected = await contact(subject.source)
          await subject.change(contentOf(2 * PART, 2))
          await expectChanged(subject.source, { start: PART, end: 2 * PART }, expected)
          await expectChanged(subject.source, { start: 0, end: PART }, expected)
          await expectChanged(subject.source, undefined, expected)
        })

        needs('ranges', 'versions')('of another size rejects with ResourceChanged before any byte', async () => {
          for (const size of [3 * PART, PART, 0]) {
            await using subject = await open(2 * PART)
            const expected = await contact(subject.source)
            await subject.change(contentOf(size, 1))
            await expectChanged(subject.source, { start: PART, end: 2 * PART }, expected)
          }
        })

        needs('versions')('is read without complaint when nothing was expected', async () => {
          await using subject = await open(PART)
          await fetchBytes(subject.source)
          const other = contentOf(PART + 5, 2)
          await subject.change(other)
          expectSame((await fetchBytes(subject.source)).bytes, other)
        })
      })

      test('rejects with NotFound for what is not there', async () => {
        await using subject = await open(10)
        await subject.remove()
        const failure = await failureOf(fetchBytes(subject.source, { range: { start: 0, end: 10 } }))
        expect(failure).toBeInstanceOf(TransferError)
        expect(failure).toMatchObject({ code: 'NotFound' })
        expect(isRetriable(failure)).toBe(false)
      })

      test('rejects a range that is none with Usage', async () => {
        await using subject = await open(10)
        for (const range of [
          { start: 5, end: 5 },
          { start: -1, end: 5 },
          { start: 6, end: 5 },
          { start: 0.5, end: 5 },
        ]) {
          expect(await failureOf(fetchBytes(subject.source, { range, capacity: 10 }))).toMatchObject({ code: 'Usage' })
        }
      })
    })

    test('close() may be called twice', async () => {
      await using subject = await open(10)
      await subject.source.close()
      await subject.source.close()
    })

    for (const [topic, reason] of Object.entries(cannot)) test.skip(`${topic}: ${reason}`, () => {})
  })
}

/** Bytes that differ at every offset from those of another seed, without a period that a part size could hide. */
export function contentOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let index = 0; index < size; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  // Buffers of megabytes are compared by hand: a failed `toEqual` would print them.
  expect(actual.length).toBe(expected.length)
  expect(Buffer.compare(actual, expected)).toBe(0)
}

async function contact(source: Source): Promise<Resource> {
  return (await fetchBytes(source, { range: { start: 0, end: 1 } })).answer.resource
}

async function expectChanged(source: Source, range: Range | undefined, expected: Resource): Promise<void> {
  let wasAnswered = false
  const fetching = fetchBytes(source, {
    range,
    expected,
    onLanding: () => {
      wasAnswered = true
    },
  })
  expect(await failureOf(fetching)).toMatchObject({ code: 'ResourceChanged' })
  expect(wasAnswered).toBe(false)
}

/** Gives room piece by piece, each one a while after the source has asked for it. */
async function feed(landing: RecordingLanding, size: number, piece: number): Promise<void> {
  while (landing.position < size) {
    await new Promise(resolve => setTimeout(resolve, 3))
    if (landing.room().length === 0) landing.give(piece)
  }
}

function never(): AbortSignal {
  return new AbortController().signal
}
