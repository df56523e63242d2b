import type { LibrarianError } from '@arriero/api'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Topic } from '../live/live.ts'
import { useServices } from '../services.ts'
import { toError } from './to-error.ts'

export interface Answer<Data> {
  /** The last one that came; it stays while it is asked again, and after a failure. */
  readonly data: Data | undefined
  /** Of the last call, if that failed. */
  readonly error: LibrarianError | undefined
  readonly isLoading: boolean
  again(): void
}

export interface AnswerOptions {
  /** It is asked again when one of these is told by the server; without events, every ten seconds. */
  readonly topics?: readonly Topic[]
  /** Waits so long before it asks, in case `inputs` change again; milliseconds, default 0. */
  readonly restMs?: number
}

/**
 * What a call answers, asked at once, again when `inputs` change, and when the server tells of something new. A call that is
 * no longer wanted is cancelled.
 */
export function useAnswer<Data>(
  load: (signal: AbortSignal) => Promise<Data>,
  inputs: readonly unknown[],
  { topics = [], restMs = 0 }: AnswerOptions = {},
): Answer<Data> {
  const { live } = useServices()
  const [state, setState] = useState<Omit<Answer<Data>, 'again'>>({
    data: undefined,
    error: undefined,
    isLoading: true,
  })
  const [round, setRound] = useState(0)
  const again = useCallback(() => setRound(count => count + 1), [])
  const latest = useRef(load)
  latest.current = load
  const asked = useRef<number>(undefined)

  // The caller says by `inputs` when to ask.
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    setState(before => ({ ...before, isLoading: true }))
    const ask = () =>
      latest.current(signal).then(
        data => signal.aborted || setState({ data, error: undefined, isLoading: false }),
        error => signal.aborted || setState(({ data }) => ({ data, error: toError(error), isLoading: false })),
      )
    const isRepeated = asked.current === round || asked.current === undefined
    asked.current = round
    const timer = setTimeout(ask, isRepeated ? restMs : 0)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [...inputs, round])

  // By their names.
  useEffect(() => {
    const stops = topics.map(topic => live.on(topic, again))
    return () => {
      for (const stop of stops) stop()
    }
  }, [live, topics.join()])

  return { ...state, again }
}
