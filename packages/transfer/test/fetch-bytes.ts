import type { Range, Resource } from '../src/resource.ts'
import type { Answer, Source } from '../src/source.ts'
import { RecordingLanding, type RecordingLandingOptions } from './recording-landing.ts'

export interface FetchBytesOptions extends Partial<RecordingLandingOptions> {
  readonly range?: Range | undefined
  readonly expected?: Resource | undefined
  readonly signal?: AbortSignal | undefined
  readonly fresh?: boolean | undefined
  /** Called with the landing as soon as there is one. */
  readonly onLanding?: ((landing: RecordingLanding) => void) | undefined
}

export interface Fetched {
  readonly answer: Answer
  readonly bytes: Uint8Array
  readonly landing: RecordingLanding
}

/** One `fetch` of a source into a landing as large as what was asked. */
export async function fetchBytes(source: Source, options: FetchBytesOptions = {}): Promise<Fetched> {
  const { range, expected, signal = new AbortController().signal, fresh, onLanding } = options
  let answer: Answer | undefined
  let landing: RecordingLanding | undefined
  await source.fetch({
    range,
    expected,
    signal,
    fresh,
    answered: given => {
      if (landing) throw new Error('answered was called twice')
      answer = given
      const wanted = range ? range.end - given.start : (given.end ?? 64 * 1024 * 1024) - given.start
      const capacity =
        options.capacity ?? Math.max(0, Math.min(wanted, given.end === undefined ? wanted : given.end - given.start))
      landing = new RecordingLanding({ ...options, capacity })
      onLanding?.(landing)
      return landing
    },
  })
  if (!answer || !landing) throw new Error('fetch resolved without an answer')
  return { answer, landing, bytes: landing.bytes }
}

/** What a `fetch` rejected with. */
export async function failureOf(fetching: Promise<unknown>): Promise<Error> {
  try {
    await fetching
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('fetch resolved although it should have been rejected')
}
